"""Steps: alone or in a crowd, each sees what came before it and is kept whole or not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.core.actors import Role, Token
from bot.core.canonical import sha256_digest
from bot.core.errors import Conflict, NotPermitted, StoreUnavailable
from bot.core.halts import HaltScope
from bot.core.ids import TokenId
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Viewed
from bot.core.states import State
from bot.core.step import Ask, IdempotencyRef, Refusal, Replay, Snapshot, Step, Transition
from bot.core.tokens import TokenHash, TokenKind
from bot.ports.queries import (
    ActivePolicy,
    AgentById,
    AgentByName,
    Halts,
    Head,
    PendingCount,
    PersonByHandle,
    PersonById,
    ProposalById,
    ProposalByKey,
    TokenByHash,
    TokenById,
)
from bot.ports.store import Store
from bot.testing.clock import ManualClock
from bot.testing.proposals import NOW
from bot.testing.stores import acts
from bot.testing.stores.acts import ADA, BEN, CLERK, SCOUT

CROWD = 64


class Steps:
    """What `bot.ports.store.Store.transact` promises about records."""

    async def test_what_was_committed_is_read_back_equal(self, store: Store) -> None:
        proposal = acts.proposal(1, before={"title": "Ünïcode", "n": [1, 2.5, None, True]})
        person = replace(ADA, roles=frozenset({Role.ADMIN, Role.AUDITOR}))
        token = _token("tok_1", holder=SCOUT.id)
        policy = _policy("rules: []")
        halt = acts.halt("1", scope=HaltScope.AGENT)

        await acts.keep(store, proposal, person, SCOUT, token, policy, halt)

        assert await store.read(ProposalById(proposal.id)) == proposal
        assert await store.read(ProposalByKey(SCOUT.id, proposal.idempotency_key)) == proposal
        assert await store.read(PersonById(person.id)) == person
        assert await store.read(PersonByHandle(person.handle)) == person
        assert await store.read(AgentById(SCOUT.id)) == SCOUT
        assert await store.read(AgentByName(SCOUT.name)) == SCOUT
        assert await store.read(TokenById(token.id)) == token
        assert await store.read(TokenByHash(token.hash)) == token
        assert await store.read(ActivePolicy()) == policy
        assert await acts.listed(store, Halts()) == [halt]

    async def test_a_later_record_takes_the_place_of_the_one_with_its_id(
        self, store: Store
    ) -> None:
        await acts.keep(store, SCOUT, ADA)
        renamed = replace(SCOUT, name="ranger", purpose="Looks after the forum", active=False)
        await acts.keep(store, renamed, replace(ADA, handle="countess"))

        assert await store.read(AgentById(SCOUT.id)) == renamed
        assert await store.read(AgentByName("ranger")) == renamed
        assert await store.read(AgentByName(SCOUT.name)) is None
        assert await store.read(PersonByHandle(ADA.handle)) is None
        await acts.keep(store, replace(CLERK, name=SCOUT.name))

    async def test_a_replay_writes_nothing(self, store: Store) -> None:
        held = await acts.hold(store)
        before = await acts.head(store)

        again = await store.transact(
            Ask(proposals=(held.id,)), lambda snapshot: Replay(snapshot.proposals[held.id])
        )

        assert again.value == held
        assert again.leases == ()
        assert again.first_leaf is None
        assert await acts.head(store) == before

    async def test_a_refusal_raises_its_own_error_and_writes_nothing(self, store: Store) -> None:
        error = NotPermitted("Not this one.")
        before = await acts.head(store)

        def step(_: Snapshot) -> Step[None]:
            return Refusal(error)

        with pytest.raises(NotPermitted) as caught:
            await store.transact(Ask(), step)

        assert caught.value is error
        assert await acts.head(store) == before

    async def test_of_64_racing_decisions_exactly_one_wins(self, store: Store) -> None:
        held = await acts.hold(store)
        rivals = [
            acts.move(store, held.id, state)
            for state in (State.APPROVED, State.REJECTED, State.WITHDRAWN, State.EXPIRED)
            for _ in range(CROWD // 4)
        ]

        results = await asyncio.gather(*rivals, return_exceptions=True)

        won = [result for result in results if not isinstance(result, BaseException)]
        assert len(won) == 1
        assert sum(isinstance(result, Conflict) for result in results) == CROWD - 1
        assert await acts.known(store, held.id) == won[0]
        assert len(await acts.log(store)) == 2

    async def test_each_step_sees_all_that_came_before_it(self, store: Store) -> None:
        held = await acts.hold(store)

        def look(snapshot: Snapshot) -> Step[int]:
            seen = snapshot.proposals[held.id]
            view = Viewed(person=ADA.id, digest=seen.digest, chat="web", at=snapshot.now)
            looked = replace(seen, views=(*seen.views, view), changed_at=snapshot.now)
            return Transition(value=len(seen.views), puts=(looked,), leaves=(acts.draft(looked),))

        ask = Ask(proposals=(held.id,))
        seen = await asyncio.gather(*(store.transact(ask, look) for _ in range(CROWD)))

        assert sorted(committed.value for committed in seen) == list(range(CROWD))
        assert len((await acts.known(store, held.id)).views) == CROWD

    async def test_a_step_that_raises_leaves_nothing_and_harms_nobody(self, store: Store) -> None:
        def broken(_: Snapshot) -> Step[None]:
            raise ZeroDivisionError

        good, bad, also_good = await asyncio.gather(
            acts.hold(store, 1),
            store.transact(Ask(), broken),
            acts.hold(store, 2),
            return_exceptions=True,
        )

        assert isinstance(bad, ZeroDivisionError)
        assert good == await store.read(ProposalById(acts.proposal(1).id))
        assert also_good == await store.read(ProposalById(acts.proposal(2).id))
        assert [leaf.index for leaf in await acts.log(store)] == [0, 1]

    async def test_what_cannot_be_stored_leaves_nothing(self, store: Store) -> None:
        proposal = acts.proposal(2)
        unfit = replace(proposal, facts=replace(proposal.facts, before=object()))  # type: ignore[arg-type]

        with pytest.raises(TypeError):
            await acts.keep(store, acts.proposal(1), unfit, leaves=[acts.draft()])

        assert await store.read(ProposalById(acts.proposal(1).id)) is None
        assert (await acts.head(store)).size == 0

    async def test_a_key_belongs_to_one_proposal_of_an_agent(self, store: Store) -> None:
        first = await acts.hold(store, 1, idempotency_key="k")
        await acts.hold(store, 2, idempotency_key="k", agent=CLERK.id)
        before = await acts.head(store)

        with pytest.raises(Conflict):
            await acts.keep(
                store, SCOUT, acts.proposal(3, idempotency_key="k"), leaves=[acts.draft()]
            )

        assert await store.read(ProposalByKey(SCOUT.id, "k")) == first
        assert await store.read(AgentById(SCOUT.id)) is None
        assert await acts.head(store) == before

    async def test_names_handles_and_hashes_belong_to_one(self, store: Store) -> None:
        await acts.keep(store, SCOUT, ADA, _token("tok_1", holder=SCOUT.id))

        for thief in (
            replace(CLERK, name=SCOUT.name),
            replace(BEN, handle=ADA.handle),
            replace(_token("tok_2", holder=CLERK.id), hash=_token("tok_1", holder="").hash),
        ):
            with pytest.raises(Conflict):
                await acts.keep(store, thief)

    async def test_a_snapshot_holds_what_was_asked_for_and_no_more(self, store: Store) -> None:
        held = await acts.hold(store, idempotency_key="k")
        await acts.keep(store, SCOUT, ADA)
        unknown = acts.proposal(9).id

        nothing = await acts.look(store, Ask())
        everything = await acts.look(
            store,
            Ask(
                proposals=(held.id, unknown),
                agent=SCOUT.id,
                person=ADA.id,
                idempotency=IdempotencyRef(agent=SCOUT.id, key="k"),
                pending_of_agent=SCOUT.id,
                pending_of_principal=ADA.id,
            ),
        )

        assert (nothing.proposals, nothing.agent, nothing.person) == ({}, None, None)
        assert (nothing.replayed, nothing.pending_of_agent) == (None, 0)
        assert everything.proposals == {held.id: held}
        assert (everything.agent, everything.person) == (SCOUT, ADA)
        assert everything.replayed == held
        assert (everything.pending_of_agent, everything.pending_of_principal) == (1, 1)

    async def test_one_key_makes_one_proposal_however_often_it_is_sent(self, store: Store) -> None:
        made = await asyncio.gather(
            *(acts.submit(store, number, key="k") for number in range(CROWD))
        )

        assert len({proposal.id for proposal in made}) == 1
        assert len(await acts.log(store)) == 1

    async def test_a_cap_on_pending_holds_against_a_crowd(self, store: Store) -> None:
        results = await asyncio.gather(
            *(acts.submit(store, n, key=f"k{n}", pending_cap=10) for n in range(CROWD)),
            return_exceptions=True,
        )

        assert sum(not isinstance(result, BaseException) for result in results) == 10
        assert await store.read(PendingCount(agent=SCOUT.id)) == 10

    async def test_pending_is_counted_by_agent_and_by_principal(self, store: Store) -> None:
        mine = await acts.hold(store, 1)
        await acts.hold(store, 2, principal=BEN.id)
        await acts.hold(store, 3, agent=CLERK.id)
        await acts.hold(store, 4, state=State.APPROVED)

        assert await store.read(PendingCount()) == 3
        assert await store.read(PendingCount(agent=SCOUT.id)) == 2
        assert await store.read(PendingCount(principal=ADA.id)) == 2
        assert await store.read(PendingCount(agent=SCOUT.id, principal=ADA.id)) == 1

        await acts.keep(store, replace(mine, rules=("still-pending",)))
        assert await store.read(PendingCount(agent=SCOUT.id)) == 2

        await acts.move(store, mine.id, State.REJECTED)
        snapshot = await acts.look(
            store, Ask(pending_of_agent=SCOUT.id, pending_of_principal=ADA.id)
        )
        assert (snapshot.pending_of_agent, snapshot.pending_of_principal) == (1, 1)

    async def test_every_step_sees_the_halts_that_are_active_or_not_swept(
        self, store: Store
    ) -> None:
        first = acts.halt("1")
        resumed = replace(first, resumed_at=NOW, resumed_by=first.set_by, resume_reason="Fixed.")

        _, during = await asyncio.gather(acts.keep(store, first), acts.look(store, Ask()))
        assert list(during.halts) == [first]

        await acts.keep(store, resumed)
        assert list((await acts.look(store, Ask())).halts) == [resumed]

        await acts.keep(store, replace(resumed, swept=True))
        assert list((await acts.look(store, Ask())).halts) == []

        still = acts.halt("2", swept=True)
        await acts.keep(store, still)
        assert list((await acts.look(store, Ask())).halts) == [still]
        assert await acts.listed(store, Halts(in_force=True)) == [still]
        assert [halt.id for halt in await store.read(Halts())] == [still.id, first.id]

    async def test_the_policy_in_force_is_the_one_put_last(self, store: Store) -> None:
        old, new = _policy("rules: []"), _policy("rules: [other]")
        assert (await acts.look(store, Ask())).policy_digest is None

        for policy in (old, new, old):
            await acts.keep(store, policy)
            assert (await acts.look(store, Ask())).policy_digest == policy.digest
            assert await store.read(ActivePolicy()) == policy

    async def test_the_time_of_a_step_never_repeats_and_never_goes_back(
        self, store: Store, clock: ManualClock
    ) -> None:
        async def now() -> None:
            times.append((await acts.look(store, Ask())).now)

        times = [clock.now() - timedelta(microseconds=1)]
        await asyncio.gather(*(now() for _ in range(CROWD)))
        clock.advance(60)
        await now()
        assert times[-1] >= clock.now()
        clock.advance(-3600)
        await acts.hold(store)
        await now()

        assert all(earlier < later for earlier, later in pairwise(times))

    async def test_a_caller_that_gives_up_harms_nobody(self, store: Store) -> None:
        quitter = asyncio.ensure_future(acts.hold(store, 1))
        other = asyncio.ensure_future(acts.hold(store, 2))
        await asyncio.sleep(0)
        quitter.cancel()

        assert await other == await store.read(ProposalById(acts.proposal(2).id))
        kept = [await store.read(ProposalById(acts.proposal(n).id)) for n in (1, 2)]
        assert len(await acts.log(store)) == len(kept) - kept.count(None)

    async def test_closing_finishes_what_was_begun_and_refuses_what_comes(
        self, store: Store
    ) -> None:
        begun = [asyncio.ensure_future(acts.hold(store, n)) for n in range(4)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        await store.close()
        await store.close()

        assert [proposal.id for proposal in await asyncio.gather(*begun)]
        with pytest.raises(StoreUnavailable):
            await acts.hold(store, 5)
        with pytest.raises(StoreUnavailable):
            await store.read(Head())
        with pytest.raises(StoreUnavailable):
            await acts.lease_all(store)


def _token(id: str, *, holder: str) -> Token:
    return Token(
        id=TokenId(id),
        kind=TokenKind.AGENT,
        hash=TokenHash(sha256_digest(id.encode())),
        holder=holder,
        created_at=NOW,
    )


def _policy(text: str) -> PolicyVersion:
    return PolicyVersion(digest=sha256_digest(text.encode()), text=text, activated_at=NOW)
