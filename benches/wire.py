"""HTTP as bare as it can be, so that a client costs next to nothing beside what it measures."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_TIMEOUT_S = 60.0


class WrongAnswer(Exception):
    """A server answered with something else than what was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, status: int) -> Any:
        """Return the body, if the answer has *status*.

        Raises:
            WrongAnswer: it has another.
        """
        if self.status != status:
            raise WrongAnswer(f"{self.status} instead of {status}: {self.body[:300]!r}")
        return json.loads(self.body)


@dataclass(slots=True)
class Connection:
    """One connection, kept open. Not more than one request is under way at a time."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)
    _socket: socket.socket = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        self.send(method, path, body, **headers)
        return self.receive()

    def send(self, method: str, path: str, body: str = "", **headers: str) -> None:
        """Send a request; a header's name may have underscores for its hyphens."""
        content = body.encode()
        all_headers = {"Host": f"127.0.0.1:{self.port}", **self.headers, **headers}
        lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in all_headers.items()]
        self._socket.sendall("\r\n".join((*lines, "", "")).encode() + content)

    def receive(self) -> Answer:
        """Wait for the answer to what was sent.

        Raises:
            WrongAnswer: the server hung up.
        """
        received = self._more(b"")
        while (end := received.find(b"\r\n\r\n")) < 0:
            received = self._more(received)
        first, *rest = received[:end].decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)
        }
        whole = end + 4 + int(headers.get("content-length", 0))
        while len(received) < whole:
            received = self._more(received)
        return Answer(int(first.split()[1]), headers, received[end + 4 : whole])

    def _more(self, received: bytes) -> bytes:
        chunk = self._socket.recv(65_536)
        if not chunk:
            raise WrongAnswer("the server hung up")
        return received + chunk


def agent_connection(port: int, token: str) -> Connection:
    return Connection(
        port, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    )
