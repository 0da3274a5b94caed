"""Speaks to a listener, politely with a client or rudely with bytes."""

import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

WITHIN_S = 20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem, or nothing."""
        kind = self.headers.get("Content-Type", "")
        return str(self.json["code"]) if kind.startswith("application/problem+json") else ""


@dataclass(frozen=True, slots=True)
class Door:
    """One listener: a port on loopback, or a socket file."""

    port: int = 0
    socket: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        cookie: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        form: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """Return the answer; redirects are not followed. No answer may be an unexpected error."""
        sent = {**self.headers, **(headers or {})}
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if cookie is not None:
            sent["Cookie"] = f"keyturn={cookie}"
        if form is not None:
            raw = urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        with closing(self._connection()) as connection:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            read = Answer(answer.status, dict(answer.getheaders()), answer.read())
        assert read.status != 500, f"{method} {path[:200]}: {read.body[:2000]!r}"
        return read

    def _connection(self) -> http.client.HTTPConnection:
        if self.socket is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        return _SocketConnection(self.socket)

    def send(self, *parts: bytes, within_s: float = 5) -> bytes:
        """Send *parts* as they are, each once the one before was answered; return all that comes
        back until the other side closes, or says nothing for *within_s*.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=within_s) as raw:
            came = bytearray()
            try:
                for at, part in enumerate(parts):
                    raw.sendall(part)
                    if at < len(parts) - 1:
                        came += raw.recv(65_536)
                while chunk := raw.recv(65_536):
                    came += chunk
            except (TimeoutError, ConnectionError):
                pass
            return bytes(came)


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=WITHIN_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def statuses(came: bytes) -> list[int]:
    """Return the status of every answer in *came*, in order."""
    found = []
    rest = came
    while rest.startswith(b"HTTP/1."):
        head, _, rest = rest.partition(b"\r\n\r\n")
        first, *fields = head.split(b"\r\n")
        found.append(int(first.split(b" ")[1]))
        lengths = [f.split(b":")[1] for f in fields if f.lower().startswith(b"content-length:")]
        if not lengths:
            break
        rest = rest[int(lengths[0]) :]
    return found
