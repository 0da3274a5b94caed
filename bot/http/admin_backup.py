"""A backup of the running bot, for the operator: a line of JSON for each step."""

from aiohttp import web

from bot.core.actors import OPERATOR
from bot.core.errors import KeyturnError, NotPermitted
from bot.http.admin_api import API
from bot.http.admin_bodies import BackupBody
from bot.http.answers import SERVER, json_bytes
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model
from bot.ports.backup import BackupMade, BackupProgress

PROGRESS = "application/jsonl"


async def make_backup(request: web.Request, caller: AdminCaller) -> web.StreamResponse:
    if caller.actor != OPERATOR:
        raise NotPermitted(
            "A backup is made by the operator alone.",
            remedy="Run `keyturn backup` on the machine of the bot.",
        )
    body = await read_model(request, BackupBody)
    steps = request.app[API].backups.make(body.into, with_keys=body.with_keys)
    # What cannot begin is a problem like any other.
    first = await anext(steps)
    response = web.StreamResponse(
        headers={"Content-Type": PROGRESS, "Cache-Control": "no-store", "Server": SERVER}
    )
    await response.prepare(request)
    await response.write(_line(first))
    try:
        async for step in steps:
            await response.write(_line(step))
    except KeyturnError as error:
        problem = {"code": error.code, "detail": error.message, "remedy": error.remedy}
        await response.write(json_bytes({"problem": problem}) + b"\n")
    await response.write_eof()
    return response


def _line(step: BackupProgress | BackupMade) -> bytes:
    return json_bytes(step.plain()) + b"\n"
