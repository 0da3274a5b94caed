"""Who calls: a bearer token, or the rights on the operator's socket."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from bot.core.actors import OPERATOR, Actor, Agent, ResourceServer, Role, person_actor
from bot.core.errors import NotAuthenticated, NotPermitted
from bot.service.credentials import Credentials

#: Told why a request was refused before its token was looked at: missing or malformed.
Refused = Callable[[str], None]

_MAX_TOKEN_CHARS = 100


def bearer(request: web.Request, refused: Refused) -> str:
    """Return the token that *request* carries; whether it is good is for the service to say.

    Raises:
        NotAuthenticated: there is none, or more than one.
    """
    headers = request.headers.getall(hdrs.AUTHORIZATION, ())
    if len(headers) == 1:
        scheme, _, token = headers[0].partition(" ")
        if token and len(token) <= _MAX_TOKEN_CHARS and scheme.lower() == "bearer":
            return token
        refused("malformed")
        raise NotAuthenticated("The Authorization header is not 'Bearer' and one token.")
    if headers:
        refused("malformed")
        raise NotAuthenticated("There is more than one Authorization header.")
    refused("missing")
    if hdrs.COOKIE in request.headers:
        raise NotAuthenticated("A signed-in person's session is not accepted here.")
    raise NotAuthenticated("There is no Authorization header.")


class AgentAuth:
    """Knows agents by their tokens."""

    def __init__(self, credentials: Credentials, refused: Refused) -> None:
        self._credentials = credentials
        self._refused = refused

    async def __call__(self, request: web.Request) -> Agent:
        """Return the agent whose token *request* carries.

        Raises:
            NotAuthenticated: there is no token, or it is not a valid one of an agent.
        """
        return await self._credentials.agent(bearer(request, self._refused))


class ReporterAuth:
    """Knows agents and resource servers by their tokens."""

    def __init__(self, credentials: Credentials, refused: Refused) -> None:
        self._credentials = credentials
        self._refused = refused

    async def __call__(self, request: web.Request) -> Agent | ResourceServer:
        """Return the agent or resource server whose token *request* carries.

        Raises:
            NotAuthenticated: there is no token, or it is not a valid one of either.
        """
        return await self._credentials.reporter(bearer(request, self._refused))


@dataclass(frozen=True, slots=True)
class AdminCaller:
    """Whoever configures or audits; ``actor`` is what the log names."""

    actor: Actor
    may_change: bool


_OPERATOR = AdminCaller(OPERATOR, may_change=True)


class AdminAuth:
    """Knows persons with a role by their admin tokens.

    With *trust_socket* a caller without a token is the operator: the rights on the socket's
    file have proven it.
    """

    def __init__(self, credentials: Credentials, refused: Refused, *, trust_socket: bool) -> None:
        self._credentials = credentials
        self._refused = refused
        self._trust_socket = trust_socket

    async def reader(self, request: web.Request) -> AdminCaller:
        """Return who calls, an admin or an auditor.

        Raises:
            NotAuthenticated: there is no token, or it is not a valid one of such a person.
        """
        if self._trust_socket and hdrs.AUTHORIZATION not in request.headers:
            return _OPERATOR
        person = await self._credentials.admin(bearer(request, self._refused))
        return AdminCaller(person_actor(person.id), may_change=Role.ADMIN in person.roles)

    async def changer(self, request: web.Request) -> AdminCaller:
        """Return who calls, an admin.

        Raises:
            NotAuthenticated: as :meth:`reader`.
            NotPermitted: the person is an auditor.
        """
        caller = await self.reader(request)
        if not caller.may_change:
            raise NotPermitted("An auditor reads everything and changes nothing.")
        return caller
