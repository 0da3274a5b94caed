"""Connections that answer what is not HTTP in our own words.

What cannot be read as a request reaches no handler: aiohttp answers it by itself, with a text that
repeats the bytes it stumbled on, and a credential may be among them. That answer is made in
``RequestHandler.handle_error`` (``aiohttp/web_protocol.py``), and one for an unknown ``Expect`` is
raised in front of every middleware. Read in aiohttp 3.14; ``tests/http/test_connections.py`` fails
where another version makes them elsewhere.
"""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from bot.http.problems import MalformedRequest, problem


class Connection(RequestHandler):
    """One connection of a client; every answer that no handler gave is a problem without echo."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        # It logs, and raises where part of an answer is under way already.
        answer = super().handle_error(request, status, exc, message)
        return _malformed() if isinstance(exc, HttpProcessingError) else answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        # Our middleware makes answers of what handlers raise, so this was raised in front of it.
        answer = _malformed() if isinstance(resp, web.HTTPException) else resp
        return await super().finish_response(request, answer, start_time)


class Server(web.Server):
    """Makes a :class:`Connection` of each client that comes; *options* are those of aiohttp's."""

    def __init__(self, like: web.Server, **options: Any) -> None:
        super().__init__(like.request_handler, request_factory=like.request_factory, **options)
        self._options = options

    def __call__(self) -> Connection:
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)


class Runner(web.AppRunner):
    """Runs an application behind a :class:`Server`."""

    __slots__ = ("_options",)

    def __init__(self, app: web.Application, *, shutdown_s: float, **options: Any) -> None:
        super().__init__(app, handle_signals=False, shutdown_timeout=shutdown_s)
        self._options = options

    async def _make_server(self) -> Server:
        return Server(await super()._make_server(), **self._options)


def _malformed() -> web.Response:
    answer = problem(MalformedRequest("This cannot be read as a request."))
    answer.force_close()
    return answer
