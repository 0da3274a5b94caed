"""The Web API of the fake: tokens, scopes, planted faults, and the journal of calls."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web

from adapters.slack.testing.calls import Call, Method, Refusal
from adapters.slack.testing.faults import Fault, Faults, Trouble
from adapters.slack.testing.world import Json, World

T = TypeVar("T")

_LATER_TROUBLES = frozenset({Trouble.DROPPED_AFTER, Trouble.FAILED_AFTER, Trouble.HANGS_AFTER})


def _unknown(_: Call) -> Json:
    raise Refusal("unknown_method")


_UNKNOWN = Method(answer=_unknown, needs_token=False)


class WebApi:
    """Serves ``POST /api/METHOD`` and, for methods that only read, ``GET`` too."""

    def __init__(self, world: World, faults: Faults, *, now: Callable[[], float]) -> None:
        self.calls: list[Call] = []
        self._world = world
        self._faults = faults
        self._now = now
        self._methods: dict[str, Method] = {}
        self._called = asyncio.Event()

    async def until(self, check: Callable[[], T | None], *, within_s: float = 10.0) -> T:
        """Return what *check* returns as soon as a call has made that something.

        Raises:
            TimeoutError: it stays nothing for *within_s*.
        """
        async with asyncio.timeout(within_s):
            while not (found := check()):
                self._called.clear()
                await self._called.wait()
            return found

    def add(self, methods: Mapping[str, Method]) -> None:
        self._methods |= methods

    async def serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        fault = self._faults.next(name)
        if fault is not None and fault.trouble not in _LATER_TROUBLES:
            refused = await self._meet(fault, request)
            if refused is not None:
                return refused
        call, answer = await self._answer(name, request)
        if fault is not None and fault.trouble in _LATER_TROUBLES:
            spoiled = await self._meet(fault, request)
            if spoiled is not None:
                return spoiled
        call.answer = answer
        scopes = "" if call.token is None else ",".join(sorted(call.token.scopes))
        return web.json_response(answer, headers={"X-OAuth-Scopes": scopes})

    async def _meet(self, fault: Fault, request: web.Request) -> web.StreamResponse | None:
        match fault.trouble:
            case Trouble.RATE_LIMITED:
                return web.json_response(
                    {"ok": False, "error": "ratelimited"},
                    status=429,
                    headers={"Retry-After": str(fault.retry_after_s)},
                )
            case Trouble.HANGS_BEFORE | Trouble.HANGS_AFTER:
                await fault.released.wait()
                return None
            case Trouble.DROPPED_BEFORE | Trouble.DROPPED_AFTER:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            case Trouble.FAILED_BEFORE | Trouble.FAILED_AFTER:
                if fault.error:
                    return web.json_response({"ok": False, "error": fault.error})
                status = 503 if fault.trouble is Trouble.FAILED_BEFORE else 500
                page = "<html><body>Server Error</body></html>"
                return web.Response(status=status, text=page, content_type="text/html")

    async def _answer(self, name: str, request: web.Request) -> tuple[Call, Json]:
        args, is_json = await _args(request)
        call = Call(
            method=name,
            args=args,
            world=self._world,
            token=self._world.tokens.get(_bearer(request, args)),
            bearer=_bearer(request, args),
            basic=_basic(request),
            is_json=is_json,
            at=self._now(),
        )
        self.calls.append(call)
        # After the answer is made, and before it is sent.
        asyncio.get_running_loop().call_soon(self._called.set)
        try:
            method = self._methods.get(name, _UNKNOWN)
            _admit(call, method, request)
            return call, {"ok": True, **method.answer(call)}
        except Refusal as refusal:
            return call, {"ok": False, "error": refusal.code, **refusal.more}


def _bearer(request: web.Request, args: Json) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value if scheme == "Bearer" else str(args.get("token") or "")


def _basic(request: web.Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return name, secret


def _admit(call: Call, method: Method, request: web.Request) -> None:
    if request.method == "GET" and not method.is_read:
        raise Refusal("invalid_http_method")
    if method.is_read and call.is_json:
        # Slack reads no JSON body here, and would say that an argument is missing.
        raise Refusal("invalid_arguments")
    if not method.needs_token:
        return
    if call.token is None:
        raise Refusal("invalid_auth" if call.bearer else "not_authed")
    if call.token.is_revoked:
        raise Refusal("token_revoked")
    if method.scope and method.scope not in call.token.scopes:
        raise Refusal(
            "missing_scope", needed=method.scope, provided=",".join(sorted(call.token.scopes))
        )


async def _args(request: web.Request) -> tuple[Json, bool]:
    args: dict[str, Any] = dict(request.query)
    if request.method == "GET":
        return args, False
    if request.content_type == "application/json":
        body = json.loads(await request.text() or "{}")
        return args | body, True
    form = await request.post()
    return args | {name: value for name, value in form.items() if isinstance(value, str)}, False
