"""Query parameters that several routes share."""

import re
from typing import Any

from aiohttp import web

from bot.core.errors import InvalidInput
from bot.core.ids import ProposalId
from bot.core.states import State
from bot.http.models import PROPOSAL_ID
from bot.http.routes import Parameter, Place

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

STATE = Parameter(
    name="state",
    place=Place.QUERY,
    about="Only proposals in this state; may be repeated.",
    schema={"type": "array", "items": {"type": "string", "enum": [s.value for s in State]}},
    repeatable=True,
)
CURSOR = Parameter(
    name="cursor",
    place=Place.QUERY,
    about="The `next_cursor` of the page before.",
    schema={"type": "string", "pattern": PROPOSAL_ID},
)
LIMIT = Parameter(
    name="limit",
    place=Place.QUERY,
    about="How many at most.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)

_PROPOSAL_ID = re.compile(PROPOSAL_ID)
_FLAGS = {"true": True, "false": False}


def states(request: web.Request) -> tuple[State, ...]:
    try:
        return tuple(State(name) for name in request.query.getall("state", ()))
    except ValueError:
        raise InvalidInput(
            "The query parameter 'state' names no state.",
            remedy=f"The states are: {', '.join(State)}.",
        ) from None


def before(request: web.Request) -> ProposalId | None:
    """Return the proposal behind which the page starts."""
    cursor = request.query.get("cursor")
    if cursor is None:
        return None
    if not _PROPOSAL_ID.fullmatch(cursor):
        raise InvalidInput("The query parameter 'cursor' is not one that this address gave.")
    return ProposalId(cursor)


def limit(request: web.Request) -> int:
    written = request.query.get("limit")
    if written is None:
        return DEFAULT_LIMIT
    if written.isascii() and written.isdigit() and len(written) < 5:
        number = int(written)
        if 1 <= number <= MAX_LIMIT:
            return number
    raise InvalidInput(f"The query parameter 'limit' must be a whole number from 1 to {MAX_LIMIT}.")


def flag(request: web.Request, name: str) -> bool:
    """Return whether the query parameter *name* is ``true``; absent is false."""
    written: Any = request.query.get(name, "false")
    if written not in _FLAGS:
        raise InvalidInput(f"The query parameter '{name}' must be true or false.")
    return _FLAGS[written]
