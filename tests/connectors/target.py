"""A loopback service that speaks HTTP, keeps issues, and can be told to misbehave."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.testing.connector import Behaviour, Write

SECRET = "s3cr3t-of-the-target/with+signs"
ETAG = '"v7"'
MISSING_NUMBER = "404404"
_NO_LINGER = struct.pack("ii", 1, 0)  # closing sends RST


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it stood on the wire. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class LoopbackTarget:
    """Answers reads with the one issue it has, and keeps what is written."""

    plays: frozenset[Behaviour] = frozenset(Behaviour)
    received: list[Write] = field(default_factory=list)
    effects: list[Write] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    #: Answers instead of the behaviour: (status, headers, body).
    scripted: Callable[[Received], tuple[int, Mapping[str, str], bytes]] | None = None
    repeat_secret: bool = True
    port: int = 0
    _behaviour: Behaviour = Behaviour.OK
    _server: asyncio.Server | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def behave(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        if behaviour is Behaviour.UNREACHABLE:
            await self._stop()
        elif self._server is None:
            await self._listen()

    async def until_received(self) -> None:
        await self._arrived.wait()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for writer in self._open:
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self._behaviour is Behaviour.RESET_UNREAD:
                _reset(writer)
                return
            request = await _read(reader)
            self.requests.append(request)
            await self._answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        writes = request.method not in {"GET", "HEAD"}
        write = _write_of(request)
        if writes:
            self.received.append(write)
            self._arrived.set()
        if self.scripted is not None:
            await _send(writer, *self.scripted(request))
            return
        match self._behaviour:
            case Behaviour.HANG:
                await asyncio.Event().wait()
            case Behaviour.RESET_READ:
                _reset(writer)
            case Behaviour.REFUSE:
                await _send(writer, 422, _JSON, self._echo(request))
            case Behaviour.STALE if writes:
                await _send(writer, 412, _JSON, self._echo(request))
            case Behaviour.SERVER_ERROR:
                await _send(writer, 500, _JSON, self._echo(request))
            case Behaviour.REDIRECT if request.target != "/elsewhere":
                await _send(writer, 307, {"Location": f"{self.url}/elsewhere"}, b"")
            case Behaviour.GARBAGE:
                writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
                await writer.drain()
            case Behaviour.HUGE:
                await self._huge(writer)
            case Behaviour.SLOW_DRIP:
                await self._drip(writer)
            case Behaviour.LOST_REPLY if writes:
                self.effects.append(write)
            case _ if writes:
                self.effects.append(write)
                await _send(writer, 201, _JSON, b'{"id": 4711}')
            case _:
                await self._read_answer(request, writer)

    async def _read_answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        if MISSING_NUMBER in request.target:
            await _send(writer, 404, _JSON, b"{}")
        elif "/comments" in request.target:
            entries = [
                {"id": 4711 + at, "key": write.key, "said": write.values}
                for at, write in enumerate(self.effects)
            ]
            await _send(writer, 200, _JSON, json.dumps({"entries": entries}).encode())
        else:
            issue = {"number": 7, "title": "Old title", "private": False, "watchers": 12}
            await _send(writer, 200, {**_JSON, "ETag": ETAG}, json.dumps(issue).encode())

    def _echo(self, request: Received) -> bytes:
        headers = dict(request.headers) if self.repeat_secret else {}
        return json.dumps({"you sent": headers, "and": request.target}).encode()

    async def _huge(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        while True:
            writer.write(b"1," * 32_768)
            await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)


_JSON = {"Content-Type": "application/json"}


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    pairs = (line.partition(": ") for line in lines)
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, body)


def _write_of(request: Received) -> Write:
    return Write(
        values=json.loads(request.body) if request.body else None,
        key=request.headers.get("idempotency-key"),
        etag=request.headers.get("if-match"),
    )


async def _send(
    writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    lines = [f"HTTP/1.1 {status} x"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1") + body)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
