"""How the fake hands something to the app: over the Socket Mode wire, or signed over HTTP."""

import asyncio
import hashlib
import hmac
import io
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, Protocol
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMessage, WSMsgType, web

from adapters.slack.testing.calls import Call, Refusal
from adapters.slack.testing.world import Json

#: Slack shows its user an error when the app takes longer.
ACK_S = 3.0


@unique
class Kind(StrEnum):
    """The envelope types of Socket Mode."""

    INTERACTIVE = "interactive"
    COMMAND = "slash_commands"
    EVENT = "events_api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    number: int
    reason: str


@dataclass(slots=True, kw_only=True)
class Delivery:
    """``acked_after_s`` is None when nothing came within three seconds, or it was refused.

    ``late_after_s`` is when it came after all. ``status`` is the HTTP status, 0 on a socket.
    """

    kind: Kind
    payload: Json
    acked_after_s: float | None = None
    late_after_s: float | None = None
    status: int = 0
    said: Any = None

    @property
    def is_acked(self) -> bool:
        return self.acked_after_s is not None


class Way(Protocol):
    async def deliver(
        self, kind: Kind, payload: Json, *, retry: Retry | None = None
    ) -> Delivery: ...


def sign(secret: str, body: bytes, *, timestamp: int) -> dict[str, str]:
    """Return the headers with which Slack signs *body*."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def encoded(kind: Kind, payload: Json) -> tuple[bytes, str]:
    """Return the body of a request over HTTP and its content type."""
    match kind:
        case Kind.EVENT:
            return json.dumps(payload).encode(), "application/json"
        case Kind.COMMAND:
            return urlencode(payload).encode(), "application/x-www-form-urlencoded"
        case Kind.INTERACTIVE:
            body = urlencode({"payload": json.dumps(payload)}).encode()
            return body, "application/x-www-form-urlencoded"


@dataclass(slots=True)
class OverHttp:
    """Signed requests to ``url``."""

    url: str
    secret: str
    deliveries: list[Delivery]
    http: ClientSession

    async def deliver(self, kind: Kind, payload: Json, *, retry: Retry | None = None) -> Delivery:
        body, content_type = encoded(kind, payload)
        headers = sign(self.secret, body, timestamp=int(time.time()))
        headers["Content-Type"] = content_type
        if retry is not None:
            headers["X-Slack-Retry-Num"] = str(retry.number)
            headers["X-Slack-Retry-Reason"] = retry.reason
        delivery = Delivery(kind=kind, payload=payload)
        self.deliveries.append(delivery)
        began = time.monotonic()
        try:
            status, text = await self.send(body, headers)
        except (ClientError, TimeoutError):
            return delivery
        delivery.status, delivery.said = status, _parsed(text)
        if status == 200:
            delivery.acked_after_s = time.monotonic() - began
        return delivery

    async def send(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Send *body* as it is, whatever its headers say, and return status and answer."""
        timeout = ClientTimeout(total=ACK_S)
        async with self.http.post(
            self.url, data=io.BytesIO(body), headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text()


@dataclass(slots=True)
class _Line:
    socket: web.WebSocketResponse
    is_silent: bool = False


@dataclass(slots=True)
class OverSocket:
    """Socket Mode: up to ten connections; each envelope goes to one of them, in turn."""

    deliveries: list[Delivery]
    app_tokens: set[str]
    url: str
    connections_made: int = 0
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    _lines: list[_Line] = field(default_factory=list)
    _tickets: set[str] = field(default_factory=set)
    _awaited: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    _turn: int = 0
    _becomes_silent: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_made(self, count: int) -> None:
        """Wait until *count* connections have been made, and one is open."""
        while self.connections_made < count or not self._lines:
            self._news.clear()
            await self._news.wait()

    @property
    def lines(self) -> int:
        """How many connections are open now."""
        return len(self._lines)

    def open(self, call: Call, *, app_token: str) -> Json:
        if app_token not in self.app_tokens:
            raise Refusal("invalid_auth")
        if len(self._lines) >= 10:
            raise Refusal("too_many_websockets")
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return {"url": f"{self.url}?ticket={ticket}&app_id={call.args.get('app_id', '')}"}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        line = _Line(socket, is_silent=self._becomes_silent)
        self._lines.append(line)
        self.connections_made += 1
        if not line.is_silent:
            hello = {
                "type": "hello",
                "num_connections": len(self._lines),
                "connection_info": {"app_id": "A0KEYTURN"},
                "debug_info": {"host": "fake", "approximate_connection_time": 18060},
            }
            await socket.send_json(hello)
        self.connected.set()
        self._news.set()
        try:
            async for message in socket:
                await self._receive(line, message)
        finally:
            self._lines.remove(line)
            if not self._lines:
                self.connected.clear()
        return socket

    async def deliver(self, kind: Kind, payload: Json, *, retry: Retry | None = None) -> Delivery:
        return await self.deliver_as(secrets.token_hex(16), kind, payload, retry=retry)

    async def deliver_as(
        self, envelope: str, kind: Kind, payload: Json, *, retry: Retry | None = None
    ) -> Delivery:
        """Send *payload* in the envelope of that id; the same id again is a redelivery."""
        delivery = Delivery(kind=kind, payload=payload)
        self.deliveries.append(delivery)
        try:
            async with asyncio.timeout(ACK_S):
                await self.connected.wait()
        except TimeoutError:
            return delivery
        self._turn += 1
        line = self._lines[self._turn % len(self._lines)]
        sent: Json = {
            "type": kind.value,
            "envelope_id": envelope,
            "payload": payload,
            "accepts_response_payload": kind is not Kind.EVENT,
        }
        if retry is not None:
            sent |= {"retry_attempt": retry.number, "retry_reason": retry.reason}
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        began = time.monotonic()

        def acked(said: Any) -> None:
            took = time.monotonic() - began
            if answered.cancelled() or took > ACK_S:
                delivery.late_after_s = took
            elif not answered.done():
                delivery.acked_after_s, delivery.said = took, said
                answered.set_result(None)

        self._awaited[envelope] = acked
        await line.socket.send_json(sent)
        with suppress(TimeoutError):
            await asyncio.wait_for(answered, ACK_S)
        return delivery

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to be made anew, as Slack does every few hours."""
        for line in list(self._lines):
            told = {"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}}
            await line.socket.send_json(told)

    def silence(self, *, also_new: bool = False) -> None:
        """Leave every connection open and say nothing on it any more, not even a pong."""
        for line in self._lines:
            line.is_silent = True
        self._becomes_silent = also_new

    async def hang_up(self) -> None:
        """End every connection without a word."""
        for line in list(self._lines):
            await line.socket.close(code=1011)

    def speak_again(self) -> None:
        self._becomes_silent = False

    async def _receive(self, line: _Line, message: WSMessage) -> None:
        if line.is_silent:
            return
        match message.type:
            case WSMsgType.PING:
                await line.socket.pong(message.data)
            case WSMsgType.TEXT:
                said = json.loads(message.data)
                acked = self._awaited.get(said.get("envelope_id", ""))
                if acked is not None:
                    acked(said.get("payload"))
            case _:
                return


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text or None
