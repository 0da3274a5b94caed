"""Who calls the admin interface, and what is counted."""

from aiohttp import hdrs, web

from bot.http.admin_api import API
from bot.http.answers import answer, answer_bytes
from bot.http.auth import AdminCaller
from bot.http.metrics import MEDIA_TYPE
from bot.ports.queries import PendingCount


async def admin_whoami(request: web.Request, caller: AdminCaller) -> web.Response:
    return answer(
        {
            "actor": str(caller.actor),
            "may_change": caller.may_change,
            "deployment": request.app[API].gate.deployment,
        }
    )


async def metrics(request: web.Request, _: AdminCaller) -> web.Response:
    api = request.app[API]
    pending = await api.gate.store.read(PendingCount())
    body = api.metrics.exposition(pending=pending)
    return answer_bytes(body, headers={hdrs.CONTENT_TYPE: MEDIA_TYPE})
