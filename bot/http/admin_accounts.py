"""Accounts in chats and where notices go, for admins."""

from aiohttp import web

from bot.core.identity import ChatIdentity, LinkedIdentity
from bot.core.ids import PersonId
from bot.core.notice import NoticeRoute, Topic
from bot.http.admin_account_models import (
    EmailBody,
    IdentityBody,
    LinkCodeBody,
    NoticeRouteBody,
)
from bot.http.admin_api import API, AdminApi
from bot.http.admin_people import person_answer
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model


async def set_email(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, EmailBody)
    person = await request.app[API].people.set_email(
        caller.actor, request.match_info["person"], body.email
    )
    return answer(person_answer(person))


async def create_link_code(request: web.Request, caller: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, LinkCodeBody)
    made = await api.linking.code(caller.actor, await _person(api, request), chat=body.chat)
    return answer(
        {
            "person": made.person,
            "chat": body.chat,
            "code": made.code,
            "expires_at": made.expires_at,
        },
        status=201,
    )


async def list_identities(request: web.Request, _: AdminCaller) -> web.Response:
    api = request.app[API]
    return answer(await _identities(api, await _person(api, request)))


async def unlink_identity(request: web.Request, caller: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, IdentityBody)
    person = await _person(api, request)
    identity = ChatIdentity(chat=body.chat, tenant=body.tenant, user=body.user)
    await api.linking.unlink(caller.actor, person, identity)
    return answer(await _identities(api, person))


async def list_notice_routes(request: web.Request, _: AdminCaller) -> web.Response:
    routes = await request.app[API].notices.list()
    return answer({"notice_routes": [_route(route) for route in routes]})


async def set_notice_route(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, NoticeRouteBody)
    route = await request.app[API].notices.set(
        caller.actor,
        chat=body.chat,
        place=body.place,
        place_name=body.place_name,
        topics=[Topic(topic) for topic in body.topics],
        agents=body.agents,
        verbs=body.verbs,
    )
    return answer(_route(route))


async def end_notice_route(request: web.Request, caller: AdminCaller) -> web.Response:
    route = await request.app[API].notices.end(caller.actor, request.match_info["id"])
    return answer(_route(route))


async def _person(api: AdminApi, request: web.Request) -> PersonId:
    return (await api.people.get(request.match_info["person"])).id


async def _identities(api: AdminApi, person: PersonId) -> dict[str, object]:
    return {"identities": [_identity(linked) for linked in await api.linking.of(person)]}


def _identity(linked: LinkedIdentity) -> dict[str, object]:
    return {
        "chat": linked.identity.chat,
        "tenant": linked.identity.tenant,
        "user": linked.identity.user,
        "by": linked.by.value,
        "linked_at": linked.linked_at,
    }


def _route(route: NoticeRoute) -> dict[str, object]:
    return {
        "id": route.id,
        "chat": route.chat,
        "place": route.place,
        "place_name": route.place_name,
        "topics": sorted(topic.value for topic in route.topics),
        "agents": list(route.agents),
        "verbs": list(route.verbs),
        "set_by": route.set_by,
        "set_at": route.set_at,
    }
