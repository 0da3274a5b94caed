"""Whose an account is, where notices go, and how much happened: kept, found, gone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.actors import OPERATOR, agent_actor
from bot.core.erasure import Erasure
from bot.core.errors import Conflict
from bot.core.identity import ChatIdentity, LinkedBy, LinkedIdentity
from bot.core.ids import PersonId
from bot.core.leaf import LeafDraft
from bot.core.notice import NoticeRoute, Topic
from bot.core.states import State
from bot.core.step import Ask, Gone
from bot.ports.queries import (
    Happened,
    Happenings,
    LinkOf,
    LinksOfPerson,
    NoticeRoutes,
    PersonByEmail,
)
from bot.ports.store import Store
from bot.testing.proposals import NOW
from bot.testing.stores import acts
from bot.testing.stores.acts import ADA, BEN, SCOUT

FIRST = ChatIdentity(chat="slack", tenant="T1", user="U1")
SECOND = ChatIdentity(chat="slack", tenant="T1", user="U2")


class Accounts:
    """What a store promises about identities, addresses and routes of notices."""

    async def test_a_step_sees_whose_an_identity_is_now(self, store: Store) -> None:
        assert (await acts.look(store, Ask(identity=FIRST))).identity is None
        linked = _linked(FIRST, ADA.id)
        await acts.keep(store, linked)

        assert (await acts.look(store, Ask(identity=FIRST))).identity == linked
        assert (await acts.look(store, Ask(identity=SECOND))).identity is None
        assert (await acts.look(store, Ask(identity=FIRST, person=BEN.id))).identity == linked
        await acts.keep(store, Gone(linked))
        assert (await acts.look(store, Ask(identity=FIRST))).identity is None

    async def test_identities_are_found_by_themselves_and_by_their_person(
        self, store: Store
    ) -> None:
        first, second, other = (
            _linked(FIRST, ADA.id),
            _linked(SECOND, ADA.id, after_s=1),
            _linked(replace(FIRST, chat="teams"), BEN.id),
        )
        for linked in (first, second, other):
            await acts.keep(store, linked)

        assert await store.read(LinkOf(SECOND)) == second
        assert await store.read(LinkOf(replace(FIRST, tenant="T2"))) is None
        assert await acts.listed(store, LinksOfPerson(ADA.id)) == [second, first]
        assert await acts.listed(store, LinksOfPerson(PersonId("per_nobody"))) == []
        await acts.keep(store, Gone(second))
        assert await acts.listed(store, LinksOfPerson(ADA.id)) == [first]

    async def test_an_identity_can_be_linked_anew_to_somebody_else(self, store: Store) -> None:
        await acts.keep(store, _linked(FIRST, ADA.id))
        await acts.keep(store, Gone(_linked(FIRST, ADA.id)))
        await acts.keep(store, _linked(FIRST, BEN.id))

        assert await acts.listed(store, LinksOfPerson(ADA.id)) == []
        assert await store.read(LinkOf(FIRST)) == _linked(FIRST, BEN.id)

    async def test_no_two_active_people_have_one_address(self, store: Store) -> None:
        await acts.keep(store, replace(ADA, email="Ada@Firm.test"))

        with pytest.raises(Conflict):
            await acts.keep(store, replace(BEN, email="aDA@firm.TEST"))
        assert await store.read(PersonByEmail("ada@firm.test")) == replace(
            ADA, email="Ada@Firm.test"
        )
        await acts.keep(store, replace(ADA, email="Ada@Firm.test", active=False))
        assert await store.read(PersonByEmail("ada@firm.test")) is None
        await acts.keep(store, replace(BEN, email="aDA@firm.TEST"))
        assert await store.read(PersonByEmail("ada@firm.test")) == replace(
            BEN, email="aDA@firm.TEST"
        )

    async def test_an_address_that_is_changed_leads_nowhere(self, store: Store) -> None:
        await acts.keep(store, replace(ADA, email="ada@firm.test"))
        await acts.keep(store, replace(ADA, email="ada@other.test"))
        assert await store.read(PersonByEmail("ada@firm.test")) is None
        await acts.keep(store, ADA)
        assert await store.read(PersonByEmail("ada@other.test")) is None

    async def test_a_step_sees_every_route_that_is_set(self, store: Store) -> None:
        ops, security = _route("ntr_1", "C1"), _route("ntr_2", "C2")
        await acts.keep(store, ops, security)
        changed = replace(ops, topics=frozenset({Topic.DIGEST}), agents=("scout",))
        await acts.keep(store, changed)

        assert list((await acts.look(store, Ask())).routes) == [changed, security]
        assert await acts.listed(store, NoticeRoutes()) == [changed, security]
        await acts.keep(store, Gone(changed))
        assert list((await acts.look(store, Ask())).routes) == [security]
        assert await acts.listed(store, NoticeRoutes()) == [security]

    async def test_no_channel_has_two_routes(self, store: Store) -> None:
        await acts.keep(store, _route("ntr_1", "C1"))

        with pytest.raises(Conflict):
            await acts.keep(store, _route("ntr_2", "C1"))
        assert len(await acts.listed(store, NoticeRoutes())) == 1

    async def test_an_erasure_takes_every_identity_of_the_person(self, store: Store) -> None:
        await acts.keep(store, ADA, BEN, _linked(FIRST, ADA.id), _linked(SECOND, BEN.id))
        await acts.keep(store, replace(ADA, email="ada@firm.test"))

        erased = await store.erase(Erasure(person=ADA.id, actor=OPERATOR, reason="Asked."))

        assert erased.value.identities == 1
        assert await store.read(LinkOf(FIRST)) is None
        assert await store.read(LinkOf(SECOND)) == _linked(SECOND, BEN.id)
        assert await store.read(PersonByEmail("ada@firm.test")) is None

    async def test_what_happened_is_counted_by_kind_within_its_time(self, store: Store) -> None:
        held = [await acts.hold(store, n) for n in (1, 2)]
        await acts.keep(store, leaves=[acts.draft()])
        middle = (await acts.look(store, Ask())).now
        await acts.move(store, held[0].id, State.REJECTED)
        note = LeafDraft(type="halt.set", actor=agent_actor(SCOUT.id), agent=SCOUT.id)
        await acts.keep(store, leaves=[note])
        end = (await acts.look(store, Ask())).now

        before = await store.read(Happenings(since=NOW - timedelta(days=400), until=middle))
        after = await store.read(Happenings(since=middle, until=end))

        assert dict(before) == {
            _happened(State.PENDING): 2,
            Happened(type="test.happened", agent=None, state=None): 1,
        }
        assert sum(after.values()) == 2
        assert after[Happened(type="halt.set", agent=SCOUT.id, state=None)] == 1
        nothing = await store.read(Happenings(since=end, until=end))
        assert not nothing


def _happened(state: State) -> Happened:
    return Happened(type="test.happened", agent=SCOUT.id, state=state)


def _linked(identity: ChatIdentity, person: PersonId, *, after_s: float = 0) -> LinkedIdentity:
    return LinkedIdentity(
        identity=identity,
        person=person,
        by=LinkedBy.CODE,
        linked_at=NOW + timedelta(seconds=after_s),
    )


def _route(id: str, place: str) -> NoticeRoute:
    return NoticeRoute(
        id=id,
        chat="slack",
        place=place,
        place_name="#ops",
        topics=frozenset({Topic.HALT}),
        set_by=None,
        set_at=NOW,
    )
