"""The log: every leaf in the commit of what it records, and nothing without its leaf."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from bot.core.canonical import sha256_digest
from bot.core.effects import EffectKind, deliver, execute
from bot.core.errors import StoreUnavailable
from bot.core.leaf import commitment, timestamp
from bot.core.merkle import EMPTY_ROOT, leaf_hash, root_of
from bot.core.policy_version import PolicyVersion
from bot.core.states import State
from bot.core.step import Ask, Snapshot, Step, Transition
from bot.ports.queries import EffectsOf, Leaves, ProposalById
from bot.ports.store import Store
from bot.testing.clock import ManualClock
from bot.testing.proposals import NOW
from bot.testing.stores import acts

BreakLog = Callable[[], Awaitable[None]]


class Log:
    """What `bot.ports.store.Store.transact` promises about leaves."""

    async def test_an_empty_log_has_the_root_of_nothing(self, store: Store) -> None:
        head = await acts.head(store)

        assert (head.size, head.root) == (0, EMPTY_ROOT)

    async def test_a_leaf_says_where_when_and_under_which_policy(
        self, store: Store, clock: ManualClock
    ) -> None:
        policy = PolicyVersion(digest=sha256_digest(b"p"), text="p", activated_at=NOW)
        await acts.keep(store, leaves=[acts.draft()])
        await acts.keep(store, policy, leaves=[acts.draft(type="policy.activated")])
        held = await acts.hold(store)

        before, activated, leaf = await acts.log(store)
        body = json.loads(leaf.body)
        assert (leaf.index, leaf.type, leaf.proposal) == (2, "test.happened", held.id)
        assert (body["i"], body["at"]) == (2, timestamp(leaf.at))
        assert body["proposal"] == held.id
        assert leaf.at >= clock.now()
        assert json.loads(before.body)["policy"] is None
        assert json.loads(activated.body)["policy"] == policy.digest
        assert body["policy"] == policy.digest

    async def test_the_leaves_of_a_commit_are_consecutive_and_ever_later(
        self, store: Store, clock: ManualClock
    ) -> None:
        async def three() -> int | None:
            return (await acts.keep(store, leaves=[acts.draft()] * 3)).first_leaf

        firsts = await asyncio.gather(*(three() for _ in range(8)))
        clock.advance(-60)
        firsts.append(await three())

        leaves = await acts.log(store)
        assert sorted(first for first in firsts if first is not None) == list(range(0, 27, 3))
        assert [leaf.index for leaf in leaves] == list(range(27))
        assert all(before.at < after.at for before, after in pairwise(leaves))

    async def test_the_next_step_is_later_than_every_leaf_before_it(self, store: Store) -> None:
        await acts.keep(store, leaves=[acts.draft()] * 5)

        now = (await acts.look(store, Ask())).now

        assert now > (await acts.log(store))[-1].at

    async def test_the_root_is_that_of_the_leaves(self, store: Store) -> None:
        for round_ in range(5):
            await asyncio.gather(*(acts.hold(store, 10 * round_ + n) for n in range(round_ + 1)))
            leaves = await acts.log(store)
            head = await acts.head(store)

            assert head.size == len(leaves)
            assert all(leaf.hash == leaf_hash(leaf.body) for leaf in leaves)
            assert head.root == root_of([leaf.hash for leaf in leaves])

    async def test_openings_open_what_the_leaf_commits_to(self, store: Store) -> None:
        held = await acts.hold(store, 1)
        await acts.hold(store, 2)

        leaf, other = await acts.log(store)
        body = json.loads(leaf.body)
        assert {opening.path: opening.value for opening in leaf.openings} == {
            "action": held.action_json,
            "why": held.rationale.why,
        }
        for opening in leaf.openings:
            assert body[opening.path] == {"commitment": commitment(opening)}
        salts = {opening.salt for opening in (*leaf.openings, *other.openings)}
        assert len(salts) == 4
        assert all(len(bytes.fromhex(salt)) >= 16 for salt in salts)

    async def test_what_is_private_is_not_in_the_leaf(self, store: Store) -> None:
        held = await acts.hold(store)

        (leaf,) = await acts.log(store)
        assert held.action_json.encode() not in leaf.body
        assert b"Answer" not in leaf.body

    async def test_a_step_that_fails_leaves_no_gap(self, store: Store) -> None:
        def too_late(_: Snapshot) -> Step[None]:
            raise ZeroDivisionError

        await asyncio.gather(
            acts.hold(store, 1, idempotency_key="k"),
            acts.hold(store, 2, idempotency_key="k"),
            store.transact(Ask(), too_late),
            acts.hold(store, 3),
            return_exceptions=True,
        )

        leaves = await acts.log(store)
        assert [leaf.index for leaf in leaves] == [0, 1]
        assert (await acts.head(store)).root == root_of([leaf.hash for leaf in leaves])

    async def test_leaves_are_read_from_anywhere_and_by_proposal(self, store: Store) -> None:
        first = await acts.hold(store, 1)
        await acts.hold(store, 2)
        await acts.move(store, first.id, State.APPROVED)
        leaves = list(await acts.log(store))

        assert await acts.listed(store, Leaves(start=1)) == leaves[1:]
        assert await acts.listed(store, Leaves(start=1, limit=1)) == leaves[1:2]
        assert await acts.listed(store, Leaves(start=3)) == []
        assert await acts.listed(store, Leaves(proposal=first.id)) == [leaves[0], leaves[2]]
        assert await acts.listed(store, Leaves(start=1, proposal=first.id)) == [leaves[2]]

    async def test_nothing_moves_that_cannot_be_recorded(
        self, store: Store, break_log: BreakLog
    ) -> None:
        held = await acts.hold(store)
        (lease,) = await acts.begin(store, deliver(held.id))
        before = await acts.head(store)
        await break_log()

        with pytest.raises(StoreUnavailable):
            await acts.move(store, held.id, State.APPROVED, effects=[execute(held.id)])
        with pytest.raises(StoreUnavailable):
            await acts.keep(store, acts.SCOUT, leaves=[acts.draft()], done=[lease])
        with pytest.raises(StoreUnavailable):
            await acts.hold(store, 2)

        assert await acts.known(store, held.id) == held
        assert await store.read(ProposalById(acts.proposal(2).id)) is None
        assert [effect.kind for effect in await store.read(EffectsOf(held.id))] == [
            EffectKind.DELIVER
        ]
        assert await acts.head(store) == before
        snapshot = await acts.look(store, Ask(proposals=(held.id,), agent=acts.SCOUT.id))
        assert snapshot.proposals == {held.id: held}
        assert snapshot.agent is None

    async def test_halts_and_policies_that_cannot_be_recorded_are_not_in_force(
        self, store: Store, break_log: BreakLog
    ) -> None:
        policy = PolicyVersion(digest=sha256_digest(b"p"), text="p", activated_at=NOW)
        await break_log()

        with pytest.raises(StoreUnavailable):
            await acts.keep(store, acts.halt("1"), policy, leaves=[acts.draft()])

        def step(snapshot: Snapshot) -> Step[tuple[int, str | None]]:
            value = (len(snapshot.halts), snapshot.policy_digest)
            return Transition(value=value, leaves=())

        assert (await store.transact(Ask(), step)).value == (0, None)
