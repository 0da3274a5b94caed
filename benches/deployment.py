"""The real bot: `keyturn serve` on a disk, with people, agents and a policy of 100 rules."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benches.body import VERB
from benches.process import Server, free_port, running
from bot.cli.admin import speaking
from bot.cli.first_files import log_files, write
from bot.keys import SHELF_KEY, SHELF_KEY_BYTES
from bot.settings import load

#: What the command `keyturn` runs, also where it is not installed.
_KEYTURN: Final = (sys.executable, "-c", "from bot.cli import main; main()")

RULES: Final = 100
PEOPLE: Final = 4
AGENTS: Final = 32

_SETTINGS: Final = """\
deployment: benches
data_dir: data
policy: policy.yaml
listeners:
  agents: {{port: {agents}}}
  people: {{port: {people}}}
  admin: {{port: {admin}}}
chats:
  web: {{}}
  clicks: {{socket: {clicks}}}
connectors:
  notebook: {{type: notebook}}
caps:
  pending_per_agent: 1000000000
  pending_per_principal: 1000000000
  submits_per_minute: 1000000000
  requests_per_second: 1000000
  waits_per_agent: 1000000
"""
_HOLD: Final = """\
  - id: notes
    verbs: [note.*]
    resources: ["note:eng-*"]
    where: {params.text: {len_le: 5000}}
    effect: {hold: {mode: confirm, expires: 1h, use_by: 15m}}
"""
#: Rules that do not match, in the ways in which people write rules.
_OTHER_SHAPES: Final = (
    "verbs: [forum{i}.post], effect: {{hold: {{}}}}",
    "verbs: [forum{i}.*], resources: ['forum:*'], effect: allow",
    "verbs: [note.write], agents: [other-{i}], effect: {{hold: {{}}}}",
    "verbs: ['*'], agents: [other-{i}], where: {{params.text: {{len_le: 99}}}}, effect: allow",
    "verbs: [note.*], resources: ['note:team-{i}/*'], effect: {{deny: Closed.}}",
)
_ENTRY_POINTS: Final = """\
[keyturn.chats]
clicks = benches.plug_ins:clicks
[keyturn.connectors]
notebook = benches.plug_ins:notebook
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The files of one deployment, and who is registered in it.

    ``tokens`` are the agents' own; the agent at a place acts for ``principals`` at that place.
    """

    folder: Path
    port: int
    people_port: int
    tokens: list[str] = field(default_factory=list, repr=False)
    principals: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "keyturn.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "keyturn.sqlite3"

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Run `keyturn serve` as it is, with our plug-ins beside it.

        Raises:
            DidNotStart: with what it said.
        """
        python_path = os.pathsep.join((str(self.folder / "plug-ins"), str(Path.cwd())))
        with running(
            [*_KEYTURN, "serve", "--config", str(self.config)],
            port=self.port,
            log=self.folder / "bot.log",
            environment={"PYTHONPATH": python_path},
        ) as server:
            yield server

    @contextmanager
    def clicking(self) -> Iterator[socket.socket]:
        """Connect to the chat that takes clicks."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.path.relpath(self.folder / "clicks.sock"))
            yield connection

    def register(self) -> None:
        """Register people and agents with the running bot, over the operator's socket."""
        asyncio.run(self._register())

    def metric(self, name: str) -> float:
        """Return what the running bot counts under *name*; 0 where it counts nothing."""
        with socket.socket(socket.AF_UNIX) as operator:
            operator.connect(os.path.relpath(load(self.config).admin_socket))
            operator.sendall(b"GET /metrics HTTP/1.0\r\nHost: keyturn\r\n\r\n")
            said = operator.makefile("rb").read().decode()
        found = (line for line in said.splitlines() if line.startswith(f"{name} "))
        return float(next(found, "0").split()[-1])

    def sign_in_link(self, person: str) -> str:
        return asyncio.run(self._sign_in_link(person))

    async def _register(self) -> None:
        settings = load(self.config)
        async with speaking(settings, settings.admin_socket) as api:
            people: list[str] = []
            for n in range(PEOPLE):
                body = {"handle": f"person-{n}", "display_name": f"Person {n}"}
                people.append((await api.post("people", body=body))["id"])
            for n in range(AGENTS):
                principal = people[n % PEOPLE]
                agent = await api.post(
                    "agents",
                    body={
                        "name": f"agent-{n}",
                        "owner": people[0],
                        "purpose": "Is measured",
                        "principals": [principal],
                        "verbs": [VERB],
                    },
                )
                self.tokens.append(agent["token"])
                self.principals.append(principal)

    async def _sign_in_link(self, person: str) -> str:
        settings = load(self.config)
        async with speaking(settings, settings.admin_socket) as api:
            link: str = (await api.post("people", person, "sign-in-link"))["url"]
            return link


def new_deployment(folder: Path) -> Deployment:
    """Write everything that a bot in *folder* starts with."""
    ports = {name: free_port() for name in ("agents", "people", "admin")}
    plug_ins = folder / "plug-ins" / "keyturn_benches-0.dist-info"
    for path in (folder, folder / "data", folder / "data" / "keys", plug_ins):
        path.mkdir(mode=0o700, parents=True)
    for path, text in (
        (folder / "keyturn.yaml", _SETTINGS.format(**ports, clicks=folder / "clicks.sock")),
        (folder / "policy.yaml", _policy()),
        (folder / "data" / "keys" / SHELF_KEY, secrets.token_hex(SHELF_KEY_BYTES)),
        (plug_ins / "METADATA", "Metadata-Version: 2.1\nName: keyturn-benches\nVersion: 0\n"),
        (plug_ins / "entry_points.txt", _ENTRY_POINTS),
    ):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    write(log_files(folder / "data", deployment="benches"))
    return Deployment(folder=folder, port=ports["agents"], people_port=ports["people"])


def _policy() -> str:
    others: Sequence[str] = [
        f"  - {{id: rule-{i}, {_OTHER_SHAPES[i % len(_OTHER_SHAPES)].format(i=i)}}}\n"
        for i in range(RULES - 1)
    ]
    half = RULES // 2
    return "version: 1\nrules:\n" + "".join([*others[:half], _HOLD, *others[half:]])
