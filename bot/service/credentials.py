"""Whose token this is: checked anew for every request."""

from bot.core.actors import Agent, Person, ResourceServer, Role, Token
from bot.core.errors import NotAuthenticated
from bot.core.ids import AgentId, PersonId, ResourceServerId
from bot.core.tokens import TokenKind, token_hash, token_kind
from bot.ports.queries import AgentById, PersonById, ResourceServerById, TokenByHash
from bot.service.gate import Gate

_KIND_NAMES = {
    TokenKind.AGENT: "an agent's token",
    TokenKind.MANDATE: "a mandate's token",
    TokenKind.RESOURCE: "a resource server's token",
    TokenKind.SESSION: "a person's session",
    TokenKind.VIEW: "the link to a full view",
    TokenKind.ADMIN: "an admin's token",
}


class Credentials:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def agent(self, token: str) -> Agent:
        """Return the agent that *token* belongs to.

        Raises:
            NotAuthenticated: unknown, ended, of another kind, or the agent is not active.
        """
        known = await self._known(token, TokenKind.AGENT)
        agent = await self._gate.store.read(AgentById(AgentId(known.holder)))
        if agent is None or not agent.active:
            raise self._refused("revoked", "This agent's credential has been revoked.")
        return agent

    async def resource_server(self, token: str) -> ResourceServer:
        """Return the resource server that *token* belongs to.

        Raises:
            NotAuthenticated: unknown, ended, of another kind, or the server is not active.
        """
        known = await self._known(token, TokenKind.RESOURCE)
        server = await self._gate.store.read(ResourceServerById(ResourceServerId(known.holder)))
        if server is None or not server.active:
            raise self._refused("revoked", "This resource server's credential has been revoked.")
        return server

    async def reporter(self, token: str) -> Agent | ResourceServer:
        """Return the agent or resource server that *token* belongs to.

        Raises:
            NotAuthenticated: as for :meth:`agent`.
        """
        if token_kind(token) is TokenKind.RESOURCE:
            return await self.resource_server(token)
        return await self.agent(token)

    async def admin(self, token: str) -> Person:
        """Return the person with the role admin or auditor that *token* belongs to.

        Raises:
            NotAuthenticated: unknown, ended, of another kind, or they lost the role.
        """
        known = await self._known(token, TokenKind.ADMIN)
        person = await self._gate.store.read(PersonById(PersonId(known.holder)))
        if person is None or not person.active or not person.roles & {Role.ADMIN, Role.AUDITOR}:
            raise self._refused("revoked", "This person may no longer use the admin interface.")
        return person

    async def _known(self, token: str, kind: TokenKind) -> Token:
        known = await self._gate.store.read(TokenByHash(token_hash(token)))
        if known is not None and known.kind is kind and known.is_valid(self._gate.clock.now()):
            return known
        found = token_kind(token)
        if found is None:
            raise self._refused("malformed", "This is not a token of Keyturn.")
        if found is not kind:
            raise self._refused(
                "wrong_kind", f"This is {_KIND_NAMES[found]}; here {_KIND_NAMES[kind]} is needed."
            )
        raise self._refused("unknown", "This token is unknown, or its time is over.")

    def _refused(self, label: str, message: str) -> NotAuthenticated:
        self._gate.tally.count("tokens_refused", label)
        return NotAuthenticated(message)
