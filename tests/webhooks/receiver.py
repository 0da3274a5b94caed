"""An agent as its author would write it: a receiver that misbehaves, and a reader of the truth."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Self

import aiohttp

_NO_LINGER = struct.pack("ii", 1, 0)  # closing sends RST


class Play(Enum):
    """How the receiver treats one message."""

    TAKE = auto()
    FAIL = auto()  #: 500
    TAKE_AND_FAIL = auto()  #: acts on it, then 500: it comes again
    TAKE_AND_DROP = auto()  #: acts on it, then breaks the connection
    DROP = auto()
    LATER = auto()  #: 503 with Retry-After
    GONE = auto()  #: 410
    REDIRECT = auto()
    HANG = auto()
    SLOW = auto()  #: takes it byte by byte, and answers late


@dataclass(frozen=True, slots=True)
class Received:
    headers: Mapping[str, str]
    body: bytes


def is_signed(message: Received, secret: str) -> bool:
    """Verify as https://www.standardwebhooks.com describes it, written for this alone."""
    key = base64.b64decode(secret.split("_", 1)[1])
    headers = message.headers
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + message.body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    found = [entry.split(",", 1) for entry in headers["webhook-signature"].split(" ")]
    return any(v == "v1" and hmac.compare_digest(given, expected) for v, given in found)


@dataclass
class Receiver:
    """Plays *plays* one after the other, then takes everything."""

    plays: list[Play] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    took: Callable[[Received], None] = lambda _: None
    port: int = 0
    tls: ssl.SSLContext | None = None
    redirected_to: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/keyturn"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for writer in tuple(self._open):
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.rstrip("\r\n").split("\r\n")
            pairs = (one.partition(": ") for one in lines)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            assert line.startswith("POST ")
            if "/elsewhere" in line:
                self.redirected_to.append(line)
            await self._play(Received(headers, body), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _play(self, message: Received, writer: asyncio.StreamWriter) -> None:
        self.received.append(message)
        match self.plays.pop(0) if self.plays else Play.TAKE:
            case Play.TAKE:
                self.took(message)
                await _answer(writer, "204 x")
            case Play.FAIL:
                await _answer(writer, "500 x")
            case Play.TAKE_AND_FAIL:
                self.took(message)
                await _answer(writer, "500 x")
            case Play.TAKE_AND_DROP:
                self.took(message)
                _reset(writer)
            case Play.DROP:
                _reset(writer)
            case Play.LATER:
                await _answer(writer, "503 x", "Retry-After: 120")
            case Play.GONE:
                await _answer(writer, "410 x")
            case Play.REDIRECT:
                await _answer(writer, "307 x", f"Location: {self.url}/elsewhere")
            case Play.HANG:
                await asyncio.Event().wait()
            case Play.SLOW:
                self.took(message)
                writer.write(b"HTTP/1.1 200 x\r\nContent-Length: 1000000\r\n")
                while True:
                    writer.write(b"X-More: 1\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.01)


class Agent:
    """Believes no message: it reads each proposal that one names, and keeps what it read."""

    def __init__(self, *, base: str, token: str, session: aiohttp.ClientSession) -> None:
        self.secret = ""
        self.truth: dict[str, str] = {}
        self.acted: list[str] = []
        self.refused = 0
        self._seen: set[str] = set()
        self._base = base
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._to_read: asyncio.Queue[str] = asyncio.Queue()

    def take(self, message: Received) -> None:
        """Take note of one message: once, if it is ours."""
        if not is_signed(message, self.secret):
            self.refused += 1
            return
        if message.headers["webhook-id"] not in self._seen:
            self._seen.add(message.headers["webhook-id"])
            self._to_read.put_nowait(json.loads(message.body)["data"]["proposal"])

    async def run(self) -> None:
        while True:
            await self._read(await self._to_read.get())

    async def catch_up(self) -> None:
        """Read the state of everything that happened since the beginning."""
        cursor, more = "", True
        while more:
            page = await self._get(f"/v1/events{cursor}")
            for event in page["events"]:
                self.truth[event["proposal"]] = event["state"]
            cursor, more = f"?cursor={page['next_cursor']}", page["more"]

    async def _read(self, proposal: str) -> None:
        found = await self._get(f"/v1/proposals/{proposal}")
        if self.truth.get(proposal) != found["state"] and found["executed"] is not None:
            self.acted.append(proposal)
        self.truth[proposal] = found["state"]

    async def _get(self, path: str) -> Any:
        async with self._session.get(self._base + path, headers=self._headers) as response:
            assert response.status in (200, 202), await response.text()
            return await response.json()


async def _answer(writer: asyncio.StreamWriter, status: str, *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
