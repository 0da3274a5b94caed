"""Resource servers, for admins: register, list, rotate, revoke."""

from aiohttp import web

from bot.core.actors import ResourceServer
from bot.http.admin_api import API
from bot.http.admin_bodies import ReasonBody, ResourceServerBody, RotateBody
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model


async def create_resource_server(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, ResourceServerBody)
    server, token = await request.app[API].resource_servers.create(
        caller.actor, name=body.name, audience=body.audience
    )
    return answer({**_server(server), "token": token}, status=201)


async def list_resource_servers(request: web.Request, _: AdminCaller) -> web.Response:
    servers = await request.app[API].resource_servers.list()
    return answer({"resource_servers": [_server(server) for server in servers]})


async def read_resource_server(request: web.Request, _: AdminCaller) -> web.Response:
    return answer(_server(await _named(request)))


async def rotate_resource_server(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, RotateBody)
    named = await _named(request)
    server, token = await request.app[API].resource_servers.rotate(
        caller.actor, named.id, overlap_s=body.overlap_s
    )
    return answer({**_server(server), "token": token})


async def revoke_resource_server(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, ReasonBody)
    named = await _named(request)
    server = await request.app[API].resource_servers.revoke(
        caller.actor, named.id, reason=body.reason
    )
    return answer(_server(server))


async def _named(request: web.Request) -> ResourceServer:
    return await request.app[API].resource_servers.get(request.match_info["resource_server"])


def _server(server: ResourceServer) -> dict[str, object]:
    return {
        "id": server.id,
        "name": server.name,
        "audience": server.audience,
        "active": server.active,
        "created_at": server.created_at,
    }
