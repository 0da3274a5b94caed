"""Where a request ends up in a real office, whatever Teams does with its card."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.teams.testing import Trouble
from bot.core.card import Button
from bot.core.states import State
from tests.teams.stage import Client
from tests.teams.teams_office import TeamsOffice, open_teams_office


@pytest.fixture(params=list(Client))
async def house(request: pytest.FixtureRequest) -> AsyncIterator[TeamsOffice]:
    async with open_teams_office(request.param) as house:
        yield house


@pytest.fixture
async def today() -> AsyncIterator[TeamsOffice]:
    async with open_teams_office() as house:
        yield house


async def test_a_click_is_carried_out_once_and_the_card_says_so(house: TeamsOffice) -> None:
    proposal = await house.office.propose("hello")
    card = await house.card(proposal)
    await house.seat(house.office.dana).press(proposal.id, Button.APPROVE)
    assert (await house.office.until(proposal.id)).state is State.SUCCEEDED
    await house.until_it_says(card, "Done")
    assert not house.still_asks(card)
    assert len(house.office.notebook.written) == 1


async def test_a_rejection_keeps_its_reason(house: TeamsOffice) -> None:
    proposal = await house.office.propose("hello")
    card = await house.card(proposal)
    await house.seat(house.office.dana).press(proposal.id, Button.REJECT, "Wrong thread.")
    found = await house.office.until(proposal.id, State.REJECTED)
    assert [decision.reason for decision in found.decisions] == ["Wrong thread."]
    await house.until_it_says(card, "Rejected")


async def test_what_is_decided_elsewhere_is_shown_here(house: TeamsOffice) -> None:
    proposal = await house.office.propose("hello")
    card = await house.card(proposal)
    await house.office.press(proposal)
    await house.until_it_says(card, "Done")


async def test_what_is_read_in_full_by_the_link_may_then_be_approved(house: TeamsOffice) -> None:
    proposal = await house.office.propose("x" * 9_000)
    card = await house.card(proposal)
    seat = house.seat(house.office.dana)
    assert not house.still_asks(card)
    assert "x" * 9_000 in await seat.read_to_the_end(proposal.id)
    await house.teams.until(lambda: house.still_asks(card))
    await seat.press(proposal.id, Button.APPROVE)
    assert (await house.office.until(proposal.id)).state is State.SUCCEEDED
    (view,) = (await house.office.now(proposal.id)).views
    assert view.chat == "teams"


PERMANENT = {
    "BotNotInConversationRoster": 403,
    "ConversationBlockedByUser": 403,
    "BotDisabledByAdmin": 403,
    "MessageWritesBlocked": 403,
    "BotNotRegistered": 401,
    "BadArgument": 400,
    "ConversationNotFound": 404,
}


@pytest.mark.parametrize("code", PERMANENT)
async def test_what_teams_refuses_for_good_is_asked_in_the_next_chat(
    today: TeamsOffice, code: str
) -> None:
    today.teams.faults.refuse("send", PERMANENT[code], code, times=5)
    proposal = await today.office.propose("hello")
    found = await today.office.until_delivered(proposal.id)
    assert [delivery.chat for delivery in found.deliveries] == [today.office.chat.name]
    assert today.cards(proposal, today.office.dana) == []


@pytest.mark.parametrize(
    "trouble", [Trouble.DROPPED_AFTER, Trouble.FAILED_AFTER, Trouble.TIMED_OUT]
)
async def test_a_card_that_may_be_there_is_asked_elsewhere_and_counts_here_too(
    today: TeamsOffice, trouble: Trouble
) -> None:
    today.teams.faults.plant("send", trouble)
    proposal = await today.office.propose("hello")
    found = await today.office.until_delivered(proposal.id)
    assert [delivery.chat for delivery in found.deliveries] == [today.office.chat.name]
    (lost,) = today.cards(proposal, today.office.dana)
    await today.approve(today.office.dana, lost)
    assert (await today.office.until(proposal.id)).state is State.SUCCEEDED
    await today.until_it_says(lost, "Done")
    assert len(today.teams.called("send")) == 1


@pytest.mark.parametrize("trouble", [Trouble.THROTTLED, Trouble.PRECONDITION])
async def test_what_was_surely_not_sent_is_sent_later_and_once(
    today: TeamsOffice, trouble: Trouble
) -> None:
    today.teams.faults.plant("send", trouble, retry_after_s=1)
    proposal = await today.office.propose("hello")
    await today.teams.until(lambda: len(today.teams.called("send")) == 1)
    async with asyncio.timeout(30):
        while not today.cards(proposal, today.office.dana):
            today.office.clock.advance(10)
            await asyncio.sleep(0.1)
    found = await today.office.until_delivered(proposal.id)
    assert [delivery.chat for delivery in found.deliveries] == ["teams"]
    assert len(today.cards(proposal, today.office.dana)) == 1


async def test_who_removes_the_app_is_asked_elsewhere_what_waits_there(
    today: TeamsOffice,
) -> None:
    proposal = await today.office.propose("hello")
    await today.card(proposal)
    await today.office.until_delivered(proposal.id)
    await today.hand(today.office.dana).uninstall()
    async with asyncio.timeout(10):
        while True:
            found = await today.office.now(proposal.id)
            if today.office.chat.name in {delivery.chat for delivery in found.deliveries}:
                break
            await asyncio.sleep(0.05)
    assert len(today.cards(proposal, today.office.dana)) == 1


async def test_after_a_restart_a_card_is_found_and_not_posted_again(today: TeamsOffice) -> None:
    office = today.office
    proposal = await office.propose("hello")
    card = await today.card(proposal)
    found = await office.until_delivered(proposal.id)
    again = today.make(office.store, office.gate.shelf, office.clock)
    try:
        shown = await office.desk.card(office.dana.id, proposal.id, max_chars=again.max_chars)
        ref = await again.post(shown, office.dana.id, key=f"{proposal.id}/{office.dana.id}")
        assert ref.where == found.deliveries[0].where
        assert len(today.cards(proposal, office.dana)) == 1
        await office.press(proposal, Button.REJECT)
        now = await office.desk.card(office.dana.id, proposal.id, max_chars=again.max_chars)
        await again.replace(ref, now)
        await today.until_it_says(card, "Rejected")
    finally:
        await again.close()


async def test_two_people_see_the_same_end() -> None:
    policy = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {mode: four_eyes, approvers: ["group:security"], count: 2}}
"""
    async with open_teams_office(policy=policy) as house:
        mira, sam = await house.hire("Mira"), await house.hire("Sam")
        house.office.groups.members_of["security"] = frozenset({mira.id, sam.id})
        proposal = await house.office.propose("hello")
        cards = [(who, await house.card(proposal, who)) for who in (mira, sam)]
        for who, card in cards:
            await house.approve(who, card)
        assert (await house.office.until(proposal.id)).state is State.SUCCEEDED
        for who, card in cards:
            await house.until_it_says(card, "Done", who)
