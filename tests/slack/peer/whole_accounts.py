"""Stands between the bot and local-slack, and says of accounts what Slack says and it leaves out.

Slack's user objects say of every member whether they are a guest (``is_restricted``,
``is_ultra_restricted``); local-slack's do not, and who is not said to be a full member may not
decide. Everything else passes as it is.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import ClientSession, ClientTimeout, web

PORT: Final = 3001
URL: Final = f"http://localhost:{PORT}"
_OF_A_MEMBER: Final = {"is_restricted": False, "is_ultra_restricted": False}
#: What describes the connection it came on, and not what came.
_OF_ONE_HOP: Final = frozenset({"connection", "content-encoding", "content-length", "host"}) | {
    *("keep-alive", "transfer-encoding")
}


@asynccontextmanager
async def telling_all(of: str) -> AsyncIterator[str]:
    """Serve the Web API that is at *of*, and yield where."""
    async with ClientSession(timeout=ClientTimeout(total=30)) as http:

        async def passed_on(request: web.Request) -> web.Response:
            async with http.request(
                request.method,
                f"{of}{request.path_qs}",
                data=await request.read(),
                headers=_passing(request.headers),
            ) as answer:
                body = _whole(await answer.read())
                return web.Response(
                    status=answer.status, body=body, headers=_passing(answer.headers)
                )

        app = web.Application()
        app.add_routes([web.route("*", "/api/{method}", passed_on)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "localhost", PORT).start()
            yield URL
        finally:
            await runner.cleanup()


def _whole(body: bytes) -> bytes:
    try:
        told: Any = json.loads(body)
    except ValueError:
        return body
    user = told.get("user") if isinstance(told, dict) else None
    if not isinstance(user, dict):
        return body
    return json.dumps({**told, "user": {**_OF_A_MEMBER, **user}}).encode()


def _passing(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_ONE_HOP}
