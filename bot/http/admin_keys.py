"""The deployment's own keys, for admins: list, rotate."""

from aiohttp import web

from bot.core.errors import NotFound
from bot.http.admin_api import API
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.service.key_rotation import KeyKind


async def list_keys(request: web.Request, _: AdminCaller) -> web.Response:
    kept = await request.app[API].keys.kept()
    return answer(
        {
            "keys": [
                {
                    "kind": kind,
                    "name": key.name,
                    "made_at": key.made_at,
                    "in_use": key is keys[-1],
                }
                for kind, keys in kept.items()
                for key in keys
            ]
        }
    )


async def rotate_key(request: web.Request, caller: AdminCaller) -> web.Response:
    wanted = request.match_info["kind"]
    if wanted not in set(KeyKind):
        raise NotFound(
            f"There are no keys of the kind '{wanted}'.",
            remedy=f"Name one of: {', '.join(KeyKind)}.",
        )
    kind = KeyKind(wanted)
    name = await request.app[API].keys.rotate(caller.actor, kind)
    return answer({"kind": kind, "name": name}, status=201)
