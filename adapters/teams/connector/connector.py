"""The connector itself: four verbs on messages in the channels of one organisation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.teams.connector.client import Answer, Client
from adapters.teams.connector.message import activity_of
from adapters.teams.connector.observe import Observer
from adapters.teams.connector.outcome import outcome_of
from adapters.teams.connector.params import Deed, Reader, Wanted
from adapters.teams.connector.place import Place, is_message_id
from adapters.teams.connector.words import preview_of
from bot.core.canonical import Json
from bot.core.errors import KeyturnError, UnknownVerb
from bot.core.proposal import Action
from bot.core.verbs import Facts, Preview, Verb
from bot.ports.clock import Clock
from bot.ports.connector import Executed, Failed, LookedUp, Unknown

#: Left of the deadline for what follows the answer.
MARGIN_S: Final = 0.25


class TeamsConnector:
    """Writes in Teams as one bot. Built by `adapters.teams.connector.create`."""

    def __init__(
        self,
        *,
        name: str,
        verbs: Mapping[str, Verb],
        reader: Reader,
        client: Client,
        app_id: str,
        tenant: str,
        undo_window_s: int,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._name = name
        self._verbs = verbs
        self._reader = reader
        self._client = client
        self._observer = Observer(client, tenant=tenant, timeout_s=timeout_s)
        self._app_id = app_id
        self._tenant = tenant
        self._undo_window_s = undo_window_s
        self._timeout_s = timeout_s
        self._clock = clock

    def __repr__(self) -> str:
        return f"TeamsConnector({self._name!r}, verbs={sorted(self._verbs)!r})"

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
        place, params = wanted.place, dict[str, Json]()
        if wanted.deed is Deed.EDIT:
            if wanted.replaces is None:
                return None
            params = {"text": wanted.replaces, "replaces": wanted.text}
        else:
            if not is_message_id(reference):
                return None
            is_post = wanted.deed is Deed.POST
            place = Place(
                team=place.team,
                channel=place.channel,
                post=reference if is_post else place.post,
                reply=None if is_post else reference,
            )
            params = {"says": wanted.text}
        return Action(verb=self._reader.name_of(undone_by), resource=str(place), params=params)

    async def execute(
        self,
        action: Action,
        *,
        key: str,  # noqa: ARG002 - the Bot Connector takes none
        etag: str | None,  # noqa: ARG002 - nor a condition
        deadline: datetime,
    ) -> Executed:
        try:
            wanted = self._wanted(action)
        except KeyturnError as error:
            return Failed(reason=error.code, detail=f"{error.message}. Nothing was sent.")
        left_s = (deadline - self._clock.now()).total_seconds() - MARGIN_S
        within_s = min(left_s, self._timeout_s)
        if within_s <= 0:
            return Failed(reason="timeout", detail="There was no time left. Nothing was sent.")
        return outcome_of(await self._write(wanted, within_s=within_s), wanted)

    async def lookup(
        self,
        action: Action,  # noqa: ARG002 - whatever it is
        *,
        key: str,  # noqa: ARG002 - the same
    ) -> LookedUp:
        return Unknown(detail="Teams lets no bot read a channel. Look there yourself.")

    async def close(self) -> None:
        await self._client.close()

    async def _write(self, wanted: Wanted, *, within_s: float) -> Answer:
        place, write = wanted.place, self._client.write
        match wanted.deed:
            case Deed.POST:
                body = self._thread(place.channel, wanted.text)
                return await write("POST", "conversations", body=body, within_s=within_s)
            case Deed.REPLY:
                body = activity_of(wanted.text)
                return await write("POST", *_thread_of(place), body=body, within_s=within_s)
            case Deed.EDIT:
                body = {**activity_of(wanted.text), "id": place.message}
                return await write("PUT", *_message_at(place), body=body, within_s=within_s)
            case Deed.DELETE:
                return await write("DELETE", *_message_at(place), body=None, within_s=within_s)

    def _thread(self, channel: str, text: str) -> dict[str, Json]:
        return {
            "isGroup": True,
            "bot": {"id": f"28:{self._app_id}"},
            "tenantId": self._tenant,
            "channelData": {"channel": {"id": channel}, "tenant": {"id": self._tenant}},
            "activity": activity_of(text),
        }

    def _deed(self, action: Action) -> Deed:
        try:
            return self._reader.deeds[action.verb]
        except KeyError:
            raise UnknownVerb(f"the connector {self._name} has no such verb") from None

    def _wanted(self, action: Action) -> Wanted:
        self._deed(action)
        return self._reader.read(action)


def _thread_of(place: Place) -> tuple[str, ...]:
    return ("conversations", place.thread, "activities")


def _message_at(place: Place) -> tuple[str, ...]:
    return (*_thread_of(place), place.message)
