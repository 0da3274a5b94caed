"""From the agent's words to the effect: twice, in the wrong order, late, and with a slow store."""

import asyncio

import pytest

from bot.core.card import Button
from bot.core.states import State
from bot.testing.notebook import UNDO_S, Notebook
from tests.chats.house import (
    OpenHouse,
    card_of,
    hold_commits,
    still_asks,
    until_it_says,
)
from tests.service.undoing import ONLY_WRITE, undone, verbs


class DecidingConformance:
    """Inherit, and provide the fixture ``open_house``."""

    async def test_a_click_carries_out_what_was_shown_and_the_card_says_so(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose("Notes of the meeting")
            card = await card_of(house, proposal)
            assert "Notes of the meeting" in card.seen.text
            assert await (await house.seat(office.dana).click(card)).send()
            assert (await office.until(proposal.id)).state is State.SUCCEEDED
            assert len(office.notebook.written) == 1
            await until_it_says(house, card, "Done")
            assert not still_asks(card)

    async def test_a_reason_reaches_the_agent(self, open_house: OpenHouse) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            await card_of(house, proposal)
            seat = house.seat(office.dana)
            assert await seat.press(proposal.id, Button.REJECT, "Not today.")
            rejected = await office.until(proposal.id)
            assert rejected.state is State.REJECTED
            assert [decision.reason for decision in rejected.decisions] == ["Not today."]
            assert office.notebook.written == []

    async def test_a_colleague_moves_nothing_and_is_answered(self, open_house: OpenHouse) -> None:
        async with open_house() as house:
            office = house.office
            mira = await house.hire("Mira")
            proposal = await office.propose()
            card = await card_of(house, proposal)
            assert await (await house.seat(mira).click(card)).send()
            assert (await office.now(proposal.id)).state is State.PENDING
            assert still_asks(card)

    @pytest.mark.parametrize("button", [Button.APPROVE, Button.REJECT])
    async def test_what_is_delivered_twice_decides_once(
        self, open_house: OpenHouse, button: Button
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            click = await house.seat(office.dana).click(await card_of(house, proposal), button)
            both = await asyncio.gather(click.deliver(), click.deliver(attempt=2))
            assert any(both)
            done = await office.until(proposal.id)
            approved = button is Button.APPROVE
            assert done.state is (State.SUCCEEDED if approved else State.REJECTED)
            assert len(office.notebook.written) == approved
            assert len(done.decisions) == 1
            assert (await office.leaf_types(proposal.id)).count(f"decision.{button.value}") == 1

    async def test_two_clicks_at_once_have_one_effect(self, open_house: OpenHouse) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            clicks = [await house.seat(office.dana).click(card) for _ in range(5)]
            assert all(await asyncio.gather(*(click.deliver() for click in clicks)))
            await office.until(proposal.id)
            assert len(office.notebook.written) == 1
            await until_it_says(house, card, "Done")

    async def test_a_reason_that_comes_after_the_decision_changes_nothing(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            seat = house.seat(office.dana)
            late = await seat.click(card, Button.REJECT, "Too late.")
            await (await seat.click(card)).deliver()
            await office.until(proposal.id)
            assert await late.send()
            now = await office.now(proposal.id)
            assert now.state is State.SUCCEEDED
            assert [decision.reason for decision in now.decisions] == [""]

    async def test_what_does_not_fit_is_approved_once_it_was_read_to_its_end(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose("Many words. " * 1_000)
            card = await card_of(house, proposal)
            seat = house.seat(office.dana)
            assert Button.APPROVE not in card.seen.buttons
            assert "Many words." in await seat.read_to_the_end(proposal.id)
            await house.until(lambda: Button.APPROVE in card.seen.buttons or None)
            (view,) = (await office.now(proposal.id)).views
            assert (view.person, view.chat) == (office.dana.id, house.chat_name)
            assert await (await seat.click(card)).send()
            assert (await office.until(proposal.id)).state is State.SUCCEEDED
            await until_it_says(house, card, "Done")

    async def test_what_was_read_to_its_end_elsewhere_may_be_approved_on_the_card(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose("Many words. " * 1_000)
            card = await card_of(house, proposal)
            await office.until_delivered(proposal.id)
            assert Button.APPROVE not in card.seen.buttons
            await office.desk.viewed(office.dana.id, proposal.id, chat="elsewhere")
            await house.until(lambda: Button.APPROVE in card.seen.buttons or None)

    async def test_what_was_decided_elsewhere_is_what_the_card_says_and_what_a_click_is_told(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            click = await house.seat(office.dana).click(card)
            await office.until_delivered(proposal.id)
            await office.press(proposal, Button.REJECT, note="Not like this.")
            await until_it_says(house, card, "Rejected")
            assert not still_asks(card)
            assert "Rejected" in await click.send()
            assert (await office.now(proposal.id)).state is State.REJECTED
            assert office.notebook.written == []

    async def test_a_click_after_the_time_is_over_is_told_so(self, open_house: OpenHouse) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            click = await house.seat(office.dana).click(card)
            office.clock.advance(31 * 60)
            await office.expire()
            await until_it_says(house, card, "Expired")
            assert await click.send()
            assert (await office.now(proposal.id)).state is State.EXPIRED
            assert office.notebook.written == []

    async def test_an_old_card_that_was_never_changed_decides_nothing_and_then_comes_true(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            lost = house.lose_a_change()
            await office.withdraw.withdraw(office.agent, proposal.id, reason="Not needed.")
            await lost.wait()
            assert still_asks(card)
            assert await (await house.seat(office.dana).click(card)).deliver()
            assert (await office.now(proposal.id)).state is State.WITHDRAWN
            assert office.notebook.written == []
            await until_it_says(house, card, "Taken back")

    async def test_what_was_done_is_undone_once_however_often_that_is_sent(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house(policy=ONLY_WRITE, notebook=Notebook.with_undo()) as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            seat = house.seat(office.dana)
            assert await (await seat.click(card)).deliver()
            await house.until(lambda: Button.UNDO in card.seen.buttons or None)
            click = await seat.click(card, Button.UNDO, "Wrong thread.")
            both = await asyncio.gather(click.deliver(), click.deliver(attempt=2))
            assert any(both)
            await undone(office, proposal)
            await until_it_says(house, card, "Undone")
            assert verbs(office) == ["write", "erase"]
            assert Button.UNDO not in card.seen.buttons

    async def test_what_can_be_undone_no_longer_is_told_so(self, open_house: OpenHouse) -> None:
        async with open_house(policy=ONLY_WRITE, notebook=Notebook.with_undo()) as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            seat = house.seat(office.dana)
            assert await (await seat.click(card)).deliver()
            await house.until(lambda: Button.UNDO in card.seen.buttons or None)
            click = await seat.click(card, Button.UNDO, "Wrong thread.")
            office.clock.advance(UNDO_S + 1)
            assert "passed" in await click.send()
            assert verbs(office) == ["write"]
            assert (await office.now(proposal.id)).undone_by is None

    @pytest.mark.parametrize("button", [Button.APPROVE, Button.REJECT, Button.STOP_AGENT])
    async def test_while_the_store_takes_long_the_click_is_answered_and_then_counts(
        self, open_house: OpenHouse, button: Button
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            click = await house.seat(office.dana).click(card, button, _note(button))
            free = hold_commits(office)
            told = await click.send()
            assert "not recorded yet" in told.lower()
            assert house.slowest_s < house.slow_after_s
            assert (await office.now(proposal.id)).state is State.PENDING
            free.set()
            ended = await office.until(proposal.id)
            assert ended.state is _ENDS[button]
            await house.until(lambda: not still_asks(card) or None)

    async def test_a_click_that_is_not_recorded_yet_is_waited_for_at_the_end(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            click = await house.seat(office.dana).click(await card_of(house, proposal))
            free = hold_commits(office)
            assert "not recorded yet" in (await click.send()).lower()
            ending = asyncio.create_task(office.desk.finish())
            await asyncio.sleep(0)
            assert not ending.done()
            free.set()
            await ending
            assert (await office.now(proposal.id)).state is not State.PENDING

    async def test_while_the_chat_does_not_say_who_it_is_nothing_moves_and_that_is_told(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            seat = house.seat(office.dana)
            end_doubt = house.doubt(office.dana)
            assert "Nothing was recorded" in await (await seat.click(card)).send()
            assert house.slowest_s < house.answer_within_s
            assert (await office.now(proposal.id)).state is State.PENDING
            end_doubt()
            assert await (await seat.click(card)).deliver()
            await office.until(proposal.id)

    async def test_a_card_posted_by_one_process_is_changed_by_the_next(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            proposal = await office.propose()
            card = await card_of(house, proposal)
            stored = await office.until_delivered(proposal.id)
            async with house.next_process():
                await office.withdraw.withdraw(office.agent, proposal.id, reason="Not needed.")
                await until_it_says(house, card, "Taken back")
                assert [delivery.chat for delivery in stored.deliveries] == [house.chat_name]


_ENDS = {
    Button.APPROVE: State.SUCCEEDED,
    Button.REJECT: State.REJECTED,
    Button.STOP_AGENT: State.REVOKED,
}


def _note(button: Button) -> str:
    return "" if button is Button.APPROVE else "Not today."
