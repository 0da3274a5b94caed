"""A backup that was put back aside is made safe before it goes into its place."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import orjson

from bot.core.actors import RESTORER
from bot.core.erasure import PERSON_ERASED, Erasure
from bot.core.errors import Conflict, NotFound
from bot.core.identity import LinkedIdentity
from bot.core.ids import ID_ENTROPY_BYTES, PersonId, ProposalId, halt_id
from bot.core.news import with_news
from bot.core.proposal import Proposal
from bot.core.states import TERMINAL, State
from bot.core.step import Ask, IdempotencyRef, Record, Snapshot, Step
from bot.core.transitions import restoring
from bot.core.transitions.restoring import Reopened
from bot.ports.queries import (
    AgentById,
    Agents,
    Leaves,
    LinkOf,
    LinksOfPerson,
    People,
    PersonById,
    ProposalById,
    Proposals,
    Query,
    TokenById,
    TokensOf,
)
from bot.ports.store import Store

T = TypeVar("T")

_PAGE = 200
_NOT_FINAL = tuple(state for state in State if state not in TERMINAL)


class Readable(Protocol):
    """The database that is replaced, as far as it can be read."""

    async def read(self, query: Query[T]) -> T: ...


@dataclass(slots=True, kw_only=True)
class Restored:
    """What became of what; ``erase_again`` are people whose erasure has to wait."""

    revoked: int = 0
    in_doubt: int = 0
    carried_over: int = 0
    narrowed: int = 0
    erased: int = 0
    erase_again: tuple[str, ...] = ()


class Restore:
    """*since* is the database that is replaced; None where there is none, or none to be read."""

    def __init__(
        self,
        store: Store,
        *,
        reopened: Reopened,
        since: Readable | None,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._reopened = reopened
        self._since = since
        self._entropy = entropy
        self._restored = Restored()

    async def make_safe(self) -> Restored:
        """Open the new log, stop everything, end what is open, keep what was learned since.

        Raises:
            StoreUnavailable: it could not be written.
        """
        halt = halt_id(self._entropy(ID_ENTROPY_BYTES))
        await self._store.transact(
            Ask(), lambda snapshot: restoring.open_log(snapshot, self._reopened, halt_id=halt)
        )
        async for proposal in _all(self._store, _NOT_FINAL):
            await self._end(proposal)
        if self._since is not None:
            await self._carry_over(self._since)
            await self._narrow(self._since)
            await self._erase(self._since)
        return self._restored

    async def _end(self, proposal: Proposal) -> None:
        since = None
        if self._since is not None:
            since = await self._since.read(ProposalById(proposal.id))
        await self._store.transact(
            Ask(proposals=(proposal.id,)),
            lambda snapshot: restoring.end_open(
                snapshot, proposal.id, reason=self._reopened.reason, since=since
            ),
        )
        ended = await self._store.read(ProposalById(proposal.id))
        if ended is not None and ended.state is State.IN_DOUBT:
            self._restored.in_doubt += 1
        else:
            self._restored.revoked += 1

    async def _carry_over(self, since: Readable) -> None:
        for proposal in reversed([one async for one in self._unknown(since)]):
            committed = await self._store.transact(
                Ask(
                    proposals=(proposal.id,),
                    agent=proposal.agent,
                    idempotency=IdempotencyRef(agent=proposal.agent, key=proposal.idempotency_key),
                ),
                partial(_carried, proposal, self._reopened.reason),
            )
            self._restored.carried_over += committed.first_leaf is not None

    async def _unknown(self, since: Readable) -> AsyncIterator[Proposal]:
        """Yield what was first committed after the backup, newest first."""
        async for proposal in _all(since, ()):
            if await self._store.read(ProposalById(proposal.id)) is not None:
                return
            yield proposal

    async def _narrow(self, since: Readable) -> None:
        """Take away again what agents and people had lost since, and end their ended tokens."""
        for agent in await self._store.read(Agents()):
            agent_now = await since.read(AgentById(agent.id))
            await self._narrow_one(agent, agent_now)
            await self._end_tokens(agent.id, since)
        for person in await self._store.read(People()):
            person_now = await since.read(PersonById(person.id))
            await self._narrow_one(person, person_now)
            await self._end_tokens(person.id, since)
            await self._part(person.id, since)

    async def _part(self, person: PersonId, since: Readable) -> None:
        for linked in await self._store.read(LinksOfPerson(person)):
            linked_now = await since.read(LinkOf(linked.identity))
            committed = await self._store.transact(Ask(), partial(_parted, linked, linked_now))
            self._restored.narrowed += committed.first_leaf is not None

    async def _end_tokens(self, holder: str, since: Readable) -> None:
        for token in await self._store.read(TokensOf(holder)):
            token_now = await since.read(TokenById(token.id))
            await self._narrow_one(token, token_now)

    async def _narrow_one(self, record: Record, later: Record | None) -> None:
        if later is not None:
            step = partial(_narrowed, record, later)
            committed = await self._store.transact(Ask(), step)
            self._restored.narrowed += committed.first_leaf is not None

    async def _erase(self, since: Readable) -> None:
        """Erase anew whoever was erased after the backup was made."""
        async for person in _erased_since(since, self._reopened.before.size):
            try:
                await self._store.erase(
                    Erasure(person=person, actor=RESTORER, reason=self._reopened.reason)
                )
            except Conflict:
                self._restored.erase_again += (person,)
            except NotFound:
                continue
            else:
                self._restored.erased += 1


def _carried(proposal: Proposal, reason: str, snapshot: Snapshot) -> Step[None]:
    return with_news(snapshot, restoring.carry_over(snapshot, proposal, reason=reason))


def _narrowed(record: Record, later: Record, _: Snapshot) -> Step[None]:
    return restoring.narrow(record, later)


def _parted(linked: LinkedIdentity, later: LinkedIdentity | None, _: Snapshot) -> Step[None]:
    return restoring.part(linked, later)


async def _all(store: Readable, states: tuple[State, ...]) -> AsyncIterator[Proposal]:
    before: ProposalId | None = None
    while page := await store.read(Proposals(states=states, before=before, limit=_PAGE)):
        for proposal in page:
            yield proposal
        before = page[-1].id


async def _erased_since(since: Readable, start: int) -> AsyncIterator[PersonId]:
    while page := await since.read(Leaves(start=start, limit=_PAGE)):
        for leaf in page:
            if leaf.type == PERSON_ERASED:
                yield PersonId(orjson.loads(leaf.body)["person"])
        start = page[-1].index + 1
