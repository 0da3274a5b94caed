"""A real bot in a process of its own, whose every word and file is kept to be looked through."""

import http.client
import json
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from tests.cli.deployments import KEYTURN, START_WITHIN_S, Deployment, free_ports, make_deployment
from tests.secrets.canaries import KINDS, Canary, canary
from tests.secrets.mirror import Mirror, mirroring

#: A credential is one line, and these are not.
NO_CREDENTIALS = frozenset({"private_key"})
POLICY = """
version: 1
rules:
  - {id: go, verbs: ["*"], resources: ["thing:*"], effect: allow}
  - {id: ask, verbs: ["*"], resources: ["held:*"], effect: {hold: {mode: confirm}}}
  - {id: no, verbs: ["*"], resources: ["never:*"], effect: {deny: "Not this."}}
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer as it stood on the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def whole(self) -> bytes:
        head = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return f"{self.status}\n{head}\n\n".encode() + self.body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Trial:
    """``outbound`` is all that anybody was answered, but for what is shown once."""

    deployment: Deployment
    mirror: Mirror
    log: Path
    credentials: dict[str, Canary]
    token: str = ""
    admin_token: str = ""
    cookie: str = ""
    outbound: dict[str, bytes] = field(default_factory=dict)

    def ask(
        self,
        listener: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        shown_once: bool = False,
        read_bytes: int | None = None,
    ) -> Heard:
        port = self.deployment.ports[listener]
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            heard = Heard(answer.status, dict(answer.getheaders()), answer.read(read_bytes))
        if not shown_once:
            self.outbound[f"{uuid.uuid4()} {listener} {method} {path[:30]}"] = heard.whole
        return heard

    def as_agent(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "",
        token: str = "",
        **headers: str,
    ) -> Heard:
        sent = {"Authorization": f"Bearer {token or self.token}", **headers}
        if body is not None:
            sent |= {"Content-Type": "application/json"}
            sent |= {"Idempotency-Key": key or f"one-{uuid.uuid4()}"}
        data = None if body is None else json.dumps(body).encode()
        return self.ask("agents", method, path, headers=sent, body=data)

    def as_admin(self, method: str, path: str, body: object = None) -> Heard:
        sent = {"Authorization": f"Bearer {self.admin_token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return self.ask("admin", method, f"/v1/admin/{path}", headers=sent, body=data)

    def as_person(self, path: str, form: Mapping[str, str] | None = None) -> Heard:
        origin = f"http://127.0.0.1:{self.deployment.ports['people']}"
        sent = {"Cookie": self.cookie, "Origin": origin}
        if form is None:
            return self.ask("people", "GET", path, headers=sent)
        sent |= {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("people", "POST", path, headers=sent, body=urlencode(form).encode())

    def propose(self, verb: str, resource: str, text: object = "hello", **more: Any) -> Heard:
        action = {"verb": verb, "resource": resource, "params": {"text": text}}
        return self.as_agent("POST", "/v1/proposals", {"action": action, **more}, Prefer="wait=5")

    def sign_in(self) -> None:
        link = self.deployment.json("signin", "dana")["url"]
        code = urlsplit(link).fragment
        origin = f"http://127.0.0.1:{self.deployment.ports['people']}"
        heard = self.ask(
            "people",
            "POST",
            "/signin",
            headers={"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({"code": code}).encode(),
            shown_once=True,
        )
        assert heard.status in {302, 303}, heard
        self.cookie = heard.headers["Set-Cookie"].partition(";")[0]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        ran = self.deployment.run(*words)
        self.outbound[f"{len(self.outbound)} keyturn {words[0]}"] = (
            ran.stdout + ran.stderr
        ).encode()
        return ran

    def files(self) -> dict[str, bytes]:
        """Return every file of the deployment but those whose purpose is to hold a secret."""
        home = self.deployment.home
        return {
            str(path.relative_to(home)): path.read_bytes()
            for path in sorted(home.rglob("*"))
            if path.is_file() and path.parent.name not in {"keys", "credentials"}
        }


@contextmanager
def trying(folder: Path) -> Iterator[Trial]:
    with mirroring() as mirror:
        deployment = make_deployment(folder / "data")
        credentials = {kind: canary(kind) for kind in KINDS if kind not in NO_CREDENTIALS}
        _configure(deployment, mirror, credentials)
        trial = Trial(deployment, mirror, folder / "log.txt", credentials)
        with serving(trial):
            deployment.done("person", "create", "dana", "--role", "admin")
            words = ("--owner", "dana", "--purpose", "Tries", "--for", "dana", "--verb", "*")
            trial.token = deployment.json("agent", "create", "trier", *words)["token"]
            trial.admin_token = deployment.json("person", "admin-token", "dana")["token"]
            trial.sign_in()
            yield trial


@contextmanager
def serving(trial: Trial) -> Iterator[None]:
    """Run `keyturn serve` meanwhile; all that it prints is in the trial's log."""
    process = subprocess.Popen(
        [KEYTURN, "serve"],
        env=trial.deployment.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    ready = threading.Event()
    reader = threading.Thread(target=_keep, args=(process, trial.log, ready))
    reader.start()
    try:
        assert ready.wait(START_WITHIN_S)
        assert process.poll() is None, trial.log.read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_WITHIN_S)
        reader.join()


def _keep(process: "subprocess.Popen[bytes]", log: Path, ready: threading.Event) -> None:
    assert process.stdout is not None
    with process.stdout, log.open("ab", buffering=0) as kept:
        for line in process.stdout:
            kept.write(line)
            if b"Ctrl-C stops the bot" in line:
                ready.set()
    ready.set()


def _configure(deployment: Deployment, mirror: Mirror, credentials: Mapping[str, Canary]) -> None:
    folder = deployment.home / "credentials"
    folder.mkdir(mode=0o700)
    sections = {}
    for number, (kind, one) in enumerate(credentials.items()):
        if number % 2:
            reference = f"env:CANARY_{kind.upper()}"
            deployment.environment[f"CANARY_{kind.upper()}"] = one.value
        else:
            file = folder / kind
            file.touch(mode=0o600)
            file.write_text(one.value)
            reference = f"file:{file}"
        send: object = ["bearer", {"header": "X-Api-Key"}][number % 3 == 0]
        sections[kind] = _connector(mirror, kind, reference, send)
    settings = yaml.safe_load(deployment.config.read_text())
    deployment.ports["admin"] = free_ports(1)[0]
    settings["connectors"] = sections
    settings["listeners"]["admin"] = {"host": "127.0.0.1", "port": deployment.ports["admin"]}
    settings["log"] = {"level": "debug", "format": "json"}
    settings["caps"] = {"submits_per_minute": 100_000, "pending_per_agent": 1_000}
    deployment.config.write_text(yaml.safe_dump(settings))
    (deployment.home / "policy.yaml").write_text(POLICY)


def _connector(mirror: Mirror, kind: str, reference: str, send: object) -> dict[str, object]:
    return {
        "type": "http",
        "base_url": mirror.url,
        "allow_private": True,
        "credential": {"reference": reference, "send": send},
        "timeout_s": 1,
        "verbs": {
            f"{kind}.write": {
                "summary": "Write something",
                "kind": "write",
                "resource": "{place}:{mode}",
                "params": {
                    "type": "object",
                    "required": ["text"],
                    "properties": {"text": {}},
                },
                "request": {
                    "method": "POST",
                    "path": "/{resource.place}/{resource.mode}",
                    "body": {"text": "{params.text}"},
                },
                "inspect": [
                    {
                        "path": "/{resource.place}/{resource.mode}",
                        "take": {"title": "/title", "etag": {"header": "ETag"}},
                    }
                ],
                "before": {"title": "{seen.title}"},
                "audience": {"reach": "public", "who": "Everybody"},
                "say": {"effect": "Write over “{before.title}”", "target": "Thing {resource.mode}"},
                "reference": {"pointer": "/id"},
            }
        },
    }
