"""The connector itself: four verbs on messages of one workspace."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.slack.connector.client import Client, Refused
from adapters.slack.connector.looking import look_for
from adapters.slack.connector.message import body_of, text_of
from adapters.slack.connector.observe import Observer, etag_of
from adapters.slack.connector.outcome import in_words, outcome_of
from adapters.slack.connector.params import Deed, Reader, Wanted
from adapters.slack.connector.place import Place, is_ts
from adapters.slack.connector.words import preview_of
from bot.core.canonical import Json
from bot.core.errors import KeyturnError, UnknownVerb
from bot.core.proposal import Action
from bot.core.verbs import Facts, Preview, Verb
from bot.once import NoAnswer, NotSent
from bot.ports.clock import Clock
from bot.ports.connector import STALE, Executed, Failed, LookedUp, Unknown

#: Left of the deadline for what follows the answer.
MARGIN_S: Final = 0.25
_SENT_KEPT: Final = 1_000
_METHODS: Final = {
    Deed.POST: "chat.postMessage",
    Deed.REPLY: "chat.postMessage",
    Deed.UPDATE: "chat.update",
    Deed.DELETE: "chat.delete",
}


class SlackConnector:
    """Writes in one Slack workspace. Built by `adapters.slack.connector.create`."""

    def __init__(
        self,
        *,
        name: str,
        verbs: Mapping[str, Verb],
        reader: Reader,
        client: Client,
        team: str,
        undo_window_s: int,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._name = name
        self._verbs = verbs
        self._reader = reader
        self._client = client
        self._observer = Observer(client, team=team, timeout_s=timeout_s)
        self._undo_window_s = undo_window_s
        self._timeout_s = timeout_s
        self._clock = clock
        #: When each key was sent, to look only at what came after.
        self._sent_at: OrderedDict[str, float] = OrderedDict()

    def __repr__(self) -> str:
        return f"SlackConnector({self._name!r}, verbs={sorted(self._verbs)!r})"

    @property
    def name(self) -> str:
        return self._name

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self._verbs

    async def inspect(self, action: Action) -> Facts:
        return await self._observer.facts(self._wanted(action))

    def preview(self, action: Action, facts: Facts) -> Preview:
        deed = self._deed(action)
        return preview_of(action, facts, deed=deed, undo_window_s=self._undo_window_s)

    def undo(self, action: Action, *, reference: str | None) -> Action | None:
        try:
            wanted = self._wanted(action)
        except KeyturnError:
            return None
        undone_by = wanted.deed.undone_by
        if undone_by is None:
            return None
        ts, params = reference, dict[str, Json]()
        if wanted.deed is Deed.UPDATE:
            if wanted.replaces is None:
                return None
            ts, params = wanted.place.ts, {"text": wanted.replaces, "replaces": wanted.text}
        if not is_ts(ts):
            return None
        place = Place(team=wanted.place.team, channel=wanted.place.channel, ts=ts)
        return Action(verb=self._reader.name_of(undone_by), resource=str(place), params=params)

    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        try:
            wanted = self._wanted(action)
        except KeyturnError as error:
            return Failed(reason=error.code, detail=f"{error.message}. Nothing was sent.")
        if etag is not None and wanted.deed.changes_message:
            moved = await self._moved(wanted, etag, within_s=self._left_s(deadline))
            if moved is not None:
                return moved
        within_s = self._left_s(deadline)
        if within_s <= 0:
            return Failed(reason="timeout", detail="There was no time left. Nothing was sent.")
        self._remember(key)
        answer = await self._client.write(
            _METHODS[wanted.deed], _body(wanted, key=key), within_s=within_s
        )
        return outcome_of(answer, wanted)

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        try:
            wanted = self._wanted(action)
        except KeyturnError as error:
            return Unknown(detail=f"{error.message}.")
        return await look_for(
            wanted,
            key=key,
            client=self._client,
            observer=self._observer,
            within_s=self._timeout_s,
            sent_at=self._sent_at.get(key),
        )

    async def close(self) -> None:
        await self._client.close()

    async def _moved(self, wanted: Wanted, etag: str, *, within_s: float) -> Failed | None:
        """Return why nothing is sent, if the message is not what people were shown.

        Slack takes no condition with a write, so this is looked at just before it.
        """
        if within_s <= 0:
            return Failed(reason="timeout", detail="There was no time left. Nothing was sent.")
        message = await self._observer.message(wanted.place)
        match message:
            case Refused():
                return Failed(
                    reason="unreachable",
                    detail=f"Slack refused to show the message: {in_words(message)}. "
                    "Nothing was sent.",
                )
            case NotSent(why=why, detail=detail) | NoAnswer(why=why, detail=detail):
                return Failed(reason=why.value, detail=f"{detail} Nothing was sent.")
            case Mapping() if message and etag_of(text_of(message)) == etag:
                return None
            case _:
                return Failed(
                    reason=STALE,
                    detail="The message has changed or gone since it was shown. Nothing was sent.",
                )

    def _left_s(self, deadline: datetime) -> float:
        left_s = (deadline - self._clock.now()).total_seconds() - MARGIN_S
        return min(left_s, self._timeout_s)

    def _deed(self, action: Action) -> Deed:
        try:
            return self._reader.deeds[action.verb]
        except KeyError:
            raise UnknownVerb(f"the connector {self._name} has no such verb") from None

    def _wanted(self, action: Action) -> Wanted:
        self._deed(action)
        return self._reader.read(action)

    def _remember(self, key: str) -> None:
        self._sent_at[key] = self._clock.now().timestamp()
        if len(self._sent_at) > _SENT_KEPT:
            self._sent_at.popitem(last=False)


def _body(wanted: Wanted, *, key: str) -> dict[str, Json]:
    body: dict[str, Json] = {"channel": wanted.place.channel}
    if wanted.deed is not Deed.DELETE:
        body |= body_of(wanted.text, mention=wanted.mention, key=key)
    if wanted.deed is Deed.REPLY:
        body["thread_ts"] = wanted.place.message_ts
    elif wanted.deed.changes_message:
        body["ts"] = wanted.place.message_ts
    return body
