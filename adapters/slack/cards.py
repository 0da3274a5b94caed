"""Posts cards, brings every copy of them to what is true, and never posts one twice unmarked."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from adapters.slack.accounts import Accounts
from adapters.slack.blocks import Message, Ours, TooLarge, context, plain
from adapters.slack.card import render_card, render_fallback
from adapters.slack.client import Wire
from adapters.slack.errors import (
    APP_REMOVED,
    GONE,
    NOT_SHOWN,
    SlackBusy,
    SlackRefused,
    SlackUnclear,
    app_removed,
    later,
    undeliverable,
)
from adapters.slack.people import People
from adapters.slack.posts import Begun, Copies, Place, Post, Posts, digest_of_message, place_of
from adapters.slack.workspaces import Workspace, Workspaces
from bot.core.card import Card
from bot.core.ids import PersonId
from bot.ports.chat import NotDeliveredNow, Undeliverable

log = logging.getLogger("keyturn.slack")

#: The metadata by which a card is found again when the answer to posting it was lost.
EVENT_TYPE: Final = "keyturn_card"
_LOOK_BACK: Final = 100
_AGAIN: Final = "(sent again) Slack did not confirm the first one. Both are the same request."
_RACE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    person: PersonId
    workspace: Workspace
    user: str


class _CannotLook(Exception):
    """The app may not read its own conversations, or does not know which one it was."""


class Cards:
    """``posts`` and ``copies`` are on the shelf: without them cards stay true, and found again."""

    def __init__(
        self,
        *,
        wire: Wire,
        workspaces: Workspaces,
        people: People,
        accounts: Accounts,
        posts: Posts,
        copies: Copies,
        web_url: str | None,
    ) -> None:
        self._wire = wire
        self._workspaces = workspaces
        self._people = people
        self._accounts = accounts
        self._posts = posts
        self._copies = copies
        self._web_url = web_url
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def post(self, card: Card, to: PersonId, *, key: str) -> Place:
        """Show *card* to *to*, once for each *key*.

        Raises:
            Undeliverable: they cannot be reached in Slack.
            NotDeliveredNow: try later, with the same key.
        """
        async with self._lock(f"post {key}"):
            before = await self._posts.get(key)
            if before is not None and (place := place_of(before.where)) is not None:
                return place
            try:
                reader = await self._reader(to)
                place = await self._found_or_posted(card, reader, key=key, before=before)
            except (SlackBusy, SlackUnclear) as error:
                raise later(error) from None
            await self._posts.put(key, Post(begun=Begun.POSTED, where=str(place)))
            return place

    async def settle(self, card: Card, to: PersonId, *, key: str) -> None:
        """Find the card whose posting was never answered, where the app may look for it.

        Raises:
            NotDeliveredNow: try later.
        """
        async with self._lock(f"post {key}"):
            before = await self._posts.get(key)
            if before is None or before.begun is Begun.POSTED:
                return
            try:
                places = await self._look(await self._reader(to), key)
            except (SlackBusy, SlackUnclear) as error:
                raise later(error) from None
            except (_CannotLook, Undeliverable):
                return
            if places:
                await self._posts.put(key, Post(begun=Begun.POSTED, where=str(places[-1])))
                await self._copies.adopt(card.proposal, to, str(places[-1]))

    async def replace(self, card: Card, person: PersonId, where: str) -> None:
        """Bring the card at *where*, and every other copy that *person* has, to *card*.

        Raises:
            Undeliverable: the card at *where* is gone for good.
            NotDeliveredNow: try later.
        """
        await self.refresh(card, person, but=where)
        await self._bring(card, person, where)

    async def refresh(self, card: Card, person: PersonId, *, but: str = "") -> None:
        """Bring every copy that *person* has, but that at *but*, to *card*.

        Raises:
            NotDeliveredNow: one of them could not be changed now.
        """
        for where in await self._copies.of(card.proposal, person):
            if where == but:
                continue
            try:
                await self._bring(card, person, where)
            except Undeliverable:
                await self._copies.drop(card.proposal, person, where)

    async def adopt(self, card: Card, person: PersonId, *, channel: str, ts: str) -> None:
        """Keep the message at *channel* and *ts* up to date, if it is in the DM with *person*.

        Anywhere else it is a copy that somebody made: what is for one person is not shown there.
        """
        try:
            reader = await self._reader(person)
        except Undeliverable:
            return
        name = reader.workspace.name
        if channel != await self._posts.dm(name, reader.user):
            return
        place = Place(workspace=name, channel=channel, ts=ts)
        if await self._copies.adopt(card.proposal, person, str(place)):
            await self.refresh(card, person)

    async def _reader(self, person: PersonId) -> _Reader:
        reached = await self._people.reach(person)
        if reached is None:
            raise Undeliverable(
                "This person has no linked Slack account. They can link one in the web inbox.",
                reason="not_linked",
            )
        workspace, identity = reached
        account = await self._accounts.get(workspace, identity.user)
        if account is None:
            raise Undeliverable("Slack no longer knows the linked account.", reason="not_found")
        refusal = account.why_not(workspace)
        if refusal is not None:
            raise Undeliverable(refusal, reason="account_refused")
        return _Reader(person=person, workspace=workspace, user=account.local_id)

    async def _found_or_posted(
        self, card: Card, reader: _Reader, *, key: str, before: Post | None
    ) -> Place:
        is_in_doubt = False
        if before is not None:
            try:
                places = await self._look(reader, key)
            except _CannotLook:
                is_in_doubt = True
            else:
                if places:
                    await self._copies.adopt(card.proposal, reader.person, str(places[-1]))
                    return places[-1]
        place = await self._post(card, reader, key=key, before=before, is_in_doubt=is_in_doubt)
        return await self._one_of_two(card, reader, place, key=key) if is_in_doubt else place

    async def _post(
        self, card: Card, reader: _Reader, *, key: str, before: Post | None, is_in_doubt: bool
    ) -> Place:
        """Post *card*; marked as a second one where the first may be there."""
        await self._posts.put(key, Post(begun=Begun.SENDING))
        try:
            answer, message = await self._send(card, reader, key=key, is_in_doubt=is_in_doubt)
        except SlackUnclear:
            await self._posts.put(key, Post(begun=Begun.UNCLEAR))
            raise
        except (SlackBusy, SlackRefused) as error:
            # Nothing was posted now; what was in doubt before still is.
            if before is None:
                await self._posts.drop(key)
            if isinstance(error, SlackBusy):
                raise
            raise await self._undeliverable(error, reader.workspace) from None
        channel, ts = str(answer["channel"]), str(answer["ts"])
        await self._posts.keep_dm(reader.workspace.name, reader.user, channel)
        place = Place(workspace=reader.workspace.name, channel=channel, ts=ts)
        shown = digest_of_message(message)
        await self._copies.shown(card, reader.person, str(place), shown)
        return place

    async def _send(
        self, card: Card, reader: _Reader, *, key: str, is_in_doubt: bool
    ) -> tuple[Mapping[str, Any], Message]:
        message = render_card(card, web_url=self._web_url)
        for shown in (message, render_fallback(card, web_url=self._web_url)):
            marked = _marked(shown) if is_in_doubt else shown
            try:
                answer = await self._wire.write(
                    reader.workspace.token,
                    "chat.postMessage",
                    channel=reader.user,
                    **_said(marked),
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except SlackRefused as error:
                if error.code not in NOT_SHOWN or shown is not message:
                    raise
                _tell_of_fallback(card)
                continue
            return answer, marked
        raise AssertionError("the second of two was neither sent nor refused")

    async def _one_of_two(self, card: Card, reader: _Reader, place: Place, *, key: str) -> Place:
        """Return the card that stays, now that the conversation is known and can be looked at."""
        try:
            places = await self._look(reader, key)
        except (_CannotLook, SlackBusy, SlackUnclear):
            return place
        others = [other for other in places if other != place]
        if not others:
            return place
        try:
            await self._wire.write(
                reader.workspace.token, "chat.delete", channel=place.channel, ts=place.ts
            )
        except (SlackRefused, SlackBusy, SlackUnclear):
            return place
        await self._copies.drop(card.proposal, reader.person, str(place))
        return others[-1]

    async def _look(self, reader: _Reader, key: str) -> list[Place]:
        """Return the cards under *key* in the DM, the oldest last.

        Raises:
            _CannotLook: there is no way to know.
        """
        workspace = reader.workspace
        channel = await self._posts.dm(workspace.name, reader.user)
        if channel is None:
            raise _CannotLook
        try:
            told = await self._wire.read(
                workspace.token,
                "conversations.history",
                channel=channel,
                limit=_LOOK_BACK,
                include_all_metadata="true",
            )
        except SlackRefused:
            raise _CannotLook from None
        return [
            Place(workspace=workspace.name, channel=channel, ts=str(message["ts"]))
            for message in told.get("messages") or []
            if _key_of(message) == key and message.get("user") == workspace.bot_user
        ]

    async def _bring(self, card: Card, person: PersonId, where: str) -> None:
        async with self._lock(where):
            message = render_card(card, web_url=self._web_url)
            digest = digest_of_message(message)
            change = await self._copies.begin(card, person, where, digest)
            if change is None:
                return
            place = place_of(where)
            workspace = None if place is None else await self._workspace(place)
            if place is None or workspace is None:
                raise app_removed()
            try:
                await self._update(workspace, place, message, card)
            except (SlackBusy, SlackUnclear) as error:
                raise later(error) from None
            except SlackRefused as error:
                raise await self._undeliverable(error, workspace) from None
            if not await self._copies.end(change):
                raise NotDeliveredNow("Another change came first.", retry_after_s=_RACE_S)

    async def _update(
        self, workspace: Workspace, place: Place, message: Message, card: Card
    ) -> None:
        at = {"channel": place.channel, "ts": place.ts}
        try:
            await self._wire.write(workspace.token, "chat.update", **at, **_said(message))
        except SlackRefused as error:
            if error.code not in NOT_SHOWN:
                raise
            _tell_of_fallback(card)
            plainer = render_fallback(card, web_url=self._web_url)
            await self._wire.write(workspace.token, "chat.update", **at, **_said(plainer))

    async def _workspace(self, place: Place) -> Workspace | None:
        try:
            return await self._workspaces.named(place.workspace)
        except (SlackBusy, SlackUnclear) as error:
            raise later(error) from None

    async def _undeliverable(self, error: SlackRefused, workspace: Workspace) -> Undeliverable:
        if error.code in APP_REMOVED:
            await self._workspaces.removed(enterprise=workspace.enterprise, team=workspace.team)
        elif error.code not in GONE:
            log.warning("slack refused a card", extra={"error": error.code, "needed": error.needed})
        return undeliverable(error)

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())


def _tell_of_fallback(card: Card) -> None:
    log.error(
        "slack refused a card; it is shown without Approve", extra={"proposal": card.proposal}
    )


def _said(message: Message) -> Mapping[str, Any]:
    return {"text": message.text, "blocks": message.blocks, "parse": "none", "link_names": False}


def _marked(message: Message) -> Message:
    text = Ours(f"(sent again) {message.text}")
    head, *rest = message.blocks
    try:
        return Message(text=text, blocks=[head, context(plain(_AGAIN)), *rest])
    except TooLarge:
        return Message(text=text, blocks=message.blocks)


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    key = (metadata.get("event_payload") or {}).get("key")
    return key if isinstance(key, str) else None
