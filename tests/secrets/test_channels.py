"""No secret comes out of webhooks, mail, event streams, broken requests or a listener's TLS."""

import base64
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.deployments import free_ports, make_deployment
from tests.secrets.acts import PLACES, _hidden
from tests.secrets.canaries import HEAD, KINDS, canary, opaque
from tests.secrets.clerk import USER, Clerk, clerk
from tests.secrets.key_files import key_and_certificate
from tests.secrets.mirror import Mirror, mirroring
from tests.secrets.scanner import Scanner
from tests.secrets.trial import Trial, serving

REFUSED = ("AUTH", "MAIL", "RCPT", "DATA", "END", "AUTH, in no words of SMTP")
POLICY = """
version: 1
rules:
  - {id: go, verbs: ["*"], resources: ["mail:*"], effect: allow}
"""
HOLDS = POLICY.replace("allow", "{hold: {mode: confirm}}")
MAIL: dict[str, Any] = {
    "verb": "mail.send",
    "resource": f"mail:{USER}",
    "params": {"to": ["ana@example.org"], "subject": "Hello", "text": "Hello\n"},
}


@dataclass
class Channels:
    """``told`` is what webhooks and streams said; ``scanner`` knows what has no mark."""

    trial: Trial
    clerk: Clerk
    receiver: Mirror
    key_file: Path
    scanner: Scanner = field(default_factory=Scanner)
    outcomes: list[Any] = field(default_factory=list)
    streams: dict[str, bytes] = field(default_factory=dict)
    broken: list[bytes] = field(default_factory=list)
    signing: list[str] = field(default_factory=list)
    backup: Path = Path()


class _Socket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("keyturn", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    folder = tmp_path_factory.mktemp("channels")
    with clerk(opaque("mail")) as mail, mirroring() as receiver:
        trial = Trial(make_deployment(folder / "data"), Mirror(0), folder / "log.txt", {})
        made = Channels(trial, mail, receiver, trial.deployment.home / "credentials" / "tls.key")
        _configure(made)
        with serving(trial):
            _begin(made)
            _mails(made)
            _streams(made)
            _broken_requests(made)
            _commands(made, folder)
            yield made


def _configure(made: Channels) -> None:
    deployment = made.trial.deployment
    made.key_file.parent.mkdir(mode=0o700)
    key, certificate = key_and_certificate()
    made.key_file.touch(mode=0o600)
    made.key_file.write_bytes(key)
    (deployment.home / "tls.pem").write_bytes(certificate)
    lines = key.splitlines()[1:-1]
    made.scanner.know(*lines)
    # The private number itself, which every encoding of the key holds (RFC 5915, 3).
    made.scanner.know(base64.b64decode(b"".join(lines))[36:68])
    deployment.environment["MAIL_PASSWORD"] = made.clerk.password
    deployment.ports["admin"] = free_ports(1)[0]
    settings = yaml.safe_load(deployment.config.read_text())
    settings["connectors"] = {
        "mail": {
            "type": "smtp",
            "host": "127.0.0.1",
            "port": made.clerk.port,
            "security": "none",
            "allow_private": True,
            "credential": {"user": USER, "reference": "env:MAIL_PASSWORD"},
            "from": [USER],
            "own_domains": ["example.org"],
            "timeout_s": 5,
        }
    }
    settings["listeners"]["admin"] = {
        "host": "127.0.0.1",
        "port": deployment.ports["admin"],
        "tls": {"cert": "tls.pem", "key": "credentials/tls.key"},
    }
    settings["webhooks"] = {"private_hosts": ["127.0.0.1"]}
    settings["log"] = {"level": "debug", "format": "json"}
    deployment.config.write_text(yaml.safe_dump(settings))
    (deployment.home / "policy.yaml").write_text(POLICY)


def _begin(made: Channels) -> None:
    trial = made.trial
    trial.deployment.done("person", "create", "dana", "--role", "admin")
    words = ("--owner", "dana", "--purpose", "Tries", "--for", "dana", "--verb", "*")
    trial.token = trial.deployment.json("agent", "create", "trier", *words)["token"]
    trial.sign_in()
    made.scanner.know(trial.token, trial.cookie.partition("=")[2])
    to = {"url": f"{made.receiver.url}/hook"}
    _sign_with(made, _operate(made, "PUT", "agents/trier/webhook", to))
    for overlap_s in (600, 0, 600):
        answer = _operate(made, "POST", "agents/trier/webhook/rotate", {"overlap_s": overlap_s})
        _sign_with(made, answer)


def _sign_with(made: Channels, answer: bytes) -> None:
    secret = json.loads(answer).pop("secret")
    encoded = secret.removeprefix("whsec_")
    made.signing.append(secret)
    made.scanner.know(secret, encoded, base64.b64decode(encoded))
    # In the one answer it is there once.
    rest = answer.replace(secret.encode(), b"", 1)
    made.trial.outbound[f"the answer with secret {len(made.signing)}"] = rest


def _operate(made: Channels, method: str, path: str, body: object = None) -> bytes:
    """Ask over the operator's socket, and return the answer's headers and body."""
    with closing(_Socket(made.trial.deployment.home / "admin.sock")) as connection:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        connection.request(method, f"/v1/admin/{path}", data, headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer.read()


def _mails(made: Channels) -> None:
    for offers in ("PLAIN", "LOGIN"):
        for refuses in ("", *REFUSED):
            made.clerk.offers, made.clerk.refuses = offers, refuses
            heard = made.trial.as_agent(
                "POST", "/v1/proposals", {"action": MAIL}, Prefer="wait=5"
            ).json
            made.outcomes.append(heard)
            made.trial.as_agent("GET", f"/v1/proposals/{heard['id']}/receipt")
            made.trial.as_person(f"/proposals/{heard['id']}")
    made.clerk.refuses = ""


def _streams(made: Channels) -> None:
    """Have an agent and a person follow while others write secrets."""
    trial = made.trial
    (trial.deployment.home / "policy.yaml").write_text(HOLDS)
    trial.deployment.done("policy", "reload")
    held = trial.as_agent("POST", "/v1/proposals", {"action": MAIL}).json["id"]
    agents = {"Authorization": f"Bearer {trial.token}"}
    with ExitStack() as following:
        for name, listener, path, headers in (
            ("of a proposal", "agents", f"/v1/proposals/{held}/events", agents),
            ("of the inbox", "people", "/events", {"Cookie": trial.cookie}),
        ):
            following.enter_context(_followed(made, name, listener, path, headers))
        page = trial.as_person(f"/proposals/{held}").body.decode()
        form = {name: _hidden(page, name) for name in ("form", "digest")}
        for kind in KINDS:
            secret = canary(kind).value
            trial.as_agent("POST", "/v1/proposals", PLACES["/rationale/why"](secret))
            trial.as_person(f"/proposals/{held}", {**form, "button": "reject", "note": secret})
            trial.as_agent("POST", f"/v1/proposals/{held}/withdraw", {"reason": secret})
        trial.as_agent("POST", f"/v1/proposals/{held}/withdraw", {"reason": "Not needed"})
        trial.as_person(f"/proposals/{held}")
        trial.as_agent("GET", f"/v1/proposals/{held}")
        trial.as_agent("GET", "/v1/events")


@contextmanager
def _followed(
    made: Channels, name: str, listener: str, path: str, headers: dict[str, str]
) -> Iterator[None]:
    """Collect what a stream says, until it said something and nothing more for a while."""
    port = made.trial.deployment.ports[listener]
    chunks: list[bytes] = []
    began, finished = threading.Event(), threading.Event()

    def read() -> None:
        while True:
            try:
                more = connection.recv(65_536)
            except TimeoutError:
                if finished.is_set():
                    return
                continue
            if not more:
                return
            chunks.append(more)
            if b"\ndata: " in b"".join(chunks):
                began.set()

    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        reader = threading.Thread(target=read)
        reader.start()
        assert began.wait(10), chunks
        yield
        finished.set()
        reader.join()
    made.streams[name] = b"".join(chunks)


def _broken_requests(made: Channels) -> None:
    trial = made.trial
    tls = ssl.create_default_context(cafile=trial.deployment.home / "tls.pem")
    for secret in (trial.token.encode(), opaque("key").encode(), canary("github").value.encode()):
        for request in _broken(secret):
            for listener, port in trial.deployment.ports.items():
                with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
                    wire = plain
                    if listener == "admin":
                        wire = tls.wrap_socket(plain, server_hostname="127.0.0.1")
                    with wire:
                        wire.sendall(request)
                        made.broken.append(_rest(wire))
    # What is not TLS at all, where TLS is spoken.
    with socket.create_connection(("127.0.0.1", trial.deployment.ports["admin"])) as plain:
        bearer = b"Authorization: Bearer " + trial.token.encode()
        plain.sendall(b"GET / HTTP/1.1\r\n" + bearer + b"\r\n\r\n")
        trial.outbound["no TLS"] = _rest(plain)


def _broken(secret: bytes) -> Iterator[bytes]:
    end = b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    bearer = b"Authorization: Bearer " + secret
    get = b"GET /v1/whoami HTTP/1.1\r\n"
    yield secret + end
    yield b"GET " + secret + end
    yield b"GET /v1/" + secret + b" HTTP/9.9" + end
    yield b"GET /v1/whoami HTTP/1.1 " + secret + end
    yield secret + b" /v1/whoami HTTP/1.1" + end
    yield b"GET http://x:" + secret + b"@[::1/ HTTP/1.1" + end
    yield b"GET /%ff%00" + secret + b" HTTP/1.1" + end
    yield get + bearer + b"\x00\x01" + end
    yield get + bearer + b"\xff\xfe" + end
    yield get + b"Authorization: " + secret + end
    yield get + b"Authorization: Bearer Bearer " + secret + end
    yield get + b"Authorization: Basic " + base64.b64encode(b"a:" + secret) + end
    yield get + bearer + b"\r\n" + bearer + b"x" + end
    yield get + b"Authorization : Bearer " + secret + end
    yield get + b"Authorization Bearer " + secret + end
    yield get + secret + b": x" + end
    yield get + secret + b" x: y" + end
    yield get + b"Cookie: keyturn=\x01" + secret + end
    yield get + bearer + b"x" * 20_000 + end
    yield get + b"Content-Length: " + secret + end
    yield get + b"Transfer-Encoding: " + secret + end
    yield b"POST /v1/proposals HTTP/1.1\r\nTransfer-Encoding: chunked" + end + secret + b"\r\n"
    yield get + b"Host: " + secret + b"\r\nExpect: " + secret + end


def _rest(wire: socket.socket) -> bytes:
    with closing(wire.makefile("rb")) as answer:
        try:
            return answer.read()
        except OSError:
            return b""


def _commands(made: Channels, folder: Path) -> None:
    for words in (
        ("doctor", "--json"),
        ("doctor",),
        ("agent", "webhook", "trier", "--json"),
        ("audit", "export", str(folder / "leaves.jsonl")),
        ("backup", str(folder / "backups"), "--json"),
    ):
        ran = made.trial.command(*words)
        if words[0] != "doctor":
            assert ran.returncode == 0, ran.stdout + ran.stderr
    made.trial.outbound["leaves"] = (folder / "leaves.jsonl").read_bytes()
    made.backup = folder / "backups"


def test_webhooks_were_delivered_and_say_no_secret(channels: Channels):
    bodies = channels.receiver.received
    assert len(bodies) >= len(channels.outcomes)
    assert any(b"webhook-signature: v1," in body.lower() for body in bodies)
    assert len(set(channels.signing)) == 4
    assert channels.scanner.leaks({"receiver": b"\n".join(bodies)}) == []


def test_the_password_of_mail_is_in_the_signing_in_alone(channels: Channels):
    assert channels.clerk.signed_in == [channels.clerk.password] * 2 * (1 + len(REFUSED))
    assert b"Subject: Hello\r\n" in channels.clerk.said
    assert channels.scanner.leaks({"wire": b"".join(channels.clerk.said)}) == []


def test_mails_went_out_or_failed_as_the_server_said(channels: Channels):
    states = [one["state"] for one in channels.outcomes]
    assert states.count("succeeded") == 2
    assert any("[the credential]" in json.dumps(one) for one in channels.outcomes)


def test_event_streams_say_no_secret(channels: Channels):
    assert b"event: state" in channels.streams["of a proposal"]
    assert b'"withdrawn"' in channels.streams["of a proposal"]
    assert b"event: changed" in channels.streams["of the inbox"]
    assert channels.scanner.leaks(channels.streams) == []


def test_answers_to_all_this_say_no_secret(channels: Channels):
    assert len(channels.trial.outbound) > 150
    assert channels.scanner.leaks(channels.trial.outbound) == []


def test_what_is_not_http_is_refused_without_repeating_it(channels: Channels):
    assert len(channels.broken) > 150
    assert all(said.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) for said in channels.broken)
    answers = {str(number): said for number, said in enumerate(channels.broken)}
    assert channels.scanner.leaks(answers) == []


def test_the_log_of_all_this_says_no_secret(channels: Channels):
    log = channels.trial.log.read_bytes()
    assert b'"why": "BadHttpMessage"' in log
    assert channels.scanner.leaks({"log": log}) == []


def test_no_file_keeps_a_secret_in_the_clear_and_no_backup_either(channels: Channels):
    files = channels.trial.files()
    assert {"keyturn.sqlite3", "shelf.sqlite3"} <= files.keys()
    copied = {str(path): path.read_bytes() for path in channels.backup.rglob("*") if path.is_file()}
    assert any(name.endswith("keyturn.sqlite3") for name in copied)
    assert channels.scanner.leaks(files | copied) == []


def test_the_scanner_would_find_each_of_them(channels: Channels):
    key = channels.key_file.read_bytes()
    planted = {"key": key, "mark": HEAD.encode(), "signing": channels.signing[-1].encode()}
    assert {leak.source for leak in channels.scanner.leaks(planted)} == planted.keys()
