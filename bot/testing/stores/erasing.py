"""Erasure: everything about one person goes, nothing about others, and the log's root stays."""

import asyncio
import json
from dataclasses import replace

import pytest

from bot.core.actors import OPERATOR, Token, person_actor
from bot.core.approval import Choice, Decision
from bot.core.canonical import digest_of
from bot.core.erasure import PERSON_ERASED, Erased, Erasure
from bot.core.errors import Conflict, NotFound, StoreUnavailable
from bot.core.ids import PersonId, TokenId
from bot.core.leaf import LeafDraft
from bot.core.merkle import root_of
from bot.core.proposal import Outcome, Proposal, Rationale, Result
from bot.core.states import State
from bot.core.step import Ask, Committed
from bot.core.tokens import TokenKind, token_hash
from bot.ports.queries import (
    ErasureScope,
    PersonByHandle,
    PersonById,
    ProposalByKey,
    Proposals,
    TokensOf,
)
from bot.ports.store import Store
from bot.testing.proposals import NOW
from bot.testing.stores import acts
from bot.testing.stores.acts import ADA, BEN, CLERK, SCOUT
from bot.testing.stores.log import BreakLog

_SECRET = "what-nobody-may-read-again"  # noqa: S105 - a word to look for
_WHY = Rationale(why=_SECRET)


class Erasing:
    """What `bot.ports.store.Store.erase` promises."""

    async def test_what_opens_their_entries_goes_and_that_of_others_stays(
        self, store: Store
    ) -> None:
        await _introduced(store)
        await acts.hold(store, 1, rationale=_WHY)
        await acts.hold(store, 2, agent=CLERK.id, principal=BEN.id)
        before = await acts.log(store)

        erased = (await _erase(store)).value

        after = await acts.log(store)
        assert [leaf.index for leaf in before if not after[leaf.index].openings] == [0, 2]
        assert after[1].openings == before[1].openings
        assert after[3].openings == before[3].openings
        assert (erased.entries, erased.openings) == (2, 4)

    async def test_no_entry_changes_and_so_the_root_stays(self, store: Store) -> None:
        await _introduced(store)
        await acts.hold(store, 1)
        before, head = await acts.log(store), await acts.head(store)

        await _erase(store)

        after = await acts.log(store)
        for was, now in zip(before, after, strict=False):
            assert replace(now, openings=()) == replace(was, openings=())
        assert root_of([leaf.hash for leaf in after[: head.size]]) == head.root
        assert (await acts.head(store)).root == root_of([leaf.hash for leaf in after])

    async def test_one_entry_covers_what_is_missing(self, store: Store) -> None:
        await _introduced(store)
        held = await acts.hold(store, 1)
        await acts.move(store, held.id, State.REJECTED)

        committed = await _erase(store, reason="Asked for it.")

        last = (await acts.log(store))[-1]
        body = json.loads(last.body)
        assert (last.type, last.index) == (PERSON_ERASED, committed.first_leaf)
        assert (body["person"], body["entries"], body["openings"]) == (ADA.id, 3, 6)
        assert body["covers"] == digest_of([0, 2, 3])
        assert {opening.path: opening.value for opening in last.openings} == {
            "reason": "Asked for it."
        }

    async def test_a_proposal_loses_its_content_and_keeps_its_life(self, store: Store) -> None:
        await _introduced(store)
        held = await acts.hold(store, 1, rationale=_WHY, correlation=_SECRET)
        await acts.move(store, held.id, State.REJECTED)

        await _erase(store)

        found = await acts.known(store, held.id)
        assert found.erased
        assert (found.id, found.digest, found.state) == (held.id, held.digest, State.REJECTED)
        assert (found.created_at, found.principal) == (held.created_at, ADA.id)
        assert _SECRET not in repr(found)
        assert "Answer" not in repr(found)
        assert found.action.verb == held.action.verb
        assert found.action.params == {}

    async def test_what_is_open_ends_in_the_same_commit(self, store: Store) -> None:
        await _introduced(store)
        held = await acts.hold(store, 1)
        other = await acts.hold(store, 2, agent=CLERK.id, principal=BEN.id)

        erased = (await _erase(store)).value

        revoked = await acts.known(store, held.id)
        assert (revoked.state, revoked.reason_by, erased.ended) == (State.REVOKED, OPERATOR, 1)
        assert (await acts.known(store, other.id)).state is State.PENDING
        types = [leaf.type for leaf in await acts.log(store)][-2:]
        assert types == ["proposal.revoked", PERSON_ERASED]
        look = await acts.look(store, Ask(pending_of_principal=ADA.id))
        assert look.pending_of_principal == 0

    @pytest.mark.parametrize("state", [State.EXECUTING, State.REDEEMED, State.IN_DOUBT])
    async def test_what_may_have_been_done_has_to_end_first(
        self, store: Store, state: State
    ) -> None:
        await _introduced(store)
        held = await acts.hold(store, 1, state=state)
        before = await acts.log(store)

        scope = await store.read(ErasureScope(ADA.id))
        with pytest.raises(Conflict, match=held.id):
            await _erase(store)

        assert held.id in scope.obstacles[0]
        assert list(await acts.log(store)) == list(before)
        assert not (await acts.known(store, held.id)).erased

    async def test_agents_that_are_theirs_have_to_be_revoked_first(self, store: Store) -> None:
        await acts.keep(store, ADA, SCOUT)

        with pytest.raises(Conflict, match="scout"):
            await _erase(store)
        await acts.keep(store, replace(SCOUT, active=False))
        await _erase(store)

        agent = (await acts.look(store, Ask(agent=SCOUT.id))).agent
        assert agent is not None
        assert "scout" not in repr(agent)

    async def test_the_person_becomes_nobody(self, store: Store) -> None:
        await _introduced(store)
        token = Token(
            id=TokenId("tok_1"),
            kind=TokenKind.ADMIN,
            hash=token_hash("ktx_1"),
            holder=ADA.id,
            created_at=NOW,
        )
        await acts.keep(store, token)

        await _erase(store)

        person = await store.read(PersonById(ADA.id))
        assert person is not None
        assert not person.active
        assert "ada" not in repr(replace(person, id=PersonId(""))).lower()
        assert await store.read(PersonByHandle(ADA.handle)) is None
        (ended,) = await acts.listed(store, TokensOf(ADA.id))
        assert ended.ends_at is not None

    async def test_their_words_about_what_others_proposed_go(self, store: Store) -> None:
        await _introduced(store)
        held = acts.proposal(1, agent=CLERK.id, principal=BEN.id)
        ada, ben = (_decision(held, person) for person in (ADA.id, BEN.id))
        found = Outcome(
            result=Result.SUCCEEDED,
            reason="settled_by_person",
            detail=_SECRET,
            settled_by=ADA.id,
            at=NOW,
        )
        settled = replace(held, state=State.SUCCEEDED, decisions=(ben, ada), outcome=found)
        rejected = acts.proposal(
            2,
            agent=CLERK.id,
            principal=BEN.id,
            state=State.REJECTED,
            reason=_SECRET,
            reason_by=person_actor(ADA.id),
        )
        halt = acts.halt("1", reason=_SECRET)
        leaf = LeafDraft(
            type="decision.reject",
            actor=person_actor(ADA.id),
            proposal=rejected.id,
            principal=BEN.id,
            private={"reason": _SECRET},
        )
        await acts.keep(store, settled, rejected, halt, leaves=[leaf])

        await _erase(store)

        first, second = await acts.known(store, settled.id), await acts.known(store, rejected.id)
        assert [decision.reason for decision in first.decisions] == [_SECRET, ""]
        assert first.outcome is not None
        assert _SECRET not in first.outcome.detail
        assert second.reason is None
        assert not first.erased
        assert first.action_json == settled.action_json
        (halt,) = (await acts.look(store, Ask())).halts
        assert halt.reason != _SECRET
        assert all(_SECRET not in repr(one.openings) for one in await acts.log(store))

    async def test_a_key_that_was_used_for_them_is_forgotten(self, store: Store) -> None:
        await _introduced(store)
        held = await acts.hold(store, 1, idempotency_key=_SECRET, state=State.SUCCEEDED)

        await _erase(store)

        assert await store.read(ProposalByKey(held.agent, _SECRET)) is None

    async def test_erasing_again_finds_nothing_and_writes_nothing(self, store: Store) -> None:
        await _introduced(store)
        await _erase(store)
        before = await acts.log(store)

        again = await _erase(store)

        assert again.value == Erased(person=ADA.id)
        assert again.first_leaf is None
        assert list(await acts.log(store)) == list(before)

    async def test_what_came_after_an_erasure_can_be_erased_too(self, store: Store) -> None:
        await _introduced(store)
        await _erase(store)
        late = LeafDraft(type="test.happened", actor=OPERATOR, principal=ADA.id, private={"x": "y"})
        await acts.keep(store, leaves=[late])

        erased = (await _erase(store)).value

        assert erased.entries == 1
        covering = [leaf for leaf in await acts.log(store) if leaf.type == PERSON_ERASED]
        assert [len(leaf.openings) for leaf in covering] == [1, 1]

    async def test_nobody_is_erased_who_is_not_there(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await _erase(store)
        assert (await acts.head(store)).size == 0

    async def test_an_erasure_that_cannot_be_recorded_erases_nothing(
        self, store: Store, break_log: BreakLog
    ) -> None:
        await _introduced(store)
        held = await acts.hold(store, 1, rationale=_WHY)
        before = await acts.log(store)
        await break_log()

        with pytest.raises(StoreUnavailable):
            await _erase(store)

        assert list(await acts.log(store)) == list(before)
        assert await acts.known(store, held.id) == held
        assert await store.read(PersonByHandle(ADA.handle)) == ADA

    async def test_an_erasure_and_a_crowd_of_others_do_not_disturb_each_other(
        self, store: Store
    ) -> None:
        await _introduced(store)
        work = [
            acts.submit(store, n, key=f"k{n}") if n != 20 else _erase(store) for n in range(1, 41)
        ]

        await asyncio.gather(*work)

        leaves = await acts.log(store)
        assert [leaf.index for leaf in leaves] == list(range(len(leaves)))
        assert (await acts.head(store)).root == root_of([leaf.hash for leaf in leaves])
        everything = await acts.listed(store, Proposals(limit=100))
        covering = next(leaf for leaf in leaves if leaf.type == PERSON_ERASED)
        submitted = {leaf.proposal: leaf.index for leaf in leaves if leaf.type == "test.happened"}
        assert len(everything) == 39
        assert all(one.erased == (submitted[one.id] < covering.index) for one in everything)


async def _introduced(store: Store) -> None:
    """Register two people, each in an entry that the suite's own agents are not named in."""
    for person in (ADA, BEN):
        leaf = LeafDraft(
            type="person.created",
            actor=OPERATOR,
            clear={"person": person.id},
            private={"handle": person.handle, "display_name": person.display_name},
        )
        await acts.keep(store, person, leaves=[leaf])


async def _erase(store: Store, *, reason: str = "") -> Committed[Erased]:
    return await store.erase(Erasure(person=ADA.id, actor=OPERATOR, reason=reason))


def _decision(proposal: Proposal, person: PersonId) -> Decision:
    return Decision(
        person=person,
        choice=Choice.APPROVE,
        digest=proposal.digest,
        card_digest=proposal.digest,
        reason=_SECRET,
        chat="web",
        at=NOW,
    )
