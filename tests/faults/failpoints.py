"""Places where the bot kills itself: wrappers of its ports, loaded by name like any other.

The settings of a case name this module's store, chat and connector (see ``stage.py``). What is to
happen is said by the environment: ``KEYTURN_FAILPOINT="after commit execution.intent"``, and
``KEYTURN_FAILPOINT_NTH`` if not at the first time. Without it the wrappers only pass on.
"""

import asyncio
import json
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from bot.chosen import Surroundings, choose_connector
from bot.chosen import open_store as open_chosen
from bot.core.card import Button, Card
from bot.core.effects import EffectKind, Lease
from bot.core.erasure import Erased, Erasure
from bot.core.ids import PersonId, ProposalId
from bot.core.notice import Notice
from bot.core.proposal import Action
from bot.core.step import Ask, Committed, Snapshot, Step, Transition
from bot.core.verbs import Facts, Preview, Verb
from bot.ports.chat import CardRef, Undeliverable
from bot.ports.clock import Clock
from bot.ports.connector import Connector, Executed, LookedUp
from bot.ports.desk import Click, Desk, NotRecorded, Recorded
from bot.ports.queries import Query
from bot.ports.shelf import Shelf
from bot.ports.store import Change, Store
from bot.secret_refs import Secrets
from store.sqlite import SqliteStore

T = TypeVar("T")

log = logging.getLogger(__name__)

VARIABLE = "KEYTURN_FAILPOINT"
#: Ends nothing: the log tells when a write has arrived at the target.
TELL_ARRIVAL = "tell arrival"
DELAY_VARIABLE = "KEYTURN_FAILPOINT_DELAY_S"
NTH_VARIABLE = "KEYTURN_FAILPOINT_NTH"
CARDS = "cards.jsonl"
RECORD = "record.jsonl"


_times = count(1)


def is_time(place: str) -> bool:
    """Return whether *place* is where this process has to end, and this the time that counts."""
    if os.environ.get(VARIABLE) != place:
        return False
    return next(_times) >= int(os.environ.get(NTH_VARIABLE, "1"))


def reach(place: str) -> None:
    """End this process, as a power cut would, if it is time."""
    if is_time(place):
        os.kill(os.getpid(), signal.SIGKILL)


async def open_store(
    *, data_dir: Path, shelf_keys: Sequence[bytes], clock: Clock
) -> tuple[Store, Shelf]:
    store, shelf = await open_chosen(
        "sqlite", data_dir=data_dir, shelf_keys=shelf_keys, clock=clock
    )
    assert isinstance(store, SqliteStore)
    return FragileStore(store), shelf


class FragileStore:
    """Dies before, inside or after the commit of a type of leaf, or of work that is done."""

    def __init__(self, inner: SqliteStore) -> None:
        self._inner = inner
        self._is_armed = False
        if os.environ.get(VARIABLE, "").startswith("inside commit "):
            inner._connections.writing.set_trace_callback(self._seen)

    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        names: list[str] = []

        def watched(snapshot: Snapshot) -> Step[T]:
            made = step(snapshot)
            names[:] = _names(made) if isinstance(made, Transition) else []
            for name in names:
                reach(f"before commit {name}")
                if is_time(f"inside commit {name}"):
                    self._is_armed = True
            return made

        committed = await self._inner.transact(ask, watched)
        for name in names:
            reach(f"after commit {name}")
        return committed

    def _seen(self, statement: str) -> None:
        if self._is_armed and statement == "COMMIT":
            # The statement runs without the interpreter's lock, so the thread gets its turn.
            threading.Thread(target=_die_soon).start()

    async def lease(self, kinds: Sequence[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        return await self._inner.lease(kinds, limit=limit, for_s=for_s)

    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        return await self._inner.erase(erasure)

    async def read(self, query: Query[T]) -> T:
        return await self._inner.read(query)

    def watch(self, after: int | None = None) -> AsyncIterator[Change]:
        return self._inner.watch(after)

    async def close(self) -> None:
        await self._inner.close()


def _names(made: Transition[Any]) -> list[str]:
    return [
        *(leaf.type for leaf in made.leaves),
        *(f"did {lease.effect.kind.value}" for lease in made.done),
    ]


def _die_soon() -> None:
    time.sleep(float(os.environ.get(DELAY_VARIABLE, "0")))
    os.kill(os.getpid(), signal.SIGKILL)


def make_connector(
    name: str, section: Mapping[str, object], *, secrets: Secrets, clock: Clock
) -> Connector:
    own = {key: value for key, value in section.items() if key != "folder"} | {"type": "http"}
    return FragileConnector(
        choose_connector(name, own, secrets=secrets, clock=clock), Path(str(section["folder"]))
    )


class FragileConnector:
    """Dies before it asks, when the target has done it, or before it tells what the target said."""

    def __init__(self, inner: Connector, folder: Path) -> None:
        self._inner = inner
        self._record = folder / RECORD

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self._inner.verbs

    async def inspect(self, action: Action) -> Facts:
        return await self._inner.inspect(action)

    def preview(self, action: Action, facts: Facts) -> Preview:
        return self._inner.preview(action, facts)

    def undo(self, action: Action, *, reference: str | None) -> Action | None:
        return self._inner.undo(action, reference=reference)

    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: Any
    ) -> Executed:
        reach("before execute")
        executing = asyncio.ensure_future(
            self._inner.execute(action, key=key, etag=etag, deadline=deadline)
        )
        if os.environ.get(VARIABLE) in {"after arrival", TELL_ARRIVAL}:
            while not executing.done() and not self._record.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.001)
            reach("after arrival")
            log.warning("arrived at the target")
        executed = await executing
        reach("after execute")
        return executed

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        reach("before lookup")
        answer = await self._inner.lookup(action, key=key)
        reach("after lookup")
        return answer

    async def close(self) -> None:
        await self._inner.close()


def make_chat(name: str, section: Mapping[str, object], surroundings: Surroundings) -> "Board":
    return Board(name, Path(str(section["folder"])) / CARDS)


@dataclass(frozen=True, slots=True)
class Shown:
    proposal: str
    state: str
    status: str


class Board:
    """A chat whose server is a file: what was shown there outlives the bot.

    Its routes press buttons for whoever asks and tell when a card shows a state.
    """

    def __init__(self, name: str, file: Path) -> None:
        self._name = name
        self._file = file
        self._cards = read_cards(file)
        self._changed = asyncio.Condition()

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_chars(self) -> int:
        return 4000

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
        reach("before post")
        if key not in self._cards:
            await self._show(key, card)
        reach("after post")
        return CardRef(chat=self._name, person=to, where=key)

    async def replace(self, ref: CardRef, card: Card) -> None:
        reach("before replace")
        await self._show(ref.where, card)
        reach("after replace")

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:  # noqa: ARG002 - no channels
        raise Undeliverable("There are no channels.", reason="no_channels")

    async def run(self, desk: Desk) -> None:
        """Clicks come through the routes."""

    def routes(self, desk: Desk) -> Sequence[web.RouteDef]:
        async def press(request: web.Request) -> web.Response:
            sent = await request.json()
            pressed = await desk.press(
                Click(
                    person=PersonId(sent["person"]),
                    chat=self._name,
                    proposal=ProposalId(sent["proposal"]),
                    digest_prefix=sent["digest"],
                    button=Button(sent["button"]),
                    note=sent.get("note", ""),
                )
            )
            state = pressed.state if isinstance(pressed, Recorded | NotRecorded) else None
            return web.json_response(
                {
                    "recorded": isinstance(pressed, Recorded),
                    "code": getattr(pressed, "code", None),
                    "state": state,
                    "message": pressed.message,
                }
            )

        async def shown(request: web.Request) -> web.Response:
            wanted = (request.match_info["proposal"], request.match_info["state"])
            with suppress(TimeoutError):
                async with asyncio.timeout(10), self._changed:
                    await self._changed.wait_for(lambda: wanted in self._states())
            return web.json_response(wanted in self._states())

        return [
            web.post("/board/press", press),
            web.get("/board/{proposal}/{state}", shown),
        ]

    def _states(self) -> set[tuple[str, str]]:
        return {(shown.proposal, shown.state) for shown in self._cards.values()}

    async def _show(self, where: str, card: Card) -> None:
        shown = Shown(card.proposal, card.state.value, card.status)
        line = {"where": where, "proposal": shown.proposal, "state": shown.state}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | {"status": shown.status}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        async with self._changed:
            self._cards[where] = shown
            self._changed.notify_all()


def read_cards(file: Path) -> dict[str, Shown]:
    """Return what each card says now."""
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return {}
    return {line["where"]: Shown(line["proposal"], line["state"], line["status"]) for line in lines}
