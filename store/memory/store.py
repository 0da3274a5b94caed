"""The contract of the store in its plainest form: every step runs alone, nothing is durable."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar, assert_never, cast

from bot.core.effects import EffectKind, Lease
from bot.core.erasure import Erased, Erasure
from bot.core.errors import StoreUnavailable
from bot.core.proposal import Proposal
from bot.core.step import Ask, Committed, Refusal, Replay, Snapshot, Step, Transition
from bot.ports.clock import Clock
from bot.ports.queries import Query
from bot.ports.store import Change
from store.changes import Changes, Watch
from store.memory.answers import answer
from store.memory.records import Records
from store.sealing import seal_all

T = TypeVar("T")


class MemoryStore:
    """A `bot.ports.store.Store` that forgets at exit.

    Due effects are born leased for *birth_lease_s* seconds; 0 leaves them to :meth:`lease`.
    """

    def __init__(self, *, clock: Clock, birth_lease_s: float = 30.0) -> None:
        self._clock = clock
        self._birth_lease_s = birth_lease_s
        self._records = Records(now=clock.now())
        self._changes = Changes()
        self._position = 0
        self._log_is_broken = False
        self._is_closed = False

    def break_log(self) -> None:
        """Make every later leaf fail to be written, as a full disk would."""
        self._log_is_broken = True

    def mend_log(self) -> None:
        """Let leaves be written again."""
        self._log_is_broken = False

    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        await self._turn()
        records = self._records
        records.tick(self._clock.now())
        made = step(self._snapshot(ask))
        match made:
            case Replay(value):
                return Committed(value=value)
            case Refusal(error):
                raise error
            case Transition():
                with records.together():
                    committed = self._apply(made)
                self._publish(made)
                return committed
            case _:
                assert_never(made)

    async def lease(self, kinds: Sequence[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        await self._turn()
        records = self._records
        records.tick(self._clock.now())
        return records.lease(kinds, limit=limit, for_s=for_s)

    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        await self._turn()
        records = self._records
        records.tick(self._clock.now())
        erasing = records.erasing(erasure.person)
        made = erasing.step(self._snapshot(Ask(person=erasure.person)), erasure)
        match made:
            case Replay(value):
                return Committed(value=value)
            case Refusal(error):
                raise error
            case Transition():
                with records.together():
                    records.close(erasing.indexes)
                    committed = self._apply(made)
                records.forget_undo()
                self._publish(made)
                return committed
            case _:
                assert_never(made)

    async def read(self, query: Query[T]) -> T:
        self._refuse_when_closed()
        return cast("T", answer(query, self._records))

    def watch(self, after: int | None = None) -> Watch:
        return self._changes.watch(after)

    async def close(self) -> None:
        self._is_closed = True
        self._changes.close()

    async def _turn(self) -> None:
        """Give others the chance to come first, as a disk would."""
        self._refuse_when_closed()
        await asyncio.sleep(0)
        self._refuse_when_closed()

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise StoreUnavailable("The store is closed.")

    def _snapshot(self, ask: Ask) -> Snapshot:
        records = self._records
        key = None
        if ask.idempotency is not None:
            key = records.keys.get((ask.idempotency.agent, ask.idempotency.key))
        return Snapshot(
            now=records.now,
            proposals={
                wanted: records.proposals[wanted]
                for wanted in ask.proposals
                if wanted in records.proposals
            },
            agent=None if ask.agent is None else records.agents.get(ask.agent),
            person=None if ask.person is None else records.people.get(ask.person),
            resource_server=(
                None
                if ask.resource_server is None
                else records.resource_servers.get(ask.resource_server)
            ),
            identity=None if ask.identity is None else records.identities.get(ask.identity.key),
            replayed=None if key is None else records.proposals[key],
            pending_of_agent=sum(
                n for (agent, _), n in records.pending.items() if agent == ask.pending_of_agent
            ),
            pending_of_principal=sum(
                n
                for (_, person), n in records.pending.items()
                if person == ask.pending_of_principal
            ),
            halts=tuple(h for h in records.halts.values() if h.is_active or not h.swept),
            told=frozenset(a.id for a in records.agents.values() if a.is_told),
            routes=tuple(records.routes.values()),
            policy_digest=records.policy_digest,
        )

    def _apply(self, made: Transition[T]) -> Committed[T]:
        records = self._records
        for lease in made.done:
            records.finish(lease)
        for postponed in made.postponed:
            records.postpone(postponed)
        for renewed in made.renewed:
            records.renew(renewed)
        for record in made.puts:
            records.put(record)
        first = records.frontier.size
        leaves = seal_all(
            made.leaves, first=first, at=records.now, policy_digest=records.policy_digest
        )
        for leaf in leaves:
            if self._log_is_broken:
                raise StoreUnavailable("The log cannot be written.")
            records.append(leaf)
            records.now = leaf.at
        leases = records.add(made.effects, birth_lease_s=self._birth_lease_s)
        return Committed(
            value=made.value, leases=tuple(leases), first_leaf=first if leaves else None
        )

    def _publish(self, made: Transition[T]) -> None:
        news = []
        for record in made.puts:
            if isinstance(record, Proposal):
                self._position += 1
                news.append(
                    Change(
                        position=self._position,
                        proposal=record.id,
                        state=record.state,
                        changed_at=record.changed_at,
                    )
                )
        if news:
            self._changes.publish(news)
