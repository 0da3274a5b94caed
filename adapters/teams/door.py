"""Requests that the Bot Connector sends to the people's listener: who is not it learns nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import orjson
from aiohttp import web

from adapters.teams.admission import Admission
from adapters.teams.inbound import Inbound, parse_inbound
from adapters.teams.transport import NotGenuine, Transport
from bot.core.errors import InvalidInput

log = logging.getLogger("keyturn.teams")

#: Of what Teams sends, nothing comes near: a message has 28 KB, a card at most 100 KB.
MAX_BYTES: Final = 262_144
_READ_S: Final = 5.0
_LOG_EVERY_S: Final = 60.0
#: An activity that is not answered comes again within seconds, under the same id.
_REMEMBERED_S: Final = 600.0
_REMEMBERED: Final = 20_000
#: Before Teams gives up and sends a message again; what is under way goes on.
_WAIT_S: Final = 10.0

Answer: TypeAlias = Mapping[str, Any] | None
#: What is done with an activity; the answer is for the one that waits for one, an invoke.
Handle: TypeAlias = Callable[[Inbound], Awaitable[Answer]]


class Door:
    def __init__(
        self,
        transport: Transport,
        admission: Admission,
        handle: Handle,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._admission = admission
        self._handle = handle
        self._now = now
        self._seen: dict[tuple[str, str], tuple[asyncio.Task[Answer], float]] = {}
        self._running: set[asyncio.Task[Answer]] = set()
        self._refused: dict[str, tuple[float, int]] = {}

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one request of the Connector; whoever else asks learns only that it is refused."""
        authorization = request.headers.get("Authorization")
        if not authorization:
            return self._refuse("no token")
        try:
            async with asyncio.timeout(_READ_S):
                body = await _read(request)
        except TimeoutError:
            return _plain(HTTPStatus.REQUEST_TIMEOUT)
        if body is None:
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        activity = _understood(body)
        if activity is None:
            return _plain(HTTPStatus.BAD_REQUEST)
        try:
            claims = await self._transport.authenticate(activity, authorization)
            self._admission.admit(claims, activity)
        except NotGenuine as error:
            return self._refuse(self._admission.suspicion(authorization, activity) or str(error))
        try:
            inbound = parse_inbound(activity)
        except InvalidInput:
            return _plain(HTTPStatus.BAD_REQUEST)
        if inbound is None:
            return web.Response(status=HTTPStatus.ACCEPTED)
        return await self._answered(activity, inbound)

    async def close(self) -> None:
        """Wait for what is under way: a click that was taken is not lost."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _answered(self, activity: Mapping[str, Any], inbound: Inbound) -> web.Response:
        is_invoke = activity.get("type") == "invoke"
        # Whoever hangs up does not end it; whoever asks again waits for the same answer.
        waiting = asyncio.shield(self._once(activity, inbound))
        try:
            answer = await (waiting if is_invoke else asyncio.wait_for(waiting, _WAIT_S))
        except TimeoutError:
            answer = None
        except Exception as error:  # noqa: BLE001
            # Neither its message nor where it was raised: that may be what somebody typed.
            kind = type(error).__name__
            log.error("an activity failed", extra={"error": kind})  # noqa: TRY400
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        if not is_invoke:
            return web.Response(status=HTTPStatus.ACCEPTED)
        return web.Response(
            body=orjson.dumps({} if answer is None else answer), content_type="application/json"
        )

    def _once(self, activity: Mapping[str, Any], inbound: Inbound) -> asyncio.Task[Answer]:
        """Return what is done with *activity*, begun now unless it was here before."""
        key = str(activity["conversation"]["id"]), str(activity.get("id") or "")
        known = self._seen.get(key) if key[1] else None
        if known is not None:
            return known[0]
        task = asyncio.ensure_future(self._handle(inbound))
        self._running.add(task)
        if key[1]:
            self._forget_the_oldest()
            self._seen[key] = task, self._now()
        task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _done(self, key: tuple[str, str], task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        if (task.cancelled() or task.exception() is not None) and key in self._seen:
            # What failed may be sent again.
            del self._seen[key]

    def _forget_the_oldest(self) -> None:
        oldest = next(iter(self._seen), None)
        while oldest is not None:
            began = self._seen[oldest][1]
            if len(self._seen) < _REMEMBERED and self._now() - began < _REMEMBERED_S:
                return
            del self._seen[oldest]
            oldest = next(iter(self._seen), None)

    def _refuse(self, why: str) -> web.Response:
        """Say *why* in the log, of each kind once a minute: anybody can ask, and often."""
        logged_at, count = self._refused.get(why, (float("-inf"), 0))
        count += 1
        if self._now() - logged_at >= _LOG_EVERY_S:
            log.warning("refused requests to teams' address", extra={"why": why, "count": count})
            logged_at, count = self._now(), 0
        self._refused[why] = logged_at, count
        return _plain(HTTPStatus.UNAUTHORIZED)


async def _read(request: web.Request) -> bytes | None:
    """Return the body; None when it is longer than Teams' are."""
    if (request.content_length or 0) > MAX_BYTES:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)


def _understood(body: bytes) -> Mapping[str, Any] | None:
    try:
        activity = orjson.loads(body)
    except ValueError:
        return None
    return activity if isinstance(activity, dict) else None


def _plain(status: HTTPStatus) -> web.Response:
    return web.Response(status=status, text=f"{status.phrase}\n")
