"""Effects: asked for once, held by one at a time, fenced by attempt."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from bot.core.effects import (
    Effect,
    EffectKind,
    Postponed,
    deliver,
    execute,
    look_up,
    refresh,
    sweep,
)
from bot.core.errors import Conflict
from bot.core.step import Ask, Transition
from bot.ports.queries import AgentById, EffectsOf, NextDue
from bot.ports.store import Store
from bot.testing.clock import ManualClock
from bot.testing.stores import acts

#: Longer than any lease that a store gives at birth.
LONG_S: Final = 24 * 3600


class Work:
    """What `bot.ports.store.Store` promises about effects and leases."""

    async def test_a_due_effect_is_leased_at_birth_or_found(
        self, store: Store, clock: ManualClock
    ) -> None:
        effects = [deliver(acts.proposal(1).id), execute(acts.proposal(1).id)]

        leases = await acts.begin(store, *effects)

        assert [lease.effect for lease in leases] == effects
        assert [lease.attempt for lease in leases] == [1, 1]
        assert all(lease.until > clock.now() for lease in leases)
        assert await acts.lease_all(store) == []

    async def test_an_effect_is_added_once_whether_done_or_not(self, store: Store) -> None:
        effect = deliver(acts.proposal(1).id)
        (lease,) = await acts.begin(store, effect)

        assert await acts.begin(store, effect, effect) == []
        await acts.keep(store, done=[lease])
        assert await acts.begin(store, effect) == []
        assert await acts.listed(store, EffectsOf(effect.subject)) == []

    async def test_an_effect_of_a_later_time_waits_for_it(
        self, store: Store, clock: ManualClock
    ) -> None:
        effect = look_up(acts.proposal(1).id, due_at=clock.now() + timedelta(seconds=60))

        assert await acts.begin(store, effect) == []
        assert await store.read(NextDue()) == effect.due_at
        clock.advance(59)
        assert await acts.lease_all(store) == []
        clock.advance(1)
        (lease,) = await acts.lease_all(store)
        assert (lease.effect, lease.attempt) == (effect, 1)

    async def test_a_crowd_of_workers_gets_each_effect_once(
        self, store: Store, clock: ManualClock
    ) -> None:
        ids = [acts.proposal(n).id for n in range(20)]
        later = clock.now() + timedelta(seconds=1)
        await acts.keep(store, effects=[look_up(each, due_at=later) for each in ids])
        clock.advance(1)

        taken = await asyncio.gather(*(acts.lease_all(store, limit=3) for _ in range(16)))

        subjects = [lease.effect.subject for leases in taken for lease in leases]
        assert sorted(subjects) == sorted(ids)
        assert max(map(len, taken)) <= 3

    async def test_a_lease_that_ran_out_goes_to_another_and_fences_the_first(
        self, store: Store, clock: ManualClock
    ) -> None:
        (first,) = await acts.begin(store, execute(acts.proposal(1).id))
        clock.advance(LONG_S)
        (second,) = await acts.lease_all(store, for_s=60)

        assert second.effect == first.effect
        assert second.attempt == first.attempt + 1
        before = await acts.head(store)
        with pytest.raises(Conflict):
            await acts.keep(store, acts.SCOUT, leaves=[acts.draft()], done=[first])
        assert await store.read(AgentById(acts.SCOUT.id)) is None
        assert await acts.head(store) == before

        await acts.keep(store, done=[second])
        with pytest.raises(Conflict):
            await acts.keep(store, done=[second])

    async def test_a_lease_is_held_for_as_long_as_was_asked(
        self, store: Store, clock: ManualClock
    ) -> None:
        await acts.begin(store, execute(acts.proposal(1).id))
        clock.advance(LONG_S)
        (lease,) = await acts.lease_all(store, for_s=60)

        assert await store.read(NextDue()) == lease.until
        assert timedelta(seconds=60) <= lease.until - clock.now() < timedelta(seconds=61)
        clock.set(lease.until - timedelta(seconds=1))
        assert await acts.lease_all(store) == []
        clock.set(lease.until)
        assert len(await acts.lease_all(store)) == 1

    async def test_a_lost_lease_refuses_the_whole_transition(self, store: Store) -> None:
        kept, lost = await acts.begin(
            store, deliver(acts.proposal(1).id), execute(acts.proposal(1).id)
        )
        stale = replace(lost, attempt=lost.attempt + 1)

        with pytest.raises(Conflict):
            await acts.keep(store, done=[kept, stale])

        assert len(await acts.listed(store, EffectsOf(acts.proposal(1).id))) == 2
        await acts.keep(store, done=[kept, lost])
        assert await acts.listed(store, EffectsOf(acts.proposal(1).id)) == []

    async def test_what_is_postponed_comes_back_in_its_time_to_the_next_holder(
        self, store: Store, clock: ManualClock
    ) -> None:
        (lease,) = await acts.begin(store, deliver(acts.proposal(1).id))
        due_at = clock.now() + timedelta(seconds=90)

        await _postpone(store, Postponed(lease=lease, due_at=due_at))

        assert await store.read(NextDue()) == due_at
        assert await acts.lease_all(store) == []
        with pytest.raises(Conflict):
            await acts.keep(store, done=[lease])
        with pytest.raises(Conflict):
            await _postpone(store, Postponed(lease=lease, due_at=due_at))
        clock.set(due_at)
        (again,) = await acts.lease_all(store)
        assert again.effect == replace(lease.effect, due_at=due_at)
        assert again.attempt == lease.attempt + 1

    async def test_only_the_kinds_asked_for_are_leased_the_oldest_first(
        self, store: Store, clock: ManualClock
    ) -> None:
        def after(effect: Effect, seconds: int) -> Effect:
            return replace(effect, due_at=clock.now() + timedelta(seconds=seconds))

        p = [acts.proposal(n).id for n in range(3)]
        effects = [
            after(execute(p[0]), 3),
            after(refresh(p[1], "decided"), 1),
            after(execute(p[2]), 2),
            after(sweep("hlt_1"), 4),
        ]
        await acts.keep(store, effects=effects)
        clock.advance(10)

        (oldest,) = await acts.lease_all(store, EffectKind.EXECUTE, limit=1)
        assert oldest.effect.subject == p[2]
        rest = await acts.lease_all(store, EffectKind.EXECUTE, EffectKind.REFRESH)
        assert [lease.effect.subject for lease in rest] == [p[1], p[0]]
        assert await acts.lease_all(store, EffectKind.DELIVER) == []

    async def test_what_is_still_to_be_done_is_told_by_subject(self, store: Store) -> None:
        one, other = acts.proposal(1).id, acts.proposal(2).id
        leases = await acts.begin(store, deliver(one), execute(one), deliver(other))
        await acts.keep(store, done=[leases[0]])

        assert await acts.listed(store, EffectsOf(one)) == [execute(one)]
        assert await acts.listed(store, EffectsOf(other)) == [deliver(other)]

    async def test_the_next_clock_is_a_proposals_or_an_effects(
        self, store: Store, clock: ManualClock
    ) -> None:
        assert await store.read(NextDue()) is None
        held = await acts.hold(store)
        assert await store.read(NextDue()) == held.expires_at

        sooner = clock.now() + timedelta(seconds=5)
        await acts.keep(store, effects=[look_up(held.id, due_at=sooner)])
        assert await store.read(NextDue()) == sooner


async def _postpone(store: Store, postponed: Postponed) -> None:
    await store.transact(Ask(), lambda _: Transition(value=None, leaves=(), postponed=(postponed,)))
