"""Admins register resource servers, and renew or end their credentials."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from bot.core.actors import Actor, ResourceServer
from bot.core.errors import Conflict, InvalidInput, NotFound
from bot.core.ids import ID_ENTROPY_BYTES, ResourceServerId, resource_server_id
from bot.core.leaf import LeafDraft
from bot.core.step import Ask, Refusal, Snapshot, Step, Transition
from bot.core.tokens import TokenKind
from bot.ports.queries import (
    ResourceServerById,
    ResourceServerByName,
    ResourceServers,
    TokensOf,
)
from bot.service.gate import Gate
from bot.service.programs import ended_by, new_token, renewed, require_name, require_overlap

_AUDIENCE = re.compile(r"[\x21-\x7e]{1,200}")


class ResourceBook:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._naming = asyncio.Lock()

    async def create(self, actor: Actor, *, name: str, audience: str) -> tuple[ResourceServer, str]:
        """Register a resource server; return it and its token, which is shown this once.

        Several may redeem for one audience.

        Raises:
            InvalidInput: the name or the audience is malformed.
            Conflict: the name is taken.
        """
        require_name(name, of="A resource server")
        if not _AUDIENCE.fullmatch(audience):
            raise InvalidInput(
                "An audience is 1 to 200 visible ASCII characters, without blanks.",
                field="/audience",
            )
        async with self._naming:
            if await self._gate.store.read(ResourceServerByName(name)) is not None:
                raise Conflict(
                    f"There is a resource server called '{name}' already.",
                    remedy="Choose another name: a name is for one alone, for good.",
                )
            new = resource_server_id(self._gate.entropy(ID_ENTROPY_BYTES))
            secret, token = new_token(self._gate, TokenKind.RESOURCE, holder=new)

            def step(snapshot: Snapshot) -> Step[ResourceServer]:
                server = ResourceServer(
                    id=new, name=name, audience=audience, created_at=snapshot.now
                )
                issued = replace(token, created_at=snapshot.now)
                leaf = _leaf("resource_server.created", server, actor, token=issued.id)
                return Transition(value=server, puts=(server, issued), leaves=(leaf,))

            return await self._gate.commit(Ask(), step), secret

    async def rotate(
        self, actor: Actor, server: ResourceServerId, *, overlap_s: int
    ) -> tuple[ResourceServer, str]:
        """Give the resource server a new token; the earlier ones end after *overlap_s* seconds.

        Raises:
            NotFound: there is no such resource server.
            InvalidInput: the overlap is too long, or the resource server has been revoked.
        """
        require_overlap(overlap_s)
        found = await self.get(server)
        if not found.active:
            raise InvalidInput(
                "This resource server has been revoked.", remedy="Register a new one instead."
            )
        earlier = await self._gate.store.read(TokensOf(server))
        secret, token = new_token(self._gate, TokenKind.RESOURCE, holder=server)

        def step(snapshot: Snapshot) -> Step[ResourceServer]:
            tokens = renewed(token, earlier=earlier, now=snapshot.now, overlap_s=overlap_s)
            leaf = _leaf(
                "resource_server.token_rotated", found, actor, token=token.id, overlap_s=overlap_s
            )
            return Transition(value=found, puts=tokens, leaves=(leaf,))

        return await self._gate.commit(Ask(), step), secret

    async def revoke(
        self, actor: Actor, server: ResourceServerId, *, reason: str
    ) -> ResourceServer:
        """End the resource server for good: from now on it redeems nothing.

        Raises:
            NotFound: there is no such resource server.
        """
        tokens = await self._gate.store.read(TokensOf(server))

        def step(snapshot: Snapshot) -> Step[ResourceServer]:
            if snapshot.resource_server is None:
                return Refusal(NotFound("There is no such resource server."))
            ended = replace(snapshot.resource_server, active=False)
            leaf = _leaf("resource_server.revoked", ended, actor, private={"reason": reason})
            return Transition(
                value=ended, puts=(ended, *ended_by(snapshot.now, tokens)), leaves=(leaf,)
            )

        return await self._gate.commit(Ask(resource_server=server), step)

    async def list(self) -> Sequence[ResourceServer]:
        return await self._gate.store.read(ResourceServers())

    async def get(self, ref: str) -> ResourceServer:
        """Return the resource server with the id or name *ref*.

        Raises:
            NotFound: there is none.
        """
        found = await self._gate.store.read(ResourceServerById(ResourceServerId(ref)))
        found = found or await self._gate.store.read(ResourceServerByName(ref))
        if found is None:
            raise NotFound(
                f"There is no resource server '{ref}'.",
                remedy="List the resource servers to see them all.",
            )
        return found


def _leaf(
    type_: str,
    server: ResourceServer,
    actor: Actor,
    *,
    token: str | None = None,
    overlap_s: int | None = None,
    private: dict[str, str] | None = None,
) -> LeafDraft:
    return LeafDraft(
        type=type_,
        actor=actor,
        clear={
            "resource_server": server.id,
            "audience": server.audience,
            "active": server.active,
            **({} if token is None else {"token": token}),
            **({} if overlap_s is None else {"overlap_s": overlap_s}),
        },
        private={"name": server.name, **(private or {})},
    )
