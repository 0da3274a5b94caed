"""Halts, for admins: stop, list, let go on."""

from aiohttp import web

from bot.core.errors import InvalidInput, NotFound
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.ids import HaltId
from bot.http import queries
from bot.http.admin_api import API, AdminApi
from bot.http.admin_bodies import HaltBody, ReasonBody
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model

_NEEDED = {
    HaltScope.AGENT_FOR_PRINCIPAL: {"agent", "principal"},
    HaltScope.AGENT: {"agent"},
    HaltScope.CONNECTOR: {"connector"},
    HaltScope.ALL: set[str](),
}


async def create_halt(request: web.Request, caller: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, HaltBody)
    target = await _target(api, body)
    return answer(_halt(await api.halts.halt(caller.actor, target, reason=body.reason)), status=201)


async def list_halts(request: web.Request, _: AdminCaller) -> web.Response:
    halts = await request.app[API].halts.list(active_only=queries.flag(request, "active"))
    return answer({"halts": [_halt(halt) for halt in halts]})


async def resume_halt(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, ReasonBody)
    halt = await request.app[API].halts.resume(
        caller.actor, HaltId(request.match_info["id"]), reason=body.reason
    )
    return answer(_halt(halt))


async def _target(api: AdminApi, body: HaltBody) -> HaltTarget:
    """Return what *body* names: exactly the fields of its scope, and nothing that is not there."""
    scope = HaltScope(body.scope)
    given = {"agent": body.agent, "principal": body.principal, "connector": body.connector}
    for name, value in given.items():
        if (value is not None) != (name in _NEEDED[scope]):
            word = "needs" if value is None else "does not take"
            raise InvalidInput(f"The scope '{scope}' {word} '{name}'.", field=f"/{name}")
    if body.connector is not None and api.gate.connectors.named(body.connector) is None:
        raise NotFound(
            f"There is no connector '{body.connector}'.",
            remedy="The section connectors of the settings has their names.",
        )
    return HaltTarget(
        scope=scope,
        agent=None if body.agent is None else (await api.agents.get(body.agent)).id,
        principal=None if body.principal is None else (await api.people.get(body.principal)).id,
        connector=body.connector,
    )


def _halt(halt: Halt) -> dict[str, object]:
    return {
        "id": halt.id,
        "scope": halt.target.scope.value,
        "agent": halt.target.agent,
        "principal": halt.target.principal,
        "connector": halt.target.connector,
        "reason": halt.reason,
        "set_by": str(halt.set_by),
        "set_at": halt.set_at,
        "active": halt.is_active,
        "resumed_by": None if halt.resumed_by is None else str(halt.resumed_by),
        "resumed_at": halt.resumed_at,
        "resume_reason": halt.resume_reason,
    }
