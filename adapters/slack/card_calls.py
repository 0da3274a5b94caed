"""The calls of Slack about one card: post it, change it, and find it again."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from adapters.slack.blocks import Message
from adapters.slack.card import render_card, render_fallback
from adapters.slack.client import Wire
from adapters.slack.errors import APP_REMOVED, GONE, NOT_SHOWN, SlackRefused, undeliverable
from adapters.slack.posts import Place
from adapters.slack.removal import Removal
from adapters.slack.workspaces import Workspace
from bot.core.card import Card
from bot.ports.chat import Undeliverable

log = logging.getLogger("keyturn.slack")

#: The metadata by which a card is found again when the answer to posting it was lost.
EVENT_TYPE: Final = "keyturn_card"
_PAGE: Final = 200
#: How far our clock may be ahead of Slack's for a card still to be found.
_SKEW_S: Final = 3600.0


class CardCalls:
    """Each raises SlackBusy or SlackUnclear besides what it says."""

    def __init__(self, *, wire: Wire, removal: Removal, web_url: str | None) -> None:
        self._wire = wire
        self._removal = removal
        self._web_url = web_url

    def render(self, card: Card) -> Message:
        return render_card(card, web_url=self._web_url)

    async def post(
        self, card: Card, workspace: Workspace, user: str, *, key: str
    ) -> tuple[Place, Message]:
        """Post *card* to *user*, and return where it is and what is shown.

        Raises:
            SlackRefused: nothing was posted.
        """
        message = self.render(card)
        for shown in (message, render_fallback(card, web_url=self._web_url)):
            try:
                answer = await self._wire.write(
                    workspace.token,
                    "chat.postMessage",
                    channel=user,
                    **_said(shown),
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except SlackRefused as error:
                if error.code not in NOT_SHOWN or shown is not message:
                    raise
                _tell_of_fallback(card)
                continue
            channel, ts = str(answer["channel"]), str(answer["ts"])
            return Place(workspace=workspace.name, channel=channel, ts=ts), shown
        raise AssertionError("the second of two was neither sent nor refused")

    async def update(self, card: Card, workspace: Workspace, place: Place) -> None:
        """Bring the message at *place* to *card*.

        Raises:
            SlackRefused: it stays as it is.
        """
        at = {"channel": place.channel, "ts": place.ts}
        try:
            await self._wire.write(workspace.token, "chat.update", **at, **_said(self.render(card)))
        except SlackRefused as error:
            if error.code not in NOT_SHOWN:
                raise
            _tell_of_fallback(card)
            plainer = render_fallback(card, web_url=self._web_url)
            await self._wire.write(workspace.token, "chat.update", **at, **_said(plainer))

    async def find(
        self, workspace: Workspace, channel: str, *, key: str, since: float
    ) -> Place | None:
        """Return where the card under *key* is in the DM *channel*, posted *since* then or later.

        Raises:
            Undeliverable: there is no way to know.
        """
        cursor: dict[str, str] = {}
        while True:
            try:
                told = await self._wire.read(
                    workspace.token,
                    "conversations.history",
                    channel=channel,
                    oldest=f"{since - _SKEW_S:.6f}",
                    limit=_PAGE,
                    include_all_metadata="true",
                    **cursor,
                )
            except SlackRefused as error:
                raise await self.undeliverable(error, workspace) from None
            for message in told.get("messages") or ():
                if _key_of(message) == key and message.get("user") == workspace.bot_user:
                    ts = str(message["ts"])
                    return Place(workspace=workspace.name, channel=channel, ts=ts)
            following = (told.get("response_metadata") or {}).get("next_cursor")
            if not following:
                return None
            cursor = {"cursor": str(following)}

    async def undeliverable(self, error: SlackRefused, workspace: Workspace) -> Undeliverable:
        """Return what *error* means for a card in *workspace*."""
        if error.code in APP_REMOVED:
            await self._removal.certain(workspace)
        elif error.code not in GONE:
            log.warning("slack refused a card", extra={"error": error.code, "needed": error.needed})
        return undeliverable(error)


def _tell_of_fallback(card: Card) -> None:
    log.error(
        "slack refused a card; it is shown without Approve", extra={"proposal": card.proposal}
    )


def _said(message: Message) -> Mapping[str, Any]:
    return {"text": message.text, "blocks": message.blocks, "parse": "none", "link_names": False}


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    key = (metadata.get("event_payload") or {}).get("key")
    return key if isinstance(key, str) else None
