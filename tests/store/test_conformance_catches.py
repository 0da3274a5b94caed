"""The suite must fail on a store that does not keep the contract: faults planted in copies."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from bot.core.actors import OPERATOR
from bot.core.effects import EffectKind, Lease
from bot.core.erasure import Erased, Erasure
from bot.core.errors import KeyturnError, StoreUnavailable
from bot.core.leaf import LeafDraft
from bot.core.news import News
from bot.core.states import State
from bot.core.step import Ask, Committed, Refusal, Replay, Snapshot, Step, Transition
from bot.ports.queries import Leaves, NewsOfProposal, Query
from bot.ports.store import Change
from bot.testing.clock import ManualClock
from bot.testing.store import StoreConformance
from store.memory import MemoryStore
from store.memory.records import Records
from store.sealing import seal_all

T = TypeVar("T")


class ForgetsTheLeaf(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        return super()._apply(replace(made, leaves=()))


class SealsTheLeafAfterwards(MemoryStore):
    """The change first, then the log: as an audit that is written best-effort."""

    def _apply(self, made: Transition[T]) -> Committed[T]:
        committed = super()._apply(replace(made, leaves=()))
        records = self._records
        first = records.frontier.size
        leaves = seal_all(
            made.leaves, first=first, at=records.now, policy_digest=records.policy_digest
        )
        for leaf in leaves:
            if self._log_is_broken:
                records._undo.clear()  # what was changed stays changed
                raise StoreUnavailable("The log cannot be written.")
            records.append(leaf)
            records.now = leaf.at
        return replace(committed, first_leaf=first if leaves else None)


class SealsUnderTheOldPolicy(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        committed = super()._apply(replace(made, puts=()))
        super()._apply(replace(made, leaves=(), effects=(), done=(), postponed=()))
        return committed


class DoesNotFence(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        done = []
        for lease in made.done:
            work = replace(self._records.work[lease.effect.id], held=True)
            self._records.work[lease.effect.id] = work
            done.append(replace(lease, attempt=work.attempt))
        return super()._apply(replace(made, done=tuple(done)))


class LeasesWhatIsHeld(MemoryStore):
    async def lease(self, kinds: Sequence[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        for effect_id, work in self._records.work.items():
            if work.held:
                self._records.work[effect_id] = replace(work, ready_at=self._records.now)
        return await super().lease(kinds, limit=limit, for_s=for_s)


class WritesAReplay(MemoryStore):
    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        def written(snapshot: Snapshot) -> Step[T]:
            made = step(snapshot)
            if isinstance(made, Replay):
                return Transition(value=made.value, puts=(), leaves=(_DRAFT,))
            return made

        return await super().transact(ask, written)


class LetsTimeGoBack(MemoryStore):
    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        self._records.now = self._clock.now() - timedelta(microseconds=1)
        return await super().transact(ask, step)


class AddsAnEffectAgain(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        for effect in made.effects:
            self._records.work.pop(effect.id, None)
        return super()._apply(made)


class ForgetsDoneEffects(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        committed = super()._apply(made)
        for lease in made.done:
            del self._records.work[lease.effect.id]
        self._records._undo.clear()
        return committed


class HalfWritesWhatFails(MemoryStore):
    def __init__(self, *, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self._records = _NeverUndone(now=clock.now())


class WritesARefusal(MemoryStore):
    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        refused: list[KeyturnError] = []

        def written(snapshot: Snapshot) -> Step[T | None]:
            made = step(snapshot)
            if isinstance(made, Refusal):
                refused.append(made.error)
                return Transition(value=None, leaves=(_DRAFT,))
            return made

        committed: Committed[Any] = await super().transact(ask, written)
        if refused:
            raise refused[0]
        return committed


class DecidesOnAnOldSnapshot(MemoryStore):
    """Reads, waits, writes: what two clicks at once come through."""

    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        self._refuse_when_closed()
        self._records.tick(self._clock.now())
        made = step(self._snapshot(ask))
        await asyncio.sleep(0)
        return await super().transact(Ask(), lambda _: made)


class ForgetsAHaltOnceResumed(MemoryStore):
    def _snapshot(self, ask: Ask) -> Snapshot:
        snapshot = super()._snapshot(ask)
        return replace(snapshot, halts=tuple(halt for halt in snapshot.halts if halt.is_active))


class ForgetsWhoIsTold(MemoryStore):
    def _snapshot(self, ask: Ask) -> Snapshot:
        snapshot = super()._snapshot(ask)
        return replace(snapshot, told=frozenset(self._records.agents))


class TellsEveryLeafAsNews(MemoryStore):
    async def read(self, query: Query[T]) -> T:
        if not isinstance(query, NewsOfProposal):
            return await super().read(query)
        told: Any = [
            News(
                cursor=leaf.index,
                proposal=query.proposal,
                state=State(json.loads(leaf.body)["state"]),
                at=leaf.at,
            )
            for leaf in await super().read(Leaves(proposal=query.proposal))
        ]
        return told


class CountsPendingLate(MemoryStore):
    def _snapshot(self, ask: Ask) -> Snapshot:
        snapshot = super()._snapshot(ask)
        return replace(
            snapshot,
            pending_of_agent=max(0, snapshot.pending_of_agent - 1),
            pending_of_principal=max(0, snapshot.pending_of_principal - 1),
        )


class TellsBeforeItIsTrue(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        self._publish(made)
        return super()._apply(made)


class ForgetsToTell(MemoryStore):
    def _publish(self, made: Transition[T]) -> None:
        """Leave everybody asleep."""


class ReadsOnAfterClosing(MemoryStore):
    async def read(self, query: Query[T]) -> T:
        closed, self._is_closed = self._is_closed, False
        try:
            return await super().read(query)
        finally:
            self._is_closed = closed


class StartsWatchingLate(MemoryStore):
    def watch(self, after: int | None = None) -> Any:
        return self._late(after)

    async def _late(self, after: int | None) -> AsyncIterator[Change]:
        async for change in super().watch(after):
            yield change


class KeepsTheOpenings(MemoryStore):
    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        leaves = dict(self._records.leaves)
        committed = await super().erase(erasure)
        self._records.leaves |= leaves
        return committed


class RewritesTheLog(MemoryStore):
    """Removes the entries themselves, as whoever has no commitments would have to."""

    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        committed = await super().erase(erasure)
        for index, leaf in self._records.leaves.items():
            if not leaf.openings:
                self._records.leaves[index] = replace(leaf, body=b"{}")
        return committed


class ErasesInTwoCommits(MemoryStore):
    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        self._records.close(self._records.erasing(erasure.person).indexes)
        return await super().erase(erasure)


class KeepsTheIdentities(MemoryStore):
    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        kept = dict(self._records.identities)
        committed = await super().erase(erasure)
        self._records.identities.update(kept)
        return committed


class ForgetsARoute(MemoryStore):
    def _snapshot(self, ask: Ask) -> Snapshot:
        return replace(super()._snapshot(ask), routes=())


class LetsTwoHaveOneAddress(MemoryStore):
    def _apply(self, made: Transition[T]) -> Committed[T]:
        self._records.emails.clear()
        return super()._apply(made)


class _NeverUndone(Records):
    @contextmanager
    def together(self) -> Any:
        yield
        self._undo.clear()


_DRAFT = LeafDraft(type="test.happened", actor=OPERATOR)

_CAUGHT_BY = {
    ForgetsTheLeaf: "test_a_step_that_raises_leaves_nothing_and_harms_nobody",
    SealsTheLeafAfterwards: "test_nothing_moves_that_cannot_be_recorded",
    SealsUnderTheOldPolicy: "test_a_leaf_says_where_when_and_under_which_policy",
    DoesNotFence: "test_a_lease_that_ran_out_goes_to_another_and_fences_the_first",
    LeasesWhatIsHeld: "test_a_due_effect_is_leased_at_birth_or_found",
    WritesAReplay: "test_a_replay_writes_nothing",
    WritesARefusal: "test_a_refusal_raises_its_own_error_and_writes_nothing",
    LetsTimeGoBack: "test_the_time_of_a_step_never_repeats_and_never_goes_back",
    AddsAnEffectAgain: "test_an_effect_is_added_once_whether_done_or_not",
    ForgetsDoneEffects: "test_an_effect_is_added_once_whether_done_or_not",
    HalfWritesWhatFails: "test_a_lost_lease_refuses_the_whole_transition",
    DecidesOnAnOldSnapshot: "test_of_64_racing_decisions_exactly_one_wins",
    ForgetsAHaltOnceResumed: "test_every_step_sees_the_halts_that_are_active_or_not_swept",
    ForgetsWhoIsTold: "test_every_step_sees_which_agents_have_a_webhook",
    TellsEveryLeafAsNews: "test_each_state_is_news_once_and_later_leaves_of_it_are_not",
    CountsPendingLate: "test_a_cap_on_pending_holds_against_a_crowd",
    TellsBeforeItIsTrue: "test_nothing_is_told_of_what_was_not_committed",
    ForgetsToTell: "test_every_watcher_hears_of_a_commit",
    StartsWatchingLate: "test_a_watcher_misses_nothing_from_the_moment_it_is_made",
    KeepsTheOpenings: "test_what_opens_their_entries_goes_and_that_of_others_stays",
    RewritesTheLog: "test_no_entry_changes_and_so_the_root_stays",
    ErasesInTwoCommits: "test_an_erasure_that_cannot_be_recorded_erases_nothing",
    KeepsTheIdentities: "test_an_erasure_takes_every_identity_of_the_person",
    ForgetsARoute: "test_a_step_sees_every_route_that_is_set",
    LetsTwoHaveOneAddress: "test_no_two_active_people_have_one_address",
    ReadsOnAfterClosing: "test_closing_finishes_what_was_begun_and_refuses_what_comes",
}

#: How a test fails that found what it looked for; an error of any other kind is the fault's own.
_FAILURES = (AssertionError, pytest.fail.Exception, TimeoutError)


class Suite(StoreConformance):
    patience_s = 0.2


async def run(store: MemoryStore, clock: ManualClock, name: str) -> None:
    async def break_log() -> None:
        store.break_log()

    offered = {"store": store, "clock": clock, "break_log": break_log}
    test = getattr(Suite(), name)
    await test(**{wanted: offered[wanted] for wanted in inspect.signature(test).parameters})


@pytest.mark.parametrize(
    ("fault", "name"), _CAUGHT_BY.items(), ids=lambda each: getattr(each, "__name__", "")
)
async def test_the_suite_catches(fault: type[MemoryStore], name: str, clock: ManualClock) -> None:
    healthy = ManualClock()
    await run(MemoryStore(clock=healthy), healthy, name)

    with pytest.raises(_FAILURES):
        await run(fault(clock=clock), clock, name)
