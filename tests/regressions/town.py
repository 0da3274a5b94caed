"""A deployment with people, agents and a wiki, and its bot as a real process."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bot.cli.first_files import log_files, write
from tests.regressions.seats import Seat
from tests.regressions.wiki import CREDENTIAL, Wiki

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 30.0
#: As if `keyturn` were typed, with the sources of this tree.
_COMMAND = "import sys; sys.argv[0] = 'keyturn'; from bot.cli import main; main()"
_VERBS = ("page.write", "page.share", "page.publish", "page.wipe", "page.free", "page.stray")
_VERB = """
summary: Write a page
kind: write
resource: "page:{name}"
params:
  type: object
  required: [text]
  properties:
    text: {type: string}
    visibility: {enum: [team, public]}
    tags: {type: object, additionalProperties: {type: string}}
request:
  method: PUT
  path: "/pages/{resource.name}"
  body:
    text: "{params.text}"
    visibility: "{params.visibility}"
    tags: "{params.tags}"
    key: "{key}"
lookup: {path: "/writes/{key}", found: {reference: /page}}
settles_after_s: 1
inspect:
  - {path: "/pages/{resource.name}", must_exist: false, take: {text: /text, etag: {header: ETag}}}
before: {text: "{seen.text}"}
etag: "{seen.etag}"
audience:
  of: "{params.visibility}"
  cases:
    public: {reach: public, who: Anyone on the internet}
    team: {reach: organisation, who: Everybody at work}
say: {effect: "Write the page {resource.name}", target: The wiki, reversible: The old text is kept.}
reference: {pointer: /page}
"""
_POLICY = """
version: 1
rules:
  - {id: writing, verbs: [page.write], effect: {hold: {expires: 30m, use_by: 15m}}}
  - id: sharing
    verbs: [page.share]
    effect: {hold: {mode: four_eyes, approvers: ["group:reviewers", "group:editors"], count: 2}}
  - {id: publishing, verbs: [page.publish], effect: {hold: {approvers: ["group:ghosts"]}}}
  - {id: wiping, verbs: [page.wipe], effect: {deny: pages are wiped by people}}
  - {id: drafts, verbs: [page.free], effect: allow}
"""
_GROUPS = {
    "reviewers": ["rhea", "omar", "dana", "owen"],
    "editors": ["rhea"],
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The code of the problem that this is."""
        assert self.headers["Content-Type"] == "application/problem+json", self.raw
        return str(self.body["code"])


@dataclass(frozen=True, slots=True)
class Agent:
    """A program that holds its token and nothing else."""

    town: "Town"
    id: str
    name: str
    token: str = field(repr=False)

    def ask(
        self, method: str, path: str, body: object = None, *, listener: str = "agents", **more: str
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return self.town.ask(listener, method, path, body, headers)

    def submit(
        self,
        page: str,
        text: str = "hello",
        *,
        verb: str = "page.write",
        key: str = "",
        params: Mapping[str, Any] | None = None,
        wait_s: int = 0,
        **more: Any,
    ) -> Answer:
        action = {
            "verb": verb,
            "resource": f"page:{page}",
            "params": {"text": text, **(params or {})},
        }
        return self.ask(
            "POST",
            "/v1/proposals",
            {"action": action, **more},
            Idempotency_Key=key or f"key-{next(_numbers)}",
            **({"Prefer": f"wait={wait_s}"} if wait_s else {}),
        )

    def propose(self, page: str, text: str = "hello", **more: Any) -> dict[str, Any]:
        """Return a proposal that now waits for a person."""
        answer = self.submit(page, text, **more)
        assert answer.status == 202, answer.raw
        proposal: dict[str, Any] = answer.body
        assert proposal["state"] == "pending", proposal
        return proposal

    def read(self, proposal: Mapping[str, Any], *, wait_s: int = 0) -> dict[str, Any]:
        wait = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        answer = self.ask("GET", f"/v1/proposals/{proposal['id']}", **wait)
        assert answer.status in {200, 202}, answer.raw
        read: dict[str, Any] = answer.body
        return read

    def finally_(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        """Return *proposal* once it can change no more by itself."""
        return until(lambda: self.read(proposal, wait_s=20), lambda now: now["state"] not in _OPEN)


#: What the wiki can be asked about does not stay in doubt.
_OPEN = {"pending", "approved", "executing", "in_doubt"}
_numbers = count(1)


def page_name(about: str) -> str:
    """Return the name of a page that no other test writes to."""
    return f"{about}-{next(_numbers)}"


@dataclass(slots=True)
class Town:
    """``folder`` holds the settings and all data; ``agents`` and ``people`` are ports."""

    folder: Path
    wiki: Wiki
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    _drain: threading.Thread | None = None
    _auditor: str = ""

    @property
    def people_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['people']}"

    def build(self, *, policy: str = _POLICY, **changes: Any) -> None:
        """Write the settings, with *changes* at their top level."""
        self.ports = {name: _free_port() for name in ("agents", "people", "admin")}
        settings = {
            "deployment": "town",
            "data_dir": ".",
            "policy": "policy.yaml",
            "groups": "groups.yaml",
            "public_url": self.people_url,
            "listeners": {name: {"port": port} for name, port in self.ports.items()},
            "connectors": {
                "wiki": {
                    "type": "http",
                    "base_url": self.wiki.url,
                    "allow_private": True,
                    "credential": {"reference": "env:WIKI_CREDENTIAL", "send": "bearer"},
                    "timeout_s": 5,
                    "verbs": {name: yaml.safe_load(_VERB) for name in _VERBS},
                }
            },
            **changes,
        }
        keys = self.folder / "keys"
        if not keys.exists():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            keys.mkdir(mode=0o700)
            (keys / "shelf.key").write_text(os.urandom(32).hex())
            (keys / "shelf.key").chmod(0o600)
            write(log_files(self.folder, deployment="town"))
        (self.folder / "keyturn.yaml").write_text(yaml.safe_dump(settings))
        (self.folder / "policy.yaml").write_text(policy)
        (self.folder / "groups.yaml").write_text(yaml.safe_dump({"groups": _GROUPS}))

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._words(*words),
            env=self._environment() | environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
            text=True,
            timeout=WITHIN_S,
        )

    def start(self) -> None:
        """Run `keyturn serve`, and return once it answers."""
        self.process = subprocess.Popen(
            self._words("serve"),
            env=self._environment(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        is_ready = False
        for line in self.process.stdout:
            self.said.append(line)
            if is_ready := "Ctrl-C stops the bot" in line:
                break
        self._drain = threading.Thread(target=self.said.extend, args=(self.process.stdout,))
        self._drain.start()
        if not is_ready:
            self.stop()
        assert is_ready, "keyturn serve ended: " + "".join(self.said)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.process
        if process is None:
            return
        process.send_signal(how)
        process.wait(WITHIN_S)
        assert self._drain is not None
        assert process.stdout is not None
        self._drain.join()
        process.stdout.close()
        self.process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def ask(
        self,
        listener: str,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return what a listener answers; redirects are not followed."""
        sent = dict(headers or {})
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[listener], timeout=WITHIN_S)
        with closing(connection):
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def operator(self, method: str, path: str, body: object = None) -> Any:
        """Ask the admin socket, as the commands do."""
        connection = http.client.HTTPConnection("keyturn", timeout=WITHIN_S)
        with closing(connection), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.folder / "admin.sock"))
            connection.sock = line
            sent = {} if body is None else {"Content-Type": "application/json"}
            data = None if body is None else json.dumps(body)
            connection.request(method, f"/v1/admin/{path}", data, sent)
            answer = connection.getresponse()
            told = json.load(answer)
            assert answer.status < 300, told
            return told

    def person(self, handle: str, display_name: str = "", *roles: str) -> str:
        """Return the id of a person, registered now if need be."""
        for known in self.operator("GET", "people")["people"]:
            if known["handle"] == handle:
                return str(known["id"])
        body = {"handle": handle, "display_name": display_name or handle.title(), "roles": roles}
        return str(self.operator("POST", "people", body)["id"])

    def seat(self, handle: str) -> Seat:
        """Return a browser in which the person has just signed in."""
        link = self.operator("POST", f"people/{handle}/sign-in-link", {})["url"]
        seat = Seat(self.people_url)
        seat.sign_in(link.partition("#")[2])
        return seat

    def agent(
        self, *, principal: str = "dana", owner: str = "owen", verbs: str = "page.*"
    ) -> Agent:
        """Return an agent of its own for one test."""
        body = {
            "name": f"clerk-{next(_numbers)}",
            "owner": self.person(owner),
            "purpose": "Keeps the wiki tidy",
            "principals": [self.person(principal)],
            "verbs": [verbs],
        }
        told = self.operator("POST", "agents", body)
        return Agent(self, told["id"], told["name"], told["token"])

    def waiting(self) -> int:
        """Return how many requests wait with their connection open."""
        token = self._auditor or self.operator("POST", "people/ada/admin-token", {})["token"]
        self._auditor = token
        headers = {"Authorization": f"Bearer {token}"}
        text = self.ask("admin", "GET", "/metrics", headers=headers).raw.decode()
        (count,) = re.findall(r"(?m)^keyturn_waiting_requests (\d+)", text)
        return int(count)

    def kept(self) -> bytes:
        """Return the bytes of every file of the deployment, and all that the bot has said."""
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        return b"".join(map(_bytes, files)) + "".join(self.said).encode()

    def recorded(self, proposal: Mapping[str, Any]) -> Any:
        """Return all that is kept about *proposal*, people included."""
        return self.operator("GET", f"proposals/{proposal['id']}")

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-c", _COMMAND, *words]

    def _environment(self) -> dict[str, str]:
        known = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        return {
            **known,
            "PYTHONPATH": str(ROOT),
            "KEYTURN_HOME": str(self.folder),
            "WIKI_CREDENTIAL": CREDENTIAL,
            "COLUMNS": "500",
        }


@contextmanager
def open_town(folder: Path, wiki: Wiki, **settings: Any) -> Iterator[Town]:
    """Run a bot with its people until the block ends."""
    town = Town(folder, wiki)
    town.build(**settings)
    town.start()
    try:
        town.person("dana", "Dana Ruiz")
        town.person("twin", "Dana Ruiz")
        town.person("ada", "Ada Alt", "admin")
        for handle in ("rhea", "omar", "owen"):
            town.person(handle)
        yield town
    finally:
        town.stop()
    assert "Traceback" not in "".join(town.said), "".join(town.said)


def until(look: Callable[[], T], is_so: Callable[[T], bool], *, within_s: float = WITHIN_S) -> T:
    """Return what *look* sees once it is so."""
    end = time.monotonic() + within_s
    pause = threading.Event()
    while not is_so(seen := look()):
        assert time.monotonic() < end, seen
        pause.wait(0.02)
    return seen


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Return what *acts* return when they all begin in the same moment."""
    start = threading.Barrier(len(acts))
    results: dict[int, T] = {}

    def run(number: int, act: Callable[[], T]) -> None:
        start.wait()
        results[number] = act()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(acts))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # replaced meanwhile, by one that is read too
        return b""


def plain(text: str) -> str:
    """Return *text* with every run of blanks as one space."""
    return re.sub(r"\s+", " ", text).strip()
