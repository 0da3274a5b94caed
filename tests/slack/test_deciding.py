"""From the agent's words to the effect, with Slack between the person and the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import pytest

from adapters.slack.pressable import ActionId
from adapters.slack.testing import ACK_S, Kind, Mode, Retry, Trouble
from bot.core.card import Button
from bot.core.states import State
from bot.core.step import Ask, Snapshot, Step
from bot.ports.store import Committed
from tests.slack.slack_office import SlackOffice, open_slack_office
from tests.slack.stage import screen_of

T = TypeVar("T")


@pytest.fixture(params=list(Mode))
async def house(request: pytest.FixtureRequest) -> AsyncIterator[SlackOffice]:
    async with open_slack_office(request.param) as house:
        yield house


async def test_a_click_carries_out_what_was_shown_and_the_card_says_so(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose("Notes of the meeting")
    card = await house.card(proposal)
    assert "Notes of the meeting" in screen_of(card).text
    told = await house.seat(office.dana).told(house.approve(office.dana, card))
    assert told
    done = await office.until(proposal.id)
    assert done.state is State.SUCCEEDED
    assert len(office.notebook.written) == 1
    await house.until_it_says(card, "Done")
    assert not house.still_asks(card)


async def test_a_reason_reaches_the_agent(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose()
    await house.card(proposal)
    told = await house.seat(office.dana).press(proposal.id, Button.REJECT, "Not today.")
    assert told
    rejected = await office.until(proposal.id)
    assert rejected.state is State.REJECTED
    assert [decision.reason for decision in rejected.decisions] == ["Not today."]
    assert office.notebook.written == []


async def test_a_colleague_moves_nothing_and_is_answered(house: SlackOffice) -> None:
    office = house.office
    mira = await house.hire("Mira")
    proposal = await office.propose()
    card = await house.card(proposal)
    house.slack.world.channels[card.channel].members.add(house.hand(mira).account.id)
    told = await house.seat(mira).told(house.approve(mira, card))
    assert told
    assert (await office.now(proposal.id)).state is State.PENDING
    assert house.still_asks(card)


async def test_what_is_delivered_twice_decides_once(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    payload = house.hand(office.dana).pressing(card, ActionId.APPROVE)
    again = Retry(number=1, reason="timeout")
    both = await asyncio.gather(
        house.slack.deliver(Kind.INTERACTIVE, payload),
        house.slack.deliver(Kind.INTERACTIVE, payload, retry=again),
    )
    assert any(delivery.is_acked for delivery in both)
    done = await office.until(proposal.id)
    assert done.state is State.SUCCEEDED
    assert len(office.notebook.written) == 1
    assert (await office.leaf_types(proposal.id)).count("approved") <= 1


async def test_two_clicks_at_once_have_one_effect(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    answers = await asyncio.gather(*(house.approve(office.dana, card) for _ in range(5)))
    assert all(answer.is_acked for answer in answers)
    await office.until(proposal.id)
    assert len(office.notebook.written) == 1
    await house.until_it_says(card, "Done")


async def test_a_reason_that_comes_after_the_decision_changes_nothing(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    hand = house.hand(office.dana)
    await hand.press(card, ActionId.REJECT)
    await house.slack.until(lambda: hand.modal is not None and "submit" in hand.modal)
    other = house.slack.hand(hand.account)
    await other.press(card, ActionId.APPROVE)
    await office.until(proposal.id)
    delivery = await hand.submit({"note": "Too late."})
    assert delivery.is_acked
    assert delivery.said is not None
    assert (await office.now(proposal.id)).state is State.SUCCEEDED


async def test_a_click_after_the_time_is_over_is_told_so(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    payload = house.hand(office.dana).pressing(card, ActionId.APPROVE)
    office.clock.advance(31 * 60)
    await office.expire()
    await house.until_it_says(card, "Expired")
    told = await house.seat(office.dana).told(house.slack.deliver(Kind.INTERACTIVE, payload))
    assert told
    assert (await office.now(proposal.id)).state is State.EXPIRED
    assert office.notebook.written == []


async def test_an_old_card_that_was_never_changed_decides_nothing_and_then_comes_true(
    house: SlackOffice,
) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    fault = house.slack.faults.plant("chat.update", Trouble.FAILED_BEFORE, times=1)
    await office.withdraw.withdraw(office.agent, proposal.id, reason="Not needed.")
    await fault.met.wait()
    assert house.still_asks(card)
    delivery = await house.approve(office.dana, card)
    assert delivery.is_acked
    assert (await office.now(proposal.id)).state is State.WITHDRAWN
    assert office.notebook.written == []
    await house.until_it_says(card, "Taken back")


async def test_while_the_store_takes_long_the_click_is_answered_and_then_counts(
    house: SlackOffice,
) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    real, free = office.store.transact, asyncio.Event()

    async def slow(ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        await free.wait()
        return await real(ask, step)

    office.store.transact = slow  # type: ignore[method-assign]
    told = await house.seat(office.dana).told(house.approve(office.dana, card))
    (delivery,) = [d for d in house.slack.deliveries if d.kind is Kind.INTERACTIVE]
    assert delivery.acked_after_s is not None
    assert delivery.acked_after_s < 1
    assert "not recorded yet" in told.lower()
    assert (await office.now(proposal.id)).state is State.PENDING
    free.set()
    await office.until(proposal.id)
    await house.until_it_says(card, "Done")


async def test_a_click_that_is_not_recorded_yet_is_waited_for_at_the_end(
    house: SlackOffice,
) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    real, free = office.store.transact, asyncio.Event()

    async def slow(ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        await free.wait()
        return await real(ask, step)

    office.store.transact = slow  # type: ignore[method-assign]
    assert (
        "not recorded yet"
        in (await house.seat(office.dana).told(house.approve(office.dana, card))).lower()
    )
    ending = asyncio.create_task(office.desk.finish())
    await asyncio.sleep(0)
    assert not ending.done()
    free.set()
    await ending
    assert (await office.now(proposal.id)).state is not State.PENDING


async def test_while_slack_does_not_say_who_it_is_nothing_moves_and_that_is_told(
    house: SlackOffice,
) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    house.chat._parts.accounts.forget(house.hand(office.dana).account.id)
    fault = house.slack.faults.plant("users.info", Trouble.HANGS_BEFORE)
    told = await house.seat(office.dana).told(house.approve(office.dana, card))
    assert "Nothing was recorded" in told
    (delivery,) = [d for d in house.slack.deliveries if d.kind is Kind.INTERACTIVE]
    assert delivery.acked_after_s is not None
    assert delivery.acked_after_s < ACK_S
    fault.released.set()
    assert (await house.approve(office.dana, card)).is_acked
    await office.until(proposal.id)


async def test_a_card_posted_by_one_process_is_changed_by_the_next(house: SlackOffice) -> None:
    office = house.office
    proposal = await office.propose()
    card = await house.card(proposal)
    stored = await office.until_delivered(proposal.id)
    await house.chat.close()
    again = house.make(office.store, office.gate.shelf, office.clock)
    office.gate.chats["slack"] = again  # type: ignore[index]
    try:
        await office.withdraw.withdraw(office.agent, proposal.id, reason="Not needed.")
        await house.until_it_says(card, "Taken back")
        assert [delivery.chat for delivery in stored.deliveries] == ["slack"]
    finally:
        await again.close()
