"""Who may click: only those who are named move anything, and nobody is left without an answer."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from bot.core.card import Button
from bot.core.states import State
from tests.chats.house import Click, OpenHouse, Seat, Shown, card_of, fallen, until_it_says
from tests.service.office import HOLD

MODES = ("confirm", "four_eyes")


class ClickerConformance:
    """Inherit, name the group of approvers that ``open_house`` has, and how it can fail."""

    group: ClassVar[str]
    group_troubles: ClassVar[Sequence[str]]

    def policy(self, mode: str) -> str:
        if mode == "confirm":
            return HOLD
        return f"""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {{hold: {{mode: four_eyes, approvers: ["group:{self.group}"], count: 2}}}}
"""

    @pytest.mark.parametrize("mode", MODES)
    async def test_only_those_who_are_named_move_anything(
        self, open_house: OpenHouse, mode: str
    ) -> None:
        async with open_house(policy=self.policy(mode)) as house:
            office = house.office
            members = [await house.hire(name) for name in ("Ann", "Ben")]
            colleague = await house.hire("Mira")
            former = await fallen(house)
            house.gather([*(house.seat(member) for member in members), *former.values()])
            approvers = members if mode == "four_eyes" else [office.dana]
            ended = await office.propose("an earlier one", key="ended")
            old = await card_of(house, ended, approvers[0])
            proposal = await office.propose()
            card = await card_of(house, proposal, approvers[0])
            others: dict[str, Seat] = {
                "a colleague": house.seat(colleague),
                **await house.outsiders(office.dana),
                **former,
            }
            if mode == "four_eyes":
                others["the principal"] = house.seat(office.dana)
            else:
                others |= {"a member of the group": house.seat(members[0])}
                others |= {"another member": house.seat(members[1])}
            # Those who may decide press what is over too.
            late = [(approver.display_name, house.seat(approver)) for approver in approvers]
            stale: list[tuple[str, Click]] = [
                (name, await seat.click(old)) for name, seat in (*others.items(), *late)
            ]
            await office.withdraw.withdraw(office.agent, ended.id, reason="Not needed.")
            for name, click in stale:
                assert await click.send(), name
                assert house.slowest_s < house.answer_within_s, name
            assert (await office.now(ended.id)).state is State.WITHDRAWN
            copied = house.copied(card)
            for name, seat in others.items():
                for shown in (card, copied):
                    assert await (await seat.click(shown)).send(), name
                    assert house.slowest_s < house.answer_within_s, name
            now = await office.now(proposal.id)
            assert (now.state, now.decisions) == (State.PENDING, ())
            assert {delivery.person for delivery in now.deliveries} == {p.id for p in approvers}
            for count, approver in enumerate(approvers, start=1):
                own = await card_of(house, proposal, approver)
                again = await house.seat(approver).click(own)
                assert await approve(house.seat(approver), own)
                if count < len(approvers):
                    assert (await office.now(proposal.id)).state is State.PENDING
                    await until_it_says(house, own, "You have approved")
                    assert Button.APPROVE not in own.seen.buttons
                    assert Button.REJECT in own.seen.buttons
                    assert await again.send()
                    assert (await office.now(proposal.id)).state is State.PENDING
            assert (await office.until(proposal.id)).state is State.SUCCEEDED
            assert len(office.notebook.written) == 1

    async def test_whose_account_counts_no_more_since_the_card_was_shown_decides_nothing(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            ways = house.ways_to_fall
        assert ways
        for way in ways:
            async with open_house() as house:
                office = house.office
                proposal = await office.propose()
                card = await card_of(house, proposal)
                click = await house.seat(office.dana).click(card)
                house.fall(office.dana, way)
                again = await house.seat(office.dana).click(card)
                for press in (click, again):
                    assert await press.send(), way
                    assert house.slowest_s < house.answer_within_s, way
                now = await office.now(proposal.id)
                assert (now.state, now.decisions) == (State.PENDING, ()), way
                assert office.notebook.written == [], way

    async def test_a_press_on_a_copy_among_others_is_answered_to_whoever_pressed_alone(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house() as house:
            office = house.office
            mira = await house.hire("Mira")
            proposal = await office.propose("For few eyes")
            copied = house.copied(await card_of(house, proposal))
            for person in (mira, office.dana):
                assert await (await house.seat(person).click(copied)).send()
                assert house.overheard(copied) == []

    async def test_who_leaves_the_group_after_the_card_was_shown_does_not_count(
        self, open_house: OpenHouse
    ) -> None:
        async with open_house(policy=self.policy("four_eyes")) as house:
            office = house.office
            ann, ben, cleo = [await house.hire(name) for name in ("Ann", "Ben", "Cleo")]
            house.gather(house.seat(person) for person in (ann, ben, cleo))
            proposal = await office.propose()
            card = await card_of(house, proposal, ben)
            house.gather(house.seat(person) for person in (ann, cleo))
            assert await (await house.seat(ben).click(card)).send()
            assert house.slowest_s < house.answer_within_s
            assert (await office.now(proposal.id)).decisions == ()
            for person in (ann, cleo):
                await approve(house.seat(person), await card_of(house, proposal, person))
            assert (await office.until(proposal.id)).state is State.SUCCEEDED

    async def test_a_group_that_cannot_be_read_is_nobody(self, open_house: OpenHouse) -> None:
        assert self.group_troubles
        for trouble in self.group_troubles:
            async with open_house(policy=self.policy("four_eyes")) as house:
                house.gather([house.seat(await house.hire("Ann"))])
                house.spoil_group(trouble)
                proposal = await house.office.propose()
                stored = await house.office.until_delivered(proposal.id)
                assert stored.deliveries == (), trouble
                assert stored.undeliverable, trouble

    async def test_a_group_that_can_be_read_no_longer_decides_nothing(
        self, open_house: OpenHouse
    ) -> None:
        for trouble in self.group_troubles:
            async with open_house(policy=self.policy("four_eyes")) as house:
                ann, ben = [await house.hire(name) for name in ("Ann", "Ben")]
                house.gather([house.seat(ann), house.seat(ben)])
                proposal = await house.office.propose()
                cards = [await card_of(house, proposal, person) for person in (ann, ben)]
                house.spoil_group(trouble)
                for person, card in zip((ann, ben), cards, strict=True):
                    assert await (await house.seat(person).click(card)).send(), trouble
                now = await house.office.now(proposal.id)
                assert (now.state, now.decisions) == (State.PENDING, ()), trouble


async def approve(seat: Seat, shown: Shown) -> bool:
    return await (await seat.click(shown)).deliver()
