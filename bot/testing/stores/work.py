"""Effects: asked for once, held by one at a time, fenced by attempt."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from bot.core.effects import EffectKind, Postponed, deliver, execute, look_up, refresh, sweep
from bot.core.errors import Conflict
from bot.core.step import Ask, Transition
from bot.ports.queries import AgentById, EffectsOf, NextDue
from bot.ports.store import Store
from bot.testing.clock import ManualClock
from bot.testing.proposals import NOW
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
        assert list(await store.read(EffectsOf(effect.subject))) == []

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

    async def test_a_crowd_of_workers_gets_each_effect_once(self, store: Store) -> None:
        later = NOW + timedelta(seconds=1)
        ids = [acts.proposal(n).id for n in range(20)]
        await acts.keep(store, effects=[look_up(id, due_at=later) for id in ids])
        _set(store, later)

        taken = await asyncio.gather(*(acts.lease_all(store, limit=3) for _ in range(16)))

        subjects = [lease.effect.subject for leases in taken for lease in leases]
        assert sorted(subjects) == sorted(ids)
        assert max(map(len, taken)) <= 3
