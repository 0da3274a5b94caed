"""Erasing a person, for admins: what would go, then that it goes."""

from aiohttp import web

from bot.core.erasure import Erased
from bot.http.admin_api import API
from bot.http.admin_bodies import ReasonBody
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model


async def read_erasure_scope(request: web.Request, _: AdminCaller) -> web.Response:
    person, found = await request.app[API].erase.scope(request.match_info["person"])
    return answer({"handle": person.handle, "active": person.active, **_erased(found)})


async def erase_person(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, ReasonBody)
    erased = await request.app[API].erase.erase(
        caller.actor, request.match_info["person"], reason=body.reason
    )
    return answer(_erased(erased))


def _erased(erased: Erased) -> dict[str, object]:
    return {
        "person": erased.person,
        "entries": erased.entries,
        "openings": erased.openings,
        "proposals": erased.proposals,
        "ended": erased.ended,
        "agents": erased.agents,
        "halts": erased.halts,
        "tokens": erased.tokens,
        "identities": erased.identities,
        "obstacles": list(erased.obstacles),
    }
