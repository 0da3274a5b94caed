"""One call as the fake sees it, how it is refused, and how planted faults meet it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from aiohttp import web

from adapters.teams.testing.faults import Fault, Faults, Trouble

T = TypeVar("T")


class Refusal(Exception):
    """Answered with ``status`` and ``{"error": {"code", "message"}}``, and nothing is done."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(slots=True, kw_only=True)
class Call:
    """``status`` is what was answered; 0 while nothing was, or when the connection was dropped."""

    operation: str
    method: str
    path: str
    body: Any
    bearer: str = field(repr=False)
    status: int = 0
    answer: Any = None


#: Does what is asked, and returns what is said for it.
Does: TypeAlias = Callable[[Call], Any]


class Desk:
    """Takes calls: counts them, has faults meet them, and tells whoever waits for something."""

    def __init__(self, *, faults: Faults, is_token: Callable[[str], bool]) -> None:
        self.calls: list[Call] = []
        self._faults = faults
        self._is_token = is_token
        self._changed = asyncio.Condition()

    def called(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    async def until(self, check: Callable[[], T | None], *, within_s: float = 10.0) -> T:
        """Wait until a call makes *check* return something, and return that.

        Raises:
            TimeoutError: it stays nothing for *within_s*.
        """
        async with asyncio.timeout(within_s), self._changed:
            while True:
                if found := check():
                    return found
                await self._changed.wait()

    async def tell(self) -> None:
        """Have those who wait look again."""
        async with self._changed:
            self._changed.notify_all()

    async def serve(self, request: web.Request, operation: str, do: Does) -> web.StreamResponse:
        call = Call(
            operation=operation,
            method=request.method,
            path=request.rel_url.raw_path,
            body=await _json(request),
            bearer=request.headers.get("Authorization", "").removeprefix("Bearer "),
        )
        self.calls.append(call)
        try:
            return await self._serve(request, call, do)
        finally:
            await self.tell()

    async def _serve(self, request: web.Request, call: Call, do: Does) -> web.StreamResponse:
        if not self._is_token(call.bearer):
            return _refused(call, Refusal(401, "Unauthorized", "Authorization has been denied"))
        fault = self._faults.next(call.operation)
        if fault is None:
            return _done(call, do)
        if fault.code:
            return _refused(call, Refusal(fault.status, fault.code, fault.message))
        return await self._troubled(request, call, do, fault)

    async def _troubled(
        self, request: web.Request, call: Call, do: Does, fault: Fault
    ) -> web.StreamResponse:
        match fault.trouble:
            case Trouble.THROTTLED:
                answer = _refused(call, Refusal(429, "Throttled", "Too many requests"))
                if fault.retry_after_s is not None:
                    answer.headers["Retry-After"] = f"{fault.retry_after_s:g}"
                return answer
            case Trouble.PRECONDITION:
                return _refused(call, Refusal(412, "PreconditionFailed", "Precondition failed"))
            case Trouble.DROPPED_BEFORE:
                return _dropped(request)
            case Trouble.DROPPED_AFTER:
                _done(call, do)
                return _dropped(request)
            case Trouble.FAILED_BEFORE:
                return web.Response(status=503, text="<html>unavailable</html>")
            case Trouble.FAILED_AFTER:
                _done(call, do)
                return web.Response(status=500, text="<html>failed</html>")
            case Trouble.TIMED_OUT:
                _done(call, do)
                return web.Response(status=408)
            case Trouble.HANGS_BEFORE:
                await fault.released.wait()
                return _done(call, do)
            case Trouble.HANGS_AFTER:
                answer = _done(call, do)
                await self.tell()
                await fault.released.wait()
                return answer


async def _json(request: web.Request) -> Any:
    if not request.can_read_body:
        return None
    try:
        return json.loads(await request.read())
    except ValueError:
        return None


def _done(call: Call, do: Does) -> web.Response:
    try:
        call.answer = do(call)
    except Refusal as refusal:
        return _refused(call, refusal)
    made = call.method == "POST" and isinstance(call.answer, dict) and "id" in call.answer
    call.status = 201 if made else 200
    if call.answer is None:
        return web.Response(status=call.status)
    return web.json_response(call.answer, status=call.status)


def _refused(call: Call, refusal: Refusal) -> web.Response:
    call.status = refusal.status
    call.answer = {"error": {"code": refusal.code, "message": refusal.message}}
    return web.json_response(call.answer, status=refusal.status)


def _dropped(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
