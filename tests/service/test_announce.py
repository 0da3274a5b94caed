"""Channels are told what happened: once each, of what admins asked for, and of no content."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.core.actors import OPERATOR, Role, person_actor
from bot.core.card import Button
from bot.core.daily import Daily
from bot.core.effects import EffectKind
from bot.core.errors import InvalidInput, NotFound, NotPermitted
from bot.core.halts import HaltScope, HaltTarget
from bot.core.notice import Notice, NoticeRoute, Topic
from bot.core.proposal import Action
from bot.core.states import State
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.connector import InDoubt
from bot.ports.queries import Leaves, NextDue
from bot.service.announce import Announce
from bot.testing.clock import ManualClock
from bot.testing.notebook import Notebook
from tests.service.office import Office, open_office


async def test_a_channel_is_told_that_somebody_stopped_and_resumed() -> None:
    async with open_office() as office:
        await _route(office, Topic.HALT)
        target = HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id)
        halt = await office.halts.halt(person_actor(office.dana.id), target, reason="a secret why")
        stopped = (await _told(office, 1))[0]
        await office.halts.resume(OPERATOR, halt.id, reason="a secret why")
        resumed = (await _told(office, 2))[1]

        assert stopped.title == "Stopped: the agent writer"
        assert stopped.lines[0] == "By Dana."
        assert resumed.title == "Resumed: the agent writer"
        assert resumed.lines[0] == "By The operator."
        assert "secret" not in repr((stopped, resumed))


async def test_a_channel_is_told_that_nobody_could_be_reached() -> None:
    async with open_office() as office:
        await _route(office, Topic.UNDELIVERABLE)
        office.chat.fail_with = Undeliverable("Not linked.", reason="not_linked")
        proposal = await office.propose("what nobody else may read")

        (notice,) = await _told(office, 1)

        assert notice.topic is Topic.UNDELIVERABLE
        assert notice.lines[0] == "writer: note.write, for Dana."
        assert proposal.id in notice.lines[-1]
        assert "nobody else may read" not in repr(notice)


async def test_a_channel_is_told_of_a_doubt_that_stays() -> None:
    async def lose(_: Action) -> InDoubt:
        office.notebook.written.clear()
        return InDoubt(reason="timeout", detail="what the target said")

    async with open_office(notebook=Notebook(behave=lose)) as office:
        await _route(office, Topic.IN_DOUBT)
        proposal = await office.propose()
        await office.press(proposal)

        (notice,) = await _told(office, 1)

        assert notice.topic is Topic.IN_DOUBT
        assert "what the target said" not in repr(notice)


async def test_not_mine_rejects_and_is_told() -> None:
    async with open_office() as office:
        await _route(office, Topic.NOT_MINE)
        proposal = await office.propose()
        card = await office.desk.card(office.dana.id, proposal.id, max_chars=4000)
        assert Button.NOT_MINE in card.buttons

        pressed = await office.press(proposal, Button.NOT_MINE, note="my own words")
        (notice,) = await _told(office, 1)

        assert "not yours" in pressed.message
        now = await office.now(proposal.id)
        assert now.state is State.REJECTED
        assert now.reason is not None
        assert now.reason.startswith("Not mine")
        assert "my own words" not in now.reason
        leaf = (await office.store.read(Leaves(proposal=proposal.id)))[-1]
        assert (leaf.type, json.loads(leaf.body)["why"]) == ("decision.reject", "not_mine")
        assert (notice.topic, notice.agent) == (Topic.NOT_MINE, office.agent.id)
        assert notice.lines[0] == "writer: note.write, for Dana."


async def test_an_ordinary_rejection_is_told_to_nobody() -> None:
    async with open_office() as office:
        await _route(office, *Topic)
        await office.press(await office.propose(), Button.REJECT)
        await office.press(await office.propose(key="k2"), Button.NOT_MINE)

        assert [notice.topic for notice in await _told(office, 1)] == [Topic.NOT_MINE]


async def test_not_mine_is_for_those_alone_who_may_decide() -> None:
    async with open_office() as office:
        eve = await office.person("eve")
        proposal = await office.propose()

        pressed = await office.press(proposal, Button.NOT_MINE, by=eve.id)

        assert getattr(pressed, "code", None) == "not_yours"
        assert (await office.now(proposal.id)).state is State.PENDING


async def test_a_channel_is_told_of_its_agents_and_verbs_alone() -> None:
    async with open_office() as office:
        await _route(office, Topic.NOT_MINE, place="C1", agents=["write*"])
        await _route(office, Topic.NOT_MINE, place="C2", agents=["other"])
        await _route(office, Topic.NOT_MINE, place="C3", verbs=["note.*"])
        await _route(office, Topic.NOT_MINE, place="C4", verbs=["mail.*"])
        await _route(office, Topic.HALT, place="C5")
        await office.press(await office.propose(), Button.NOT_MINE)
        await _told(office, 2)
        await _until_nothing_is_due(office)

        assert sorted(place for place, _ in office.chat.told) == ["C1", "C3"]


async def test_a_channel_that_cannot_be_told_now_is_told_later_and_others_at_once() -> None:
    async with open_office() as office:
        await _route(office, Topic.HALT)
        office.chat.announce_fails_with = NotDeliveredNow("down", retry_after_s=30)
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="x")
        await _until_counted(office, "not_now")

        office.chat.announce_fails_with = None
        office.clock.advance(31)

        assert len(await _told(office, 1)) == 1


async def test_a_channel_that_cannot_be_told_at_all_is_counted_and_left() -> None:
    async with open_office() as office:
        await _route(office, Topic.HALT)
        office.chat.announce_fails_with = Undeliverable("Gone.", reason="channel_not_found")
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="x")
        await _until_counted(office, "undeliverable")
        await _until_nothing_is_due(office)

        office.chat.announce_fails_with = None
        assert office.chat.told == {}


async def test_a_notice_survives_the_one_who_was_to_tell_it() -> None:
    async with open_office(with_workers=False) as office:
        await _route(office, Topic.HALT)
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="x")
        # Whoever had it is gone before it was told.
        (lost,) = await office.gate.dispatch.take(EffectKind.ANNOUNCE, limit=9)
        office.clock.advance(3600)
        (lease,) = await office.store.lease([EffectKind.ANNOUNCE], limit=9, for_s=30)

        await Announce(office.gate).announce(lease)

        assert (lease.effect.id, lease.attempt) == (lost.effect.id, 2)
        assert len(office.chat.told) == 1
        assert await office.store.lease([EffectKind.ANNOUNCE], limit=9, for_s=30) == []


async def test_what_is_told_twice_is_told_under_the_same_key() -> None:
    async with open_office(with_workers=False) as office:
        await _route(office, Topic.HALT)
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="x")
        (lease,) = await office.gate.dispatch.take(EffectKind.ANNOUNCE, limit=9)
        announce = Announce(office.gate)
        await announce._came_of(lease)
        await announce.announce(lease)

        assert len(office.chat.told) == 1


async def test_a_route_that_has_ended_is_told_nothing() -> None:
    async with open_office(with_workers=False) as office:
        route = await _route(office, Topic.HALT)
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="x")
        await office.notices.end(OPERATOR, route.id)
        for lease in await office.gate.dispatch.take(EffectKind.ANNOUNCE, limit=9):
            await Announce(office.gate).announce(lease)

        assert office.chat.told == {}


async def test_the_digest_counts_a_day_and_comes_every_day() -> None:
    async with open_office() as office:
        await _route(office, Topic.DIGEST)
        rejected = await office.propose("not to be told")
        await office.press(rejected, Button.REJECT)
        await office.propose("neither", key="k2")
        # It is noon, and the digest comes at eight.
        office.clock.advance(20 * 3600)
        (first,) = await _told(office, 1)
        assert first.title == "Keyturn today"
        assert "Proposed: 2" in first.lines
        assert "Rejected by people: 1" in first.lines
        assert "not to be told" not in repr(first)

        office.clock.advance(24 * 3600)
        second = (await _told(office, 2))[1]
        assert not [line for line in second.lines if line.startswith("Proposed")]


async def test_a_digest_counts_the_agents_of_its_route_alone() -> None:
    async with open_office() as office:
        await _route(office, Topic.DIGEST, place="C1", agents=["writer"])
        await _route(office, Topic.DIGEST, place="C2", agents=["other"])
        await office.propose()
        office.clock.advance(20 * 3600)
        await _told(office, 2)

        lines = {place: notice.lines for (place, _), notice in office.chat.told.items()}
        assert "Proposed: 1" in lines["C1"]
        assert "Waiting now: 0" in lines["C2"]
        assert not [line for line in lines["C2"] if line.startswith("Proposed")]


async def test_a_digest_that_could_not_be_told_does_not_end_those_that_follow() -> None:
    async with open_office() as office:
        await _route(office, Topic.DIGEST)
        office.chat.announce_fails_with = Undeliverable("Gone.", reason="channel_not_found")
        office.clock.advance(20 * 3600)
        await _until_counted(office, "undeliverable")
        office.chat.announce_fails_with = None
        office.clock.advance(24 * 3600)

        assert len(await _told(office, 1)) == 1


async def test_setting_a_channel_again_replaces_what_it_got() -> None:
    async with open_office() as office:
        first = await _route(office, Topic.HALT, Topic.DIGEST)
        second = await _route(office, Topic.NOT_MINE)

        assert second.id == first.id
        assert await office.notices.list() == [second]
        assert (await office.leaf_types())[-2:] == ["notice_route.set", "notice_route.set"]


async def test_admins_alone_say_where_notices_go() -> None:
    async with open_office() as office:
        ada = await office.person("ada", Role.ADMIN)
        route = await office.desk.set_notice_route(
            ada.id, chat="silent", place="C1", place_name="#ops", topics=[Topic.HALT]
        )
        assert list(await office.desk.notice_routes(ada.id)) == [route]
        assert route.set_by == ada.id
        for asked in (
            office.desk.notice_routes(office.dana.id),
            office.desk.set_notice_route(
                office.dana.id, chat="silent", place="C1", place_name="#x", topics=[Topic.HALT]
            ),
            office.desk.end_notice_route(office.dana.id, route.id),
        ):
            with pytest.raises(NotPermitted):
                await asked

        await office.desk.end_notice_route(ada.id, route.id)
        assert await office.notices.list() == []
        with pytest.raises(NotFound):
            await office.desk.end_notice_route(ada.id, route.id)


@pytest.mark.parametrize(
    "wrong",
    [{"topics": []}, {"agents": ["a b"]}, {"verbs": [""]}, {"place": ""}, {"place_name": "a\nb"}],
    ids=str,
)
async def test_a_route_that_can_be_none_is_refused(wrong: dict[str, Any]) -> None:
    async with open_office() as office:
        good: dict[str, Any] = {"chat": "silent", "place": "C1", "place_name": "#ops"}
        with pytest.raises(InvalidInput):
            await office.notices.set(OPERATOR, **{**good, "topics": [Topic.HALT], **wrong})


async def test_the_log_does_not_name_the_channel_in_clear() -> None:
    async with open_office() as office:
        await _route(office, Topic.HALT, place_name="#secret-plans")
        (leaf,) = [x for x in await office.store.read(Leaves()) if x.type == "notice_route.set"]

        assert b"secret-plans" not in leaf.body
        assert json.loads(leaf.body)["place"] == "C1"


async def test_without_routes_nothing_is_asked_of_anybody() -> None:
    async with open_office() as office:
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="x")
        await _until_nothing_is_due(office)

        assert office.chat.told == {}


def test_an_hour_of_the_day_is_the_next_one_of_that_zone() -> None:
    noon = ManualClock().now()
    assert Daily(hour=8).next_after(noon).isoformat() == "2030-01-02T08:00:00+00:00"
    assert Daily(hour=13).next_after(noon).isoformat() == "2030-01-01T13:00:00+00:00"
    assert Daily(hour=12).next_after(noon) - noon == timedelta(days=1)


async def _route(
    office: Office,
    *topics: Topic,
    place: str = "C1",
    place_name: str = "#ops",
    agents: Sequence[str] = (),
    verbs: Sequence[str] = (),
) -> NoticeRoute:
    return await office.notices.set(
        OPERATOR,
        chat=office.chat.name,
        place=place,
        place_name=place_name,
        topics=topics,
        agents=agents,
        verbs=verbs,
    )


async def _told(office: Office, count: int) -> list[Notice]:
    async with asyncio.timeout(10):
        while len(office.chat.told) < count:
            office.chat.news.clear()
            await office.chat.news.wait()
    return list(office.chat.told.values())


async def _until_counted(office: Office, label: str) -> None:
    async with asyncio.timeout(10):
        while office.gate.tally.counts["notices", label] != 1:  # noqa: ASYNC110 - counts tell nobody
            await asyncio.sleep(0.01)


async def _until_nothing_is_due(office: Office) -> None:
    async with asyncio.timeout(10):
        while True:
            due = await office.store.read(NextDue())
            if due is None or due > office.clock.now() + timedelta(minutes=1):
                return
            await asyncio.sleep(0.01)
