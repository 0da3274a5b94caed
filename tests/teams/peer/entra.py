"""Who is in which group of Entra, as Graph tells an app that asks in batches."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from adapters.teams.testing.issuer import Issuer

Json = dict[str, Any]


class Entra:
    """``groups`` holds object ids of accounts by those of groups."""

    def __init__(self, issuer: Issuer) -> None:
        self.groups: dict[str, set[str]] = {}
        self._issuer = issuer

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/graph/v1.0/$batch", self._batch)]

    async def _batch(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self._issuer.tokens:
            return web.json_response({"error": {"code": "InvalidAuthenticationToken"}}, status=401)
        asked = (await request.json())["requests"]
        return web.json_response({"responses": [self._answer(one) for one in asked]})

    def _answer(self, asked: Json) -> Json:
        user = asked["url"].removeprefix("/users/").partition("/")[0].partition("?")[0]
        told: Json = {"accountEnabled": True, "userType": "Member"}
        if asked["url"].endswith("/checkMemberGroups"):
            groups = asked["body"]["groupIds"]
            told = {"value": [group for group in groups if user in self.groups.get(group, ())]}
        return {"id": asked["id"], "status": 200, "body": told}
