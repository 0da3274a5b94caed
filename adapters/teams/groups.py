"""Entra's groups as groups of approvers: asked anew each time, for everybody who is linked."""

import asyncio
import logging
import re
from collections.abc import Collection, Sequence
from types import MappingProxyType
from typing import Final

from adapters.teams.graph import MOST_GROUPS, MOST_USERS, Graph
from adapters.teams.references import References
from adapters.teams.transport import ConnectorBusy, ConnectorRefused, ConnectorUnclear
from bot.core.approval import Membership
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.ports.identities import Identities

log = logging.getLogger("keyturn.teams")

_GROUP: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_AT_ONCE: Final = 8


class TeamsGroups:
    """Implements :class:`bot.ports.directory.Directory`: a group is named by its object id.

    In policies it is written ``group:teams:`` and the id: a name can be given to another group.
    Graph answers about the organisation in which the app is registered, and about no other.
    """

    def __init__(
        self,
        *,
        chat: str,
        tenant: str,
        graph: Graph,
        references: References,
        identities: Identities,
    ) -> None:
        self._chat = chat
        self._tenant = tenant
        self._graph = graph
        self._references = references
        self._identities = identities

    async def members(self, groups: Collection[str]) -> Membership:
        asked = {group.lower(): group for group in groups if _GROUP.fullmatch(group.lower())}
        for group in set(groups) - set(asked.values()):
            log.warning("a group is named by its object id alone", extra={"group": group})
        if not asked:
            return MappingProxyType({})
        try:
            found = await self._members(sorted(asked))
        except (ConnectorRefused, ConnectorBusy, ConnectorUnclear) as error:
            log.warning("groups cannot be read", extra={"cause": str(error)})
            return MappingProxyType({})
        return MappingProxyType({asked[group]: people for group, people in found.items() if people})

    async def _members(self, groups: Sequence[str]) -> dict[str, frozenset[PersonId]]:
        linked = await self._linked()
        users = sorted(linked)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def ask(some: Sequence[str], of: Sequence[str]) -> None:
            async with at_once:
                answers = await self._graph.groups_of(some, of)
            for user, theirs in zip(some, answers, strict=True):
                for group in theirs & set(of):
                    found[group].add(linked[user])

        found: dict[str, set[PersonId]] = {group: set() for group in groups}
        await asyncio.gather(
            *(
                ask(some, of)
                for some in _parts(users, MOST_USERS)
                for of in _parts(groups, MOST_GROUPS)
            )
        )
        return {group: frozenset(people) for group, people in found.items()}

    async def _linked(self) -> dict[str, PersonId]:
        """Return the person of each linked account: whoever linked one has spoken here."""
        found: dict[str, PersonId] = {}
        for tenant, user in await self._references.accounts():
            if tenant != self._tenant:
                continue
            identity = ChatIdentity(chat=self._chat, tenant=tenant, user=user)
            person = await self._identities.person(identity)
            if person is not None:
                found[user] = person
        return found


def _parts(values: Sequence[str], size: int) -> list[Sequence[str]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
