"""The log, for auditors: its signed head, and its entries as they were recorded."""

from aiohttp import web

from bot.core.audit.export import leaf_value
from bot.core.errors import InvalidInput
from bot.core.ids import ProposalId
from bot.http import queries
from bot.http.admin_api import API
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.routes import Parameter, Place
from bot.ports.queries import Leaves

MAX_ENTRIES = 2000

_LAST_INDEX = 10**15 - 1
_MOST_DIGITS = len(str(_LAST_INDEX))

START = Parameter(
    name="start",
    place=Place.QUERY,
    about="The index of the first entry.",
    schema={"type": "integer", "minimum": 0, "maximum": _LAST_INDEX, "default": 0},
)
ENTRIES = Parameter(
    name="limit",
    place=Place.QUERY,
    about="How many at most.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_ENTRIES, "default": MAX_ENTRIES},
)
OPENINGS = Parameter(
    name="openings",
    place=Place.QUERY,
    about="`true`: with the personal and free-text values that are kept beside the log.",
    schema={"type": "boolean", "default": False},
)
OF_PROPOSAL = Parameter(
    name="proposal",
    place=Place.QUERY,
    about="Only entries about this proposal.",
    schema={"type": "string"},
)


async def read_checkpoint(request: web.Request, _: AdminCaller) -> web.Response:
    checkpoints = request.app[API].checkpoints
    signed = await checkpoints.sign()
    return answer(
        {
            "origin": signed.checkpoint.origin,
            "epoch": checkpoints.epoch,
            "size": signed.checkpoint.size,
            "root": signed.checkpoint.root.hex(),
            "note": str(signed.note),
            "keys": [str(key) for key in checkpoints.keys],
        }
    )


async def read_log(request: web.Request, _: AdminCaller) -> web.Response:
    start = _number(request, "start", default=0, least=0, most=_LAST_INDEX)
    limit = _number(request, "limit", default=MAX_ENTRIES, least=1, most=MAX_ENTRIES)
    with_openings = queries.flag(request, "openings")
    proposal = request.query.get("proposal")
    query = Leaves(start, limit, None if proposal is None else ProposalId(proposal))
    leaves = await request.app[API].gate.store.read(query)
    return answer(
        {
            "entries": [leaf_value(leaf, with_openings=with_openings) for leaf in leaves],
            "next": leaves[-1].index + 1 if len(leaves) == limit else None,
        }
    )


def _number(request: web.Request, name: str, *, default: int, least: int, most: int) -> int:
    written = request.query.get(name)
    if written is None:
        return default
    if written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS:
        number = int(written)
        if least <= number <= most:
            return number
    raise InvalidInput(
        f"The query parameter '{name}' must be a whole number from {least} to {most}."
    )
