"""What Slack says about a channel and a message before anything is written there."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from adapters.slack.connector.client import Answer, Client, Done, Refused
from adapters.slack.connector.message import text_of
from adapters.slack.connector.outcome import in_words
from adapters.slack.connector.params import Deed, Wanted
from adapters.slack.connector.place import Place
from adapters.slack.connector.words import audience_of, channel_facts
from bot.core.canonical import Json
from bot.core.errors import InvalidInput, UpstreamFailed
from bot.core.verbs import Facts
from bot.once import NoAnswer, NotSent

_RESOURCE: Final = "/action/resource"
_PAGE: Final = "20"


#: A message as Slack tells it, or why it did not.
Message: TypeAlias = Mapping[str, Any] | Refused | NotSent | NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Whose token it is. ``workspace`` is the name that people know."""

    team: str
    workspace: str
    user: str
    bot: str

    def wrote(self, message: Mapping[str, Any]) -> bool:
        return message.get("user") == self.user or (
            bool(self.bot) and message.get("bot_id") == self.bot
        )


class Observer:
    """Asks Slack as one app."""

    def __init__(self, client: Client, *, team: str, timeout_s: float) -> None:
        self._client = client
        self._team = team
        self._timeout_s = timeout_s
        self._own: Own | None = None

    async def facts(self, wanted: Wanted) -> Facts:
        """Return who would see it, and what is there now.

        Raises:
            InvalidInput: there is no such channel or message, or it is not this app's to change.
            UpstreamFailed: Slack could not be asked, or does not let the app look.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._facts(wanted)
        except TimeoutError:
            raise UpstreamFailed("Slack did not answer in time.") from None

    async def _facts(self, wanted: Wanted) -> Facts:
        own = await self._who()
        told = await self._told("conversations.info", wanted.place)
        channel = told.get("channel")
        channel = channel if isinstance(channel, Mapping) else {}
        _check_open(channel)
        described = channel_facts(channel, workspace=own.workspace)
        before: dict[str, Json] = {"channel": described}
        etag = None
        if wanted.deed.names_message:
            message = await self.message(wanted.place)
            text = self._text(message, wanted, own)
            before["parent" if wanted.deed is Deed.REPLY else "text"] = text
            if wanted.deed.changes_message and text is not None:
                etag = etag_of(text)
        return Facts(audience=audience_of(described), before=before, etag=etag)

    async def _who(self) -> Own:
        if self._own is None:
            answer = await self._client.read("auth.test", within_s=self._timeout_s)
            told = _told(answer, "auth.test")
            team = str(told.get("team_id") or "")
            if team != self._team:
                raise UpstreamFailed(
                    f"The connector's token belongs to the workspace {team or 'nobody knows'}, "
                    f"and its section names {self._team}."
                )
            self._own = Own(
                team=team,
                workspace=str(told.get("team") or team),
                user=str(told.get("user_id") or ""),
                bot=str(told.get("bot_id") or ""),
            )
        return self._own

    async def _told(self, method: str, place: Place) -> Mapping[str, Any]:
        answer = await self._client.read(
            method,
            within_s=self._timeout_s,
            channel=place.channel,
            include_num_members="true",
        )
        if isinstance(answer, Refused) and answer.code == "channel_not_found":
            raise InvalidInput(
                "there is no such channel, or the app was not invited to it", field=_RESOURCE
            )
        return _told(answer, method)

    async def message(self, place: Place) -> Message:
        """Return the message at *place*: an empty mapping if none is, else what kept it away."""
        answer = await self._client.read(
            "conversations.replies",
            within_s=self._timeout_s,
            channel=place.channel,
            ts=place.message_ts,
            limit=_PAGE,
            include_all_metadata="true",
        )
        if isinstance(answer, Refused) and answer.code in {"thread_not_found", "message_not_found"}:
            return {}
        if not isinstance(answer, Done):
            return answer
        listed = answer.told.get("messages")
        found = [
            one
            for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, Mapping) and one.get("ts") == place.ts
        ]
        return found[0] if found else {}

    @staticmethod
    def _text(message: Message, wanted: Wanted, own: Own) -> str | None:
        """Return the text of *message*; None where the app may not read it, and need not."""
        if isinstance(message, Refused):
            if message.code == "missing_scope" and wanted.deed is not Deed.UPDATE:
                return None
            raise UpstreamFailed(f"Slack refused to show the message: {in_words(message)}.")
        if isinstance(message, NotSent | NoAnswer):
            raise UpstreamFailed(message.detail)
        if not message:
            raise InvalidInput("there is no such message in that channel", field=_RESOURCE)
        text = text_of(message)
        if wanted.deed.changes_message and not own.wrote(message):
            raise InvalidInput(
                "that message is not this app's, and only its own can be changed", field=_RESOURCE
            )
        if wanted.replaces is not None and wanted.replaces != text:
            raise InvalidInput(
                "the message says something else now", field="/action/params/replaces"
            )
        return text


def etag_of(text: str) -> str:
    """Return what stands for *text* when it is looked at again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _check_open(channel: Mapping[str, Any]) -> None:
    if channel.get("is_archived") is True:
        raise InvalidInput("that channel is archived", field=_RESOURCE)
    if channel.get("is_member") is False and channel.get("is_im") is not True:
        raise InvalidInput(
            "the app is not in that channel",
            field=_RESOURCE,
            remedy="Somebody in the channel invites it: /invite and its name.",
        )


def _told(answer: Answer, method: str) -> Mapping[str, Any]:
    match answer:
        case Done(told=told):
            return told
        case Refused():
            raise UpstreamFailed(f"Slack refused {method}: {in_words(answer)}.")
        case _:
            raise UpstreamFailed(answer.detail)
