"""Who calls: a bearer token of the right kind, or the rights on the operator's socket.

A token is looked at for its kind and checksum before the store is asked, so that a wrong one
costs next to nothing. Refusals are counted, never a row each.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from bot.core.actors import OPERATOR, Actor, Agent, Role, person_actor
from bot.core.errors import NotAuthenticated, NotPermitted
from bot.core.tokens import TokenKind, token_kind
from bot.service.credentials import Credentials

#: Told why a token was refused: missing, malformed, other_kind or unknown.
Refused = Callable[[str], None]

_MAX_TOKEN_CHARS = 100
_NAMES = {
    TokenKind.AGENT: "an agent's token",
    TokenKind.MANDATE: "a mandate's token",
    TokenKind.RESOURCE: "a resource server's token",
    TokenKind.SESSION: "a session of the inbox",
    TokenKind.ADMIN: "an admin token",
}


def bearer(request: web.Request, *, kind: TokenKind, refused: Refused) -> str:
    """Return the token of *request*, well-formed and of *kind*; whether it is known is open.

    Raises:
        NotAuthenticated: there is none, or it is another kind's.
    """
    headers = request.headers.getall(hdrs.AUTHORIZATION, ())
    if len(headers) != 1:
        refused("missing" if not headers else "malformed")
        if not headers and request.cookies:
            raise NotAuthenticated("A session of the inbox is not accepted here.")
        raise NotAuthenticated(
            "There is no Authorization header." if not headers
            else "There is more than one Authorization header."
        )
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_CHARS:
        refused("malformed")
        raise NotAuthenticated("The Authorization header is not 'Bearer' and a token.")
    found = token_kind(token)
    if found is None:
        refused("malformed")
        raise NotAuthenticated("This is not a token of Keyturn, or it was mistyped.")
    if found is not kind:
        refused("other_kind")
        raise NotAuthenticated(f"This is {_NAMES[found]}. This interface takes {_NAMES[kind]}.")
    return token


class AgentAuth:
    """Knows agents by their tokens."""

    def __init__(self, credentials: Credentials, refused: Refused) -> None:
        self._credentials = credentials
        self._refused = refused

    async def __call__(self, request: web.Request) -> Agent:
        """Return the agent whose token *request* carries.

        Raises:
            NotAuthenticated: as :func:`bearer`, or the token is unknown or has ended.
        """
        token = bearer(request, kind=TokenKind.AGENT, refused=self._refused)
        try:
            return await self._credentials.agent(token)
        except NotAuthenticated:
            self._refused("unknown")
            raise


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
            NotAuthenticated: as :func:`bearer`, or the token is unknown or has ended.
            NotPermitted: the person has neither role.
        """
        if self._trust_socket and hdrs.AUTHORIZATION not in request.headers:
            return _OPERATOR
        token = bearer(request, kind=TokenKind.ADMIN, refused=self._refused)
        try:
            person = await self._credentials.admin(token)
        except NotAuthenticated:
            self._refused("unknown")
            raise
        if not person.roles & {Role.ADMIN, Role.AUDITOR}:
            raise NotPermitted("This person has no role on the admin interface.")
        return AdminCaller(person_actor(person.id), may_change=Role.ADMIN in person.roles)

    async def changer(self, request: web.Request) -> AdminCaller:
        """Return who calls, an admin.

        Raises:
            NotAuthenticated: as :meth:`reader`.
            NotPermitted: the person is not an admin.
        """
        caller = await self.reader(request)
        if not caller.may_change:
            raise NotPermitted("An auditor reads and changes nothing.")
        return caller
