"""A loopback target that says back whatever it is sent, its caller's credential first."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

_NO_LINGER = struct.pack("ii", 1, 0)  # closing sends RST
_SENDS = ("authorization:", "x-api-key:")


@dataclass(slots=True)
class Mirror:
    """``received`` are the requests without the header that carries the credential."""

    port: int
    received: list[bytes] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    held: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        head, _, rest = _read(connection).partition(b"\r\n\r\n")
        if not head:  # only looked whether anybody answers
            return
        lines = head.decode("latin-1").split("\r\n")
        own = [line for line in lines if line.lower().startswith(_SENDS)]
        others = [line for line in lines if line not in own]
        self.received.append("\r\n".join(others).encode("latin-1") + b"\r\n\r\n" + rest)
        self.credentials += own
        said = own[0].partition(": ")[2] if own else "nothing"
        mode = lines[0].split(" ")[1].rsplit("/", 1)[-1].partition("?")[0]
        status = int(mode[-3:]) if mode[-3:].isdigit() else 200
        if mode.startswith("hang") and lines[0].startswith("POST"):
            self.held.append(connection)
            return
        if mode.startswith("reset") and lines[0].startswith("POST"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        elif lines[0].startswith("GET") and not mode.startswith("unread"):
            _send(connection, 200, said, _echo(said, others))
        else:
            _send(connection, status, said, _echo(said, others))

    def close(self) -> None:
        for connection in self.held:
            connection.close()


def _echo(said: str, lines: list[str]) -> bytes:
    bare = said.removeprefix("Bearer ")
    value = {
        "error": f"bad credential {said}",
        "title": bare,
        "quoted": quote(bare, safe=""),
        "id": bare,
        "you sent": lines,
    }
    return json.dumps(value).encode()


def _send(connection: socket.socket, status: int, said: str, body: bytes) -> None:
    head = [
        f"HTTP/1.1 {status} x",
        "Content-Type: application/json",
        f'ETag: "{said.removeprefix("Bearer ")}"',
        f"X-You-Sent: {said}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += (more := connection.recv(65_536))
        if not more:
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def mirroring() -> Iterator[Mirror]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        mirror = Mirror(server.getsockname()[1])
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=_serve, args=(mirror, connection)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield mirror
        finally:
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()
            mirror.close()


def _serve(mirror: Mirror, connection: socket.socket) -> None:
    with suppress(OSError):
        mirror.serve(connection)
    if connection not in mirror.held:
        connection.close()
