"""Agents, for admins: register, list, rotate, revoke, limit."""

from collections.abc import Sequence

from aiohttp import web

from bot.core.actors import Agent
from bot.core.ids import PersonId
from bot.core.webhook import Webhook
from bot.http.admin_api import API, AdminApi
from bot.http.admin_bodies import AgentBody, LimitsBody, ReasonBody, RotateBody, WebhookBody
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model


async def create_agent(request: web.Request, caller: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, AgentBody)
    agent, token = await api.agents.create(
        caller.actor,
        name=body.name,
        owner=(await api.people.get(body.owner)).id,
        purpose=body.purpose,
        principals=await _people(api, body.principals),
        verbs=body.verbs,
    )
    return answer({**_agent(agent), "token": token}, status=201)


async def list_agents(request: web.Request, _: AdminCaller) -> web.Response:
    agents = await request.app[API].agents.list()
    return answer({"agents": [_agent(agent) for agent in agents]})


async def read_agent(request: web.Request, _: AdminCaller) -> web.Response:
    return answer(_agent(await _named(request)))


async def rotate_agent(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, RotateBody)
    named = await _named(request)
    agent, token = await request.app[API].agents.rotate(
        caller.actor, named.id, overlap_s=body.overlap_s
    )
    return answer({**_agent(agent), "token": token})


async def revoke_agent(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, ReasonBody)
    named = await _named(request)
    agent = await request.app[API].agents.revoke(caller.actor, named.id, reason=body.reason)
    return answer(_agent(agent))


async def limit_agent(request: web.Request, caller: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, LimitsBody)
    named = await _named(request)
    agent = await api.agents.bind(
        caller.actor,
        named.id,
        principals=await _people(api, body.principals),
        verbs=body.verbs,
    )
    return answer(_agent(agent))


async def set_webhook(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, WebhookBody)
    named = await _named(request)
    agent, secret = await request.app[API].webhooks.set(caller.actor, named.id, url=body.url)
    return answer({**_agent(agent), "secret": secret})


async def rotate_webhook(request: web.Request, caller: AdminCaller) -> web.Response:
    body = await read_model(request, RotateBody)
    named = await _named(request)
    agent, secret = await request.app[API].webhooks.rotate(
        caller.actor, named.id, overlap_s=body.overlap_s
    )
    return answer({**_agent(agent), "secret": secret})


async def remove_webhook(request: web.Request, caller: AdminCaller) -> web.Response:
    named = await _named(request)
    return answer(_agent(await request.app[API].webhooks.remove(caller.actor, named.id)))


async def _named(request: web.Request) -> Agent:
    return await request.app[API].agents.get(request.match_info["agent"])


async def _people(api: AdminApi, refs: Sequence[str]) -> tuple[PersonId, ...]:
    return tuple([(await api.people.get(ref)).id for ref in refs])


def _agent(agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "name": agent.name,
        "owner": agent.owner,
        "purpose": agent.purpose,
        "principals": list(agent.principals),
        "verbs": list(agent.verbs),
        "active": agent.active,
        "webhook": _webhook(agent.webhook),
        "created_at": agent.created_at,
    }


def _webhook(webhook: Webhook | None) -> dict[str, object] | None:
    if webhook is None:
        return None
    return {"url": webhook.url, "secrets": len(webhook.secrets), "stopped": webhook.stopped}
