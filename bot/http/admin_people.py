"""People, for admins: register, list, roles, deactivate, sign-in links, admin tokens."""

from collections.abc import Iterable

from aiohttp import web

from bot.core.actors import Person, Role
from bot.http.admin_api import API
from bot.http.admin_bodies import PersonBody, RolesBody, SignInLinkBody
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model


async def create_person(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, PersonBody)
    person = await request.app[API].people.create(
        caller.actor,
        handle=body.handle,
        display_name=body.display_name,
        roles=_roles(body.roles),
        email=body.email,
    )
    return answer(person_answer(person), status=201)


async def list_people(request: web.Request, _: AdminCaller) -> web.Response:
    people = await request.app[API].people.list()
    return answer({"people": [person_answer(person) for person in people]})


async def read_person(request: web.Request, _: AdminCaller) -> web.Response:
    return answer(person_answer(await request.app[API].people.get(_ref(request))))


async def set_roles(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, RolesBody)
    person = await request.app[API].people.set_roles(
        caller.actor, _ref(request), roles=_roles(body.roles)
    )
    return answer(person_answer(person))


async def deactivate_person(request: web.Request, caller: AdminCaller) -> web.Response:
    return answer(
        person_answer(await request.app[API].people.deactivate(caller.actor, _ref(request)))
    )


async def create_sign_in_link(request: web.Request, caller: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, SignInLinkBody)
    person = await api.people.get(_ref(request))
    link = await api.sign_in.link(caller.actor, person.id, ttl_s=body.ttl_s)
    return answer(
        {
            "person": link.person,
            "url": api.sign_in_url(link),
            "expires_at": link.expires_at,
        },
        status=201,
    )


async def create_admin_token(request: web.Request, caller: AdminCaller) -> web.Response:
    person, token = await request.app[API].people.admin_token(caller.actor, _ref(request))
    return answer({**person_answer(person), "token": token}, status=201)


def _ref(request: web.Request) -> str:
    return request.match_info["person"]


def _roles(names: Iterable[str]) -> frozenset[Role]:
    return frozenset(Role(name) for name in names)


def person_answer(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "handle": person.handle,
        "display_name": person.display_name,
        "roles": sorted(role.value for role in person.roles),
        "active": person.active,
        "email": person.email,
        "created_at": person.created_at,
    }
