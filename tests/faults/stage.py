"""A deployment in a folder, its bot as a real process, and those who speak to it over HTTP."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

from bot.cli.first_files import log_files, write
from bot.core.ids import ProposalId
from bot.core.leaf import Leaf
from bot.core.proposal import Proposal
from bot.ports.queries import Head, Leaves, LogHead, ProposalById, Proposals
from store.sqlite import SqliteStore
from tests.faults import target
from tests.faults.failpoints import DELAY_VARIABLE, NTH_VARIABLE, VARIABLE
from tests.faults.nursery import Born

DATABASE = "keyturn.sqlite3"
SETTINGS = "keyturn.yaml"
POLICY = "policy.yaml"
#: What a process that SIGKILL ended returns.
KILLED = -signal.SIGKILL
ANSWER_WITHIN_S = 30.0

#: How a target takes writes: with a key of ours, seen again by a look-up, or neither.
KINDS = ("keyed", "counted", "blind")

_HOLD = """
version: 1
rules:
  - id: notes
    verbs: ["note.*"]
    effect: {hold: {mode: confirm, expires: 30m, use_by: 15m}}
"""
_VERB = """
summary: Write a note
kind: write
resource: "note:{number}"
params: {type: object, required: [text], properties: {text: {type: string}}}
request: {method: POST, path: "/PLACE/notes/{resource.number}", body: {text: "{params.text}"}}
settles_after_s: 1
audience: {reach: organisation, who: Everybody at work}
say: {effect: Write a note}
reference: {pointer: /number}
"""
_MORE: Mapping[str, Mapping[str, Any]] = {
    "keyed": {
        "idempotency": {"header": "Idempotency-Key"},
        "lookup": {
            "path": "/keyed/notes",
            "found": {"each": "/notes", "where": {"/key": "{key}"}, "reference": "/number"},
        },
        "inspect": [{"path": "/keyed/latest", "take": {"etag": {"header": "ETag"}}}],
        "etag": "{seen.etag}",
    },
    "counted": {
        "lookup": {
            "path": "/counted/notes",
            "found": {
                "each": "/notes",
                "where": {"/text": "{params.text}"},
                "reference": "/number",
            },
            "absent": {"status": [200]},
        }
    },
    "blind": {},
}
_ENTRY_POINTS = """
[keyturn.stores]
fragile = tests.faults.failpoints:open_store
[keyturn.connectors]
fragile = tests.faults.failpoints:make_connector
[keyturn.chats]
board = tests.faults.failpoints:make_chat
"""


def write_plugin(folder: Path) -> Path:
    """Return a folder for PYTHONPATH that makes the wrappers known by name."""
    info = folder / "keyturn_faults-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keyturn-faults\nVersion: 0\n")
    (info / "entry_points.txt").write_text(_ENTRY_POINTS)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who is registered in a deployment. ``token`` is the agent's, ``person`` decides."""

    person: str
    agent: str
    token: str


@dataclass(slots=True, kw_only=True)
class Stage:
    """One deployment; ``target_url`` is the target's address without the case.

    The target keeps its record in ``folder`` too, or in ``record`` where that is another place.
    """

    folder: Path
    plugin: Path
    target_url: str
    known: Known | None = None
    record: Path | None = None
    agents_port: int = 0
    people_port: int = 0

    @property
    def at_target(self) -> Path:
        return self.record or self.folder

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def agents(self) -> str:
        return f"http://127.0.0.1:{self.agents_port}"

    @property
    def people(self) -> str:
        return f"http://127.0.0.1:{self.people_port}"

    @property
    def socket(self) -> Path:
        return self.folder / "admin.sock"

    @property
    def hold(self) -> Path:
        return self.at_target / target.HOLD

    def copied_to(self, folder: Path, *, record: Path | None = None) -> "Stage":
        """Return a deployment in *folder* that begins as this one is."""
        shutil.copytree(
            self.folder, folder, ignore=shutil.ignore_patterns("*.sock"), dirs_exist_ok=True
        )
        return Stage(
            folder=folder,
            plugin=self.plugin,
            target_url=self.target_url,
            known=self.known,
            record=record,
        ).with_settings()

    def with_settings(self, **changes: Any) -> Self:
        """Write the settings, with *changes* at their top level."""
        self.agents_port, self.people_port = free_port(), free_port()
        verbs = {
            f"note.{kind}": yaml.safe_load(_VERB.replace("PLACE", kind)) | _MORE[kind]
            for kind in KINDS
        }
        settings = {
            "deployment": "faults",
            "data_dir": ".",
            "policy": POLICY,
            "listeners": {
                "agents": {"port": self.agents_port},
                "people": {"port": self.people_port},
            },
            "store": {"type": "fragile"},
            "chats": {"board": {"folder": str(self.at_target)}, "web": {}},
            "connectors": {
                "notes": {
                    "type": "fragile",
                    "folder": str(self.at_target),
                    "base_url": f"{self.target_url}/{self.at_target.name}",
                    "allow_private": True,
                    "timeout_s": 20,
                    "verbs": verbs,
                }
            },
            **changes,
        }
        self.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / SETTINGS).write_text(yaml.safe_dump(settings))
        keys, policy = self.folder / "keys", self.folder / POLICY
        if not keys.exists():
            keys.mkdir(mode=0o700)
            (keys / "shelf.key").write_text(os.urandom(32).hex())
            (keys / "shelf.key").chmod(0o600)
            write(log_files(self.folder, deployment="faults"))
        if not policy.exists():
            policy.write_text(_HOLD)
        return self

    @asynccontextmanager
    async def bot(self, failpoint: str = "", *, delay_s: float = 0) -> AsyncIterator["BotProcess"]:
        """Run the bot until the end of the block; *failpoint* says where it kills itself."""
        bot = await BotProcess.start(self, failpoint, delay_s=delay_s)
        try:
            yield bot
        finally:
            await bot.stop()

    async def register(self, bot: "BotProcess", name: str = "dana") -> Known:
        """Return a new person and a new agent that acts for them."""
        person = await bot.admin("POST", "people", {"handle": name, "display_name": name.title()})
        agent = await bot.admin(
            "POST",
            "agents",
            {
                "name": f"{name}s-agent",
                "owner": person["id"],
                "purpose": "Writes notes",
                "principals": [person["id"]],
                "verbs": ["note.*"],
            },
        )
        return Known(person=person["id"], agent=agent["id"], token=agent["token"])

    async def remembered(self, proposal: str | None = None) -> "Remembered":
        """Return what the closed database says."""
        store = await SqliteStore.open(self.database, clock=WallClock())
        try:
            found = await store.read(Proposals(limit=100))
            leaves: list[Leaf] = []
            while more := await store.read(Leaves(start=len(leaves), limit=500)):
                leaves += more
            one = None if proposal is None else await store.read(ProposalById(ProposalId(proposal)))
            return Remembered(tuple(found), one, tuple(leaves), await store.read(Head()))
        finally:
            await store.close()


@dataclass(frozen=True, slots=True)
class Remembered:
    proposals: tuple[Proposal, ...]
    proposal: Proposal | None
    leaves: tuple[Leaf, ...]
    head: LogHead


class WallClock:
    """Implements :class:`bot.ports.clock.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class BotProcess:
    """A running `keyturn serve`; ``lines`` is what it has printed so far."""

    stage: Stage
    born: Born
    session: aiohttp.ClientSession
    admin_session: aiohttp.ClientSession
    lines: list[str] = field(default_factory=list)
    _reading: asyncio.Task[None] | None = None
    _heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    _is_silent: bool = False

    @classmethod
    async def start(
        cls,
        stage: Stage,
        failpoint: str = "",
        *,
        delay_s: float = 0,
        nth: int = 1,
        must_start: bool = True,
    ) -> Self:
        """Return the bot once it answers, or at once if it need not start."""
        born = Born(
            ["serve", "--config", str(stage.folder / SETTINGS)],
            environment={
                VARIABLE: failpoint,
                DELAY_VARIABLE: str(delay_s),
                NTH_VARIABLE: str(nth),
                "COLUMNS": "500",
            },
            path=stage.plugin,
            folder=stage.folder,
        )
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        bot = cls(
            stage,
            born,
            aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)),
            aiohttp.ClientSession(
                timeout=timeout, connector=aiohttp.UnixConnector(path=str(stage.socket))
            ),
        )
        bot._reading = asyncio.create_task(bot._read())
        if must_start:
            try:
                await bot.says("Keyturn is running")
            except BaseException:
                await bot.stop()
                raise
        return bot

    async def _read(self) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream),
            os.fdopen(os.dup(self.born.said.fileno()), "rb", buffering=0),
        )
        async for line in stream:
            async with self._heard:
                self.lines.append(line.decode())
                self._heard.notify_all()
        transport.close()
        async with self._heard:
            self._is_silent = True
            self._heard.notify_all()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    async def says(self, words: str) -> None:
        """Return as soon as the process has printed *words*."""
        async with asyncio.timeout(ANSWER_WITHIN_S), self._heard:
            await self._heard.wait_for(lambda: words in self.log or self._is_silent)
        assert words in self.log, self.log

    async def ended(self) -> int:
        """Return the exit code, once the process has ended."""
        assert self._reading is not None
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await asyncio.shield(self._reading)
            while self.born.code is None:
                await _readable(self.born.sentinel)
        return self.born.code

    async def stop(self) -> None:
        """End the process politely, and give everything back."""
        try:
            if self.born.code is None:
                self.born.terminate()
            await self.ended()
        except TimeoutError:
            self.born.kill()
            await self.ended()
            raise
        finally:
            await self.session.close()
            await self.admin_session.close()
            self.born.close()

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        async with self.admin_session.request(
            method, f"http://keyturn/v1/admin/{path}", json=body
        ) as answer:
            return await answer.json(content_type=None)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        body: object = None,
        **headers: str,
    ) -> "Answer":
        """Ask the agents' listener."""
        known = self.stage.known
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token or known is not None:
            sent["Authorization"] = f"Bearer {token or (known.token if known else '')}"
        async with self.session.request(
            method, self.stage.agents + path, json=body, headers=sent
        ) as answer:
            return Answer(answer.status, await answer.json(content_type=None), answer.content_type)

    async def submit(
        self,
        kind: str = "blind",
        *,
        key: str = "k",
        text: str = "hello",
        token: str = "",
        **more: Any,
    ) -> "Answer":
        action = {"verb": f"note.{kind}", "resource": "note:1", "params": {"text": text}}
        body = {"action": action, **more}
        return await self.ask("POST", "/v1/proposals", token=token, body=body, Idempotency_Key=key)

    async def read(self, proposal: str, *, wait_s: int = 0, token: str = "") -> "Answer":
        headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        return await self.ask("GET", f"/v1/proposals/{proposal}", token=token, **headers)

    async def press(
        self, proposal: Mapping[str, Any], button: str, *, person: str = "", note: str = ""
    ) -> dict[str, Any]:
        """Press *button* on the board's card of *proposal*."""
        known = self.stage.known
        sent = {
            "person": person or (known.person if known else ""),
            "proposal": proposal["id"],
            "digest": proposal["digest"].removeprefix("sha256:")[:32],
            "button": button,
            "note": note,
        }
        async with self.session.post(f"{self.stage.people}/board/press", json=sent) as answer:
            assert answer.status == 200, await answer.text()
            pressed: dict[str, Any] = await answer.json()
            return pressed

    async def is_shown(self, proposal: str, state: str) -> bool:
        """Return whether a card of *proposal* comes to show *state*."""
        async with self.session.get(f"{self.stage.people}/board/{proposal}/{state}") as answer:
            return bool(await answer.json())


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    media_type: str

    @property
    def code(self) -> str:
        """The code of the problem that this is."""
        assert self.media_type == "application/problem+json", self.body
        assert self.body["remedy"].endswith("."), self.body
        return str(self.body["code"])


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
