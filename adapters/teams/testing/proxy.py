"""Stands where the Bot Connector stands, for an emulator of Teams that signs nothing itself.

What the emulator sends is signed and brought to the bot; what the bot sends must carry its token,
and is brought to the emulator, with accounts by the ids that the emulator knows.
"""

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from yarl import URL

from adapters.teams.testing.issuer import Issuer

#: Where the emulator sends activities, and where it says that it is to be answered.
ACTIVITIES: Final = "/api/messages"
CONNECTOR: Final = "/teams/"
_CALL_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One request that went through; ``said`` is its body, ``told`` that of the answer."""

    to_bot: bool
    method: str
    path: str
    said: Any
    status: int
    told: Any
    took_s: float


class SigningProxy:
    """Between the *emulator* and the bot; ``users`` maps object ids to the emulator's ids."""

    def __init__(
        self, issuer: Issuer, *, bot_url: str, emulator_url: str, users: Mapping[str, str]
    ) -> None:
        self.issuer = issuer
        #: False: requests go to the bot as the emulator makes them, without a token.
        self.is_signing = True
        self.passed: list[Passed] = []
        self._bot_url = bot_url
        self._emulator_url = emulator_url.rstrip("/")
        self._users = users
        self._http: ClientSession | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post(ACTIVITIES, self._to_bot),
            web.route("*", f"{CONNECTOR}{{rest:.*}}", self._to_emulator),
            *self.issuer.routes(),
        ]

    @asynccontextmanager
    async def running(
        self, *, port: int, more: Sequence[web.RouteDef] = ()
    ) -> AsyncIterator["SigningProxy"]:
        """Serve on *port* until the block ends, and whatever *more* there is beside it."""
        app = web.Application(client_max_size=4_194_304)
        app.add_routes([*self.routes(), *more])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.issuer.url = self.issuer.url or f"http://127.0.0.1:{port}"
        try:
            async with ClientSession(timeout=ClientTimeout(total=_CALL_S)) as self._http:
                yield self
        finally:
            await runner.cleanup()

    async def _to_bot(self, request: web.Request) -> web.Response:
        said = await request.read()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self.is_signing:
            service_url = str(_json(said).get("serviceUrl", ""))
            headers["Authorization"] = self.issuer.bearer(service_url)
        return await self._pass("POST", URL(self._bot_url), said, headers, to_bot=True)

    async def _to_emulator(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.issuer.tokens:
            error = {"error": {"code": "Unauthorized", "message": "No token of the bot."}}
            return web.json_response(error, status=401)
        path = request.raw_path.removeprefix(CONNECTOR.rstrip("/"))
        said = await request.read()
        # The emulator knows accounts by its own ids alone; Teams knows them by both.
        head, found, user = path.rpartition("/members/")
        if found:
            path = f"{head}{found}{self._users.get(user, user)}"
        asked = _json(said)
        if isinstance(asked.get("members"), list):
            asked["members"] = [self._known(member) for member in asked["members"]]
            said = json.dumps(asked).encode()
        url = URL(f"{self._emulator_url}{path}", encoded=True)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return await self._pass(request.method, url, said, headers, to_bot=False)

    def _known(self, member: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**member, "id": self._users.get(member["id"], member["id"])}

    async def _pass(
        self, method: str, url: URL, said: bytes, headers: Mapping[str, str], *, to_bot: bool
    ) -> web.Response:
        assert self._http is not None
        body, began = said or None, time.perf_counter()
        try:
            async with self._http.request(method, url, data=body, headers=headers) as answer:
                told, status, kind = await answer.read(), answer.status, answer.content_type
        except (ClientError, TimeoutError):
            return web.Response(status=502)
        self.passed.append(
            Passed(
                to_bot=to_bot,
                method=method,
                path=url.raw_path,
                said=_json(said),
                status=status,
                told=_json(told),
                took_s=time.perf_counter() - began,
            )
        )
        return web.Response(status=status, body=told, content_type=kind)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}
