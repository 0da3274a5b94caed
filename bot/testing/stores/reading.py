"""Queries: the right records in the right order, from committed state only."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.actors import ResourceServer, Token
from bot.core.approval import AGENT_OWNER, Approval, ApprovalMode
from bot.core.canonical import Digest
from bot.core.errors import Conflict
from bot.core.ids import ResourceServerId, TokenId
from bot.core.proposal import Proposal
from bot.core.states import STOPPABLE, TERMINAL, State
from bot.core.step import Ask
from bot.core.tokens import TokenHash, TokenKind
from bot.ports.queries import (
    OPEN_STATES,
    ActivePolicy,
    AgentById,
    Agents,
    Due,
    PendingCount,
    People,
    PersonById,
    ProposalById,
    ProposalByKey,
    Proposals,
    ResourceServerById,
    ResourceServerByName,
    ResourceServers,
    Stoppable,
    TokenByHash,
    TokensOf,
)
from bot.ports.store import Store
from bot.testing.proposals import NOW
from bot.testing.stores import acts
from bot.testing.stores.acts import ADA, BEN, CLERK, SCOUT


class Reading:
    """What `bot.ports.store.Store.read` promises."""

    async def test_what_is_not_there_is_none_or_nothing(self, store: Store) -> None:
        unknown = acts.proposal(1).id

        assert await store.read(ProposalById(unknown)) is None
        assert await store.read(ProposalByKey(SCOUT.id, "k")) is None
        assert await store.read(AgentById(SCOUT.id)) is None
        assert await store.read(PersonById(ADA.id)) is None
        assert await store.read(TokenByHash(TokenHash("none"))) is None
        assert await store.read(ActivePolicy()) is None
        assert await acts.listed(store, Proposals()) == []
        assert await acts.listed(store, Proposals(before=unknown)) == []
        assert await store.read(PendingCount()) == 0

    async def test_proposals_come_newest_first_page_by_page(self, store: Store) -> None:
        made = [await acts.hold(store, n, state=_turns(n)) for n in range(7)]

        first = await acts.listed(store, Proposals(limit=3))
        second = await acts.listed(store, Proposals(limit=3, before=first[-1].id))
        third = await acts.listed(store, Proposals(limit=3, before=second[-1].id))

        assert [*first, *second, *third] == made[::-1]
        assert await acts.listed(store, Proposals(before=made[0].id)) == []

    async def test_proposals_come_oldest_first_and_from_any_place_on(self, store: Store) -> None:
        made = [await acts.hold(store, n, state=_turns(n)) for n in range(7)]

        for skip in (0, 2, 6, 7):
            query = Proposals(oldest_first=True, skip=skip, limit=3)
            assert await acts.listed(store, query) == made[skip : skip + 3]
            newest_first = replace(query, oldest_first=False)
            assert await acts.listed(store, newest_first) == made[::-1][skip : skip + 3]

    async def test_a_person_finds_what_others_may_be_asked_about(self, store: Store) -> None:
        group = Approval(mode=ApprovalMode.FOUR_EYES, approvers=("group:security",), count=2)
        owner = Approval(approvers=(AGENT_OWNER,))
        await acts.hold(store, 1, principal=ADA.id)
        by_group = await acts.hold(store, 2, principal=ADA.id, approval=group)
        await acts.hold(store, 3, principal=BEN.id, approval=group)
        by_owner = await acts.hold(store, 4, principal=ADA.id, approval=owner)

        found = await acts.listed(store, Proposals(concerning=BEN.id, oldest_first=True))

        assert found == [by_group, by_owner]

    async def test_a_change_does_not_make_a_proposal_newer(self, store: Store) -> None:
        old, new = [await acts.hold(store, n) for n in (1, 2)]
        changed = await acts.move(store, old.id, State.APPROVED)

        assert await acts.listed(store, Proposals()) == [new, changed]

    async def test_proposals_are_filtered_by_agent_principal_and_state(self, store: Store) -> None:
        made = [
            await acts.hold(store, n, agent=agent.id, principal=person.id, state=state)
            for n, (agent, person, state) in enumerate(
                (agent, person, state)
                for agent in (SCOUT, CLERK)
                for person in (ADA, BEN)
                for state in (State.PENDING, State.SUCCEEDED, State.IN_DOUBT, State.REJECTED)
            )
        ]

        def fitting(query: Proposals) -> list[Proposal]:
            return [
                proposal
                for proposal in reversed(made)
                if query.agent in (None, proposal.agent)
                and query.principal in (None, proposal.principal)
                and (not query.states or proposal.state in query.states)
            ]

        for agent in (None, SCOUT.id):
            for person in (None, BEN.id):
                for states in (
                    (),
                    OPEN_STATES,
                    (State.REJECTED,),
                    (State.PENDING, State.REJECTED),
                    tuple(TERMINAL),
                ):
                    query = Proposals(agent=agent, principal=person, states=states)
                    assert await acts.listed(store, query) == fitting(query)
                    paged = replace(query, limit=1, before=made[-1].id)
                    wanted = [each for each in fitting(query) if each != made[-1]][:1]
                    assert await acts.listed(store, paged) == wanted

    async def test_due_are_those_whose_clock_has_ended_oldest_first(self, store: Store) -> None:
        def ends(seconds: int) -> dict[str, Any]:
            return {"expires_at": NOW + timedelta(seconds=seconds)}

        late = await acts.hold(store, 1, **ends(30))
        early = await acts.hold(store, 2, **ends(10))
        approved = await acts.hold(
            store, 3, state=State.APPROVED, use_by=NOW + timedelta(seconds=20), **ends(5)
        )
        await acts.hold(store, 4, **ends(40))
        await acts.hold(store, 5, state=State.EXPIRED, **ends(1))

        due = await acts.listed(store, Due(at=NOW + timedelta(seconds=30)))

        assert due == [early, approved, late]
        assert await acts.listed(store, Due(at=NOW + timedelta(seconds=30), limit=1)) == [early]
        await acts.move(store, early.id, State.REJECTED)
        assert await acts.listed(store, Due(at=NOW + timedelta(seconds=30))) == [approved, late]

    async def test_stoppable_are_those_that_a_halt_still_ends(self, store: Store) -> None:
        made = [await acts.hold(store, n, state=state) for n, state in enumerate(State)]
        stoppable = [proposal for proposal in made if proposal.state in STOPPABLE]

        found = await acts.listed(store, Stoppable(until=NOW))

        assert found == stoppable

    async def test_stoppable_are_filtered_and_continued(self, store: Store) -> None:
        mine = await acts.hold(store, 1)
        of_ben = await acts.hold(store, 2, principal=BEN.id)
        of_clerk = await acts.hold(store, 3, agent=CLERK.id, connector="mail")
        later = await acts.hold(store, 4, created_at=NOW + timedelta(seconds=1))

        async def found(**wanted: Any) -> list[Proposal]:
            return await acts.listed(store, replace(Stoppable(until=NOW), **wanted))

        assert await found() == [mine, of_ben, of_clerk]
        assert await found(until=later.created_at) == [mine, of_ben, of_clerk, later]
        assert await found(agent=SCOUT.id) == [mine, of_ben]
        assert await found(principal=ADA.id) == [mine, of_clerk]
        assert await found(agent=SCOUT.id, principal=ADA.id) == [mine]
        assert await found(connector="mail") == [of_clerk]
        assert await found(limit=1) == [mine]
        assert await found(limit=1, after=mine.id) == [of_ben]
        assert await found(after=of_clerk.id) == []

    async def test_agents_and_people_come_by_name_tokens_newest_first(self, store: Store) -> None:
        tokens = [
            Token(
                id=TokenId(f"tok_{n}"),
                kind=TokenKind.AGENT,
                hash=TokenHash(Digest(f"sha256:{n}")),
                holder=SCOUT.id,
                created_at=NOW,
            )
            for n in range(3)
        ]
        other = replace(tokens[0], id=TokenId("tok_x"), hash=TokenHash("x"), holder=CLERK.id)
        await acts.keep(store, SCOUT, CLERK, BEN, ADA, *tokens, other)

        assert await acts.listed(store, Agents()) == [CLERK, SCOUT]
        assert await acts.listed(store, People()) == [ADA, BEN]
        assert await acts.listed(store, TokensOf(SCOUT.id)) == tokens[::-1]
        ended = replace(tokens[0], ends_at=NOW)
        await acts.keep(store, ended)
        assert await acts.listed(store, TokensOf(SCOUT.id)) == [tokens[2], tokens[1], ended]

    async def test_resource_servers_are_found_by_id_and_name(self, store: Store) -> None:
        till, bank = [
            ResourceServer(
                id=ResourceServerId(f"rsv_{name}"),
                name=name,
                audience="https://pay.example",
                created_at=NOW,
            )
            for name in ("till", "bank")
        ]
        await acts.keep(store, till, bank)
        ended = replace(bank, active=False)
        await acts.keep(store, ended)

        assert await acts.listed(store, ResourceServers()) == [ended, till]
        assert await store.read(ResourceServerById(till.id)) == till
        assert await store.read(ResourceServerByName("bank")) == ended
        seen = await acts.look(store, Ask(resource_server=bank.id, agent=SCOUT.id))
        assert (seen.resource_server, seen.agent) == (ended, None)
        try:
            await acts.keep(store, replace(till, id=ResourceServerId("rsv_x")))
        except Conflict:
            assert await store.read(ResourceServerByName("till")) == till
        else:
            raise AssertionError("two resource servers have one name")

    async def test_a_refused_step_is_never_seen(self, store: Store) -> None:
        held = await acts.hold(store)
        await acts.move(store, held.id, State.APPROVED)
        approved = await acts.known(store, held.id)

        try:
            await acts.move(store, held.id, State.REJECTED)
        except Conflict:
            assert await acts.known(store, held.id) == approved
        else:
            raise AssertionError("an approved proposal was rejected")


def _turns(n: int) -> State:
    """Return states of both kinds, over and not over, in turn."""
    return State.PENDING if n % 2 else State.SUCCEEDED
