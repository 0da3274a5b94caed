"""One table of routes: what is served is what is documented.

A :class:`Route` is registered by :func:`register` and described by :mod:`bot.http.openapi`.
Whoever calls is known before a handler runs: it gets the caller as an argument, so that no
handler can forget to ask.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Any, Generic, TypeAlias, TypeVar

from aiohttp import web
from pydantic import BaseModel

from bot.core.errors import InvalidInput, KeyturnError
from bot.http.bodies import Body

CallerT = TypeVar("CallerT")


@unique
class Auth(Enum):
    """Who may call a route."""

    NOBODY = "open"  #: open: it tells nothing about anybody
    AGENT = "agent"
    RESOURCE = "resource"  #: a resource server
    REPORTER = "reporter"  #: the agent, or the resource server that redeemed its grant
    AUDITOR = "auditor"  #: reads: a person with the role admin or auditor, or the operator
    ADMIN = "admin"  #: changes: a person with the role admin, or the operator


@unique
class Place(Enum):
    """Where a parameter stands in the request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """``schema`` is JSON Schema; ``repeatable`` says whether it may be given more than once."""

    name: str
    place: Place
    about: str
    schema: Mapping[str, Any]
    required: bool = False
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """An answer that is not JSON."""

    media_type: str


#: Gets the request and its caller.
Handler: TypeAlias = Callable[[web.Request, CallerT], Awaitable[web.StreamResponse]]
Answered: TypeAlias = type[BaseModel] | tuple[type[BaseModel], ...] | TextAnswer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[CallerT]):
    """``answers`` maps each status that is not a problem to what its body is, one of a tuple."""

    method: str
    path: str
    handler: Handler[CallerT]
    auth: Auth
    summary: str
    answers: Mapping[int, Answered]
    body: type[Body] | None = None
    body_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[type[KeyturnError], ...] = ()
    _queries: Mapping[str, Parameter] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        queries = {p.name: p for p in self.parameters if p.place is Place.QUERY}
        object.__setattr__(self, "_queries", queries)

    @property
    def operation_id(self) -> str:
        return getattr(self.handler, "__name__", self.path)

    def check_query(self, request: web.Request) -> None:
        """Refuse what this route does not know: a misspelt ``dry_run`` must not submit.

        Raises:
            InvalidInput: a parameter is unknown, or given twice.
        """
        query = request.query
        for name in query:
            parameter = self._queries.get(name)
            if parameter is None:
                raise InvalidInput(
                    f"The query parameter '{name[:100]}' is not known here.",
                    remedy=f"This address knows: {', '.join(self._queries) or 'none'}.",
                )
            if not parameter.repeatable and len(query.getall(name)) > 1:
                raise InvalidInput(f"The query parameter '{name}' is given more than once.")


Authenticate = Callable[[web.Request], Awaitable[Any]]


def register(
    app: web.Application,
    routes: Sequence[Route[Any]],
    authenticate: Mapping[Auth, Authenticate],
) -> None:
    """Serve *routes* in *app*, each only for the callers that its ``auth`` names."""
    for route in routes:
        app.router.add_route(route.method, route.path, _handler(route, authenticate[route.auth]))


def _handler(
    route: Route[Any], authenticate: Authenticate
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    serve, check_query = route.handler, route.check_query

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await authenticate(request)
        if request.query_string:
            check_query(request)
        return await serve(request, caller)

    return handle


async def nobody(_: web.Request) -> None:
    """Authenticate an open route."""
