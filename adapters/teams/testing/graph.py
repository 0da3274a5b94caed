"""The few calls of Microsoft Graph that the app makes, one by one and in batches."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from adapters.teams.testing.calls import Call, Desk, Refusal
from adapters.teams.testing.world import Account, Json, World

if TYPE_CHECKING:
    from adapters.teams.testing.connector import Connector

MOST_IN_BATCH: Final = 20
MOST_GROUPS: Final = 20

_CHECK: Final = re.compile(r"/users/(?P<user>[^/]+)/checkMemberGroups")
_USER: Final = re.compile(r"/users/(?P<user>[^/?]+)\?\$select=accountEnabled,userType")
_INSTALL: Final = re.compile(r"/users/(?P<user>[^/]+)/teamwork/installedApps")
_BIND: Final = re.compile(r"https://graph\.microsoft\.com/v1\.0/appCatalogs/teamsApps/(?P<app>.+)")


class Graph:
    """``catalog`` are the apps of the organisation's catalogue, by their id there."""

    def __init__(self, world: World, desk: Desk, connector: "Connector", *, tenant: str) -> None:
        self._world = world
        self._tenant = tenant
        self._desk = desk
        self._connector = connector
        self.catalog: dict[str, Json] = {}
        #: Whether an admin has agreed to what reading groups and installing need.
        self.may_read_groups = True
        self.may_install = True

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/v1.0/$batch", self._batch),
            web.post("/v1.0/users/{user}/checkMemberGroups", self._serve_check),
            web.post("/v1.0/users/{user}/teamwork/installedApps", self._serve_install),
            web.get("/v1.0/users/{user}/teamwork/installedApps", self._serve_installed),
            web.get("/v1.0/appCatalogs/teamsApps", self._serve_catalog),
        ]

    async def _batch(self, request: web.Request) -> web.StreamResponse:
        return await self._desk.serve(request, "graph.batch", self._answers)

    async def _serve_check(self, request: web.Request) -> web.StreamResponse:
        return await self._desk.serve(request, "graph.groups", self._one)

    async def _serve_install(self, request: web.Request) -> web.StreamResponse:
        return await self._desk.serve(request, "graph.install", self._one)

    async def _serve_installed(self, request: web.Request) -> web.StreamResponse:
        return await self._desk.serve(request, "graph.installed", self._has)

    async def _serve_catalog(self, request: web.Request) -> web.StreamResponse:
        return await self._desk.serve(request, "graph.catalog", self._listed)

    def _answers(self, call: Call) -> Json:
        requests = (call.body or {}).get("requests") or []
        if not 0 < len(requests) <= MOST_IN_BATCH:
            raise Refusal(400, "BadRequest", "Between 1 and 20 requests")
        answers = []
        for asked in requests:
            one = replace(call, method=asked["method"], path=asked["url"], body=asked.get("body"))
            try:
                answers.append({"id": asked["id"], "status": 200, "body": self._one(one)})
            except Refusal as refusal:
                error = {"error": {"code": refusal.code, "message": refusal.message}}
                answers.append({"id": asked["id"], "status": refusal.status, "body": error})
        # Graph answers in any order.
        return {"responses": answers[::-1]}

    def _one(self, call: Call) -> Any:
        path = call.path.removeprefix("/v1.0")
        if found := _CHECK.fullmatch(path):
            return self._checked(self._account(found["user"]), call.body or {})
        if found := _USER.fullmatch(path):
            return self._told(self._account(found["user"]))
        if found := _INSTALL.fullmatch(path):
            return self._installed(self._account(found["user"]), call.body or {})
        raise Refusal(404, "ResourceNotFound", path)

    def _checked(self, account: Account, asked: Json) -> Json:
        if not self.may_read_groups:
            raise Refusal(403, "Authorization_RequestDenied", "Insufficient privileges")
        groups = asked.get("groupIds") or []
        if not 0 < len(groups) <= MOST_GROUPS:
            raise Refusal(400, "Request_BadRequest", "Between 1 and 20 groups")
        theirs = self._world.groups_of(account.user)
        return {"value": [group for group in groups if group in theirs]}

    def _told(self, account: Account) -> Json:
        if not self.may_read_groups:
            raise Refusal(403, "Authorization_RequestDenied", "Insufficient privileges")
        kind = "Member" if account.role == "user" else "Guest"
        return {"accountEnabled": account.is_enabled, "userType": kind}

    def _installed(self, account: Account, asked: Json) -> None:
        if not self.may_install:
            raise Refusal(403, "Forbidden", "Missing role permissions on the request")
        bound = _BIND.fullmatch(str(asked.get("teamsApp@odata.bind")))
        if bound is None or bound["app"] not in self.catalog:
            raise Refusal(404, "NotFound", "App not found in the catalogue")
        if account.user in self._connector.installed:
            raise Refusal(409, "Conflict", "The app is already installed")
        self._connector.installed.add(account.user)
        self._world.open_personal(account).has_bot = True

    def _has(self, call: Call) -> Json:
        found = _INSTALL.fullmatch(call.path.removeprefix("/v1.0"))
        account = self._account(found["user"] if found else "")
        if not self.may_install:
            raise Refusal(403, "Forbidden", "Missing role permissions on the request")
        return {"value": [{"id": "1"}] if account.user in self._connector.installed else []}

    def _listed(self, call: Call) -> Json:  # noqa: ARG002 - every filter finds the one app
        return {"value": [{"id": app, **more} for app, more in self.catalog.items()]}

    def _account(self, user: str) -> Account:
        account = self._world.accounts.get(user)
        if account is None or account.tenant != self._tenant:
            raise Refusal(404, "Request_ResourceNotFound", "Resource does not exist")
        return account
