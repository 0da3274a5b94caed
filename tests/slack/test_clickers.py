"""Who may click: only those who are named move anything, and nobody is left without an answer."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.slack.pressable import ActionId
from adapters.slack.testing import ACK_S, Account, Delivery, FakeSlack, Message, Mode
from bot.core.actors import OPERATOR
from bot.core.states import State
from tests.service.office import HOLD
from tests.slack.slack_office import SlackOffice, open_slack_office
from tests.slack.stage import SlackSeat

GROUP = "S0APPROVERS"
FOUR_EYES = f"""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {{hold: {{mode: four_eyes, approvers: ["group:slack:{GROUP}"], count: 2}}}}
"""
POLICIES = {"confirm": HOLD, "four_eyes": FOUR_EYES}


def with_group(slack: FakeSlack) -> None:
    slack.world.groups[GROUP] = slack.world.groups[slack.add_group("approvers", [])]


async def answered(
    house: SlackOffice, seat: SlackSeat, press: Callable[[], Awaitable[Delivery]]
) -> str:
    """Press, and return what was said for it; within three seconds, or it failed."""
    before = len(house.slack.deliveries)
    told = await seat.told(press())
    delivery = house.slack.deliveries[before]
    assert delivery.acked_after_s is not None
    assert delivery.acked_after_s < ACK_S
    return told


def stand_near(house: SlackOffice, account: Account, message: Message) -> SlackSeat:
    """Let *account* see *message*, as no stranger could."""
    house.slack.world.channels[message.channel].members.add(account.id)
    return SlackSeat(house.slack.hand(account, team=house.slack.team))


STRANGERS: dict[str, dict[str, Any]] = {
    "nobody's account": {},
    "a guest": {"is_restricted": True},
    "a guest of one channel": {"is_ultra_restricted": True},
    "a bot": {"is_bot": True},
    "a deactivated account": {"deleted": True},
    "an external account": {"is_stranger": True},
    "an account that was only invited": {"is_invited_user": True},
}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("policy", POLICIES)
async def test_only_those_who_are_named_move_anything(mode: Mode, policy: str) -> None:
    async with open_slack_office(mode, policy=POLICIES[policy], prepare=with_group) as house:
        office, slack = house.office, house.slack
        members = [await house.hire(name) for name in ("Ann", "Ben")]
        accounts = [house.hand(member).account for member in members]
        colleague = await house.hire("Mira")
        # People who are known and in the group, and whose accounts count no more.
        gone = {}
        for number, (name, flags) in enumerate(STRANGERS.items()):
            person = await house.hire(f"Former-{number}")
            account = house.hand(person).account
            for flag, value in flags.items():
                setattr(account, flag, value)
            if flags:
                gone[f"{name}, linked and in the group"] = account
        slack.world.groups[GROUP].users = [account.id for account in (*accounts, *gone.values())]
        proposal = await office.propose()
        approvers = members if policy == "four_eyes" else [office.dana]
        card = await house.card(proposal, approvers[0])
        others: dict[str, Account] = {
            "a colleague": house.hand(colleague).account,
            "the same display name": slack.add_account("Dana"),
            "another workspace": slack.add_account("Dana", team=slack.add_team("Elsewhere")),
            **{name: slack.add_account(name, **flags) for name, flags in STRANGERS.items()},
            **gone,
        }
        if policy == "four_eyes":
            others["the principal"] = house.hand(office.dana).account
        else:
            others |= {"a member of the group": accounts[0], "another member": accounts[1]}
        copied = slack.copy(card, slack.add_channel("general"))
        for name, account in others.items():
            for message in (card, copied):
                seat = stand_near(house, account, message)

                async def press(seat: SlackSeat = seat, message: Message = message) -> Delivery:
                    return await seat.hand.press(message, ActionId.APPROVE)

                assert await answered(house, seat, press), name
        now = await office.now(proposal.id)
        assert (now.state, now.decisions) == (State.PENDING, ())
        assert {delivery.person for delivery in now.deliveries} == {p.id for p in approvers}
        for count, approver in enumerate(approvers, start=1):
            own = await house.card(proposal, approver)
            assert (await house.approve(approver, own)).is_acked
            if count < len(approvers):
                assert (await office.now(proposal.id)).state is State.PENDING
                assert (await house.approve(approver, own)).is_acked
                assert (await office.now(proposal.id)).state is State.PENDING
        assert (await office.until(proposal.id)).state is State.SUCCEEDED
        assert len(office.notebook.written) == 1


async def test_who_leaves_the_group_after_the_card_was_shown_does_not_count() -> None:
    async with open_slack_office(Mode.SOCKET, policy=FOUR_EYES, prepare=with_group) as house:
        ann, ben, cleo = [await house.hire(name) for name in ("Ann", "Ben", "Cleo")]
        group = house.slack.world.groups[GROUP]
        group.users = [house.hand(person).account.id for person in (ann, ben, cleo)]
        proposal = await house.office.propose()
        card = await house.card(proposal, ben)
        group.users.remove(house.hand(ben).account.id)
        told = await answered(house, house.seat(ben), lambda: house.approve(ben, card))
        assert told
        assert (await house.office.now(proposal.id)).decisions == ()
        for person in (ann, cleo):
            await house.approve(person, await house.card(proposal, person))
        assert (await house.office.until(proposal.id)).state is State.SUCCEEDED


@pytest.mark.parametrize("trouble", ["no_such_subteam", "plan_upgrade_required", "missing_scope"])
async def test_a_group_that_cannot_be_read_is_nobody(trouble: str) -> None:
    async with open_slack_office(Mode.SOCKET, policy=FOUR_EYES, prepare=with_group) as house:
        await house.hire("Ann")
        house.slack.faults.refuse("usergroups.users.list", trouble, times=100)
        proposal = await house.office.propose()
        stored = await house.office.until_delivered(proposal.id)
        assert stored.deliveries == ()
        assert stored.undeliverable


class TestInAnOrganisation:
    """Enterprise Grid: accounts are of the organisation, seen from one of its workspaces."""

    async def test_an_account_of_the_organisation_decides_by_its_one_id(self) -> None:
        def grid(slack: FakeSlack) -> None:
            slack.team.enterprise = "E0GRID"
            slack.world.tokens[slack.bot_token].enterprise = "E0GRID"

        async with open_slack_office(Mode.HTTP, section={"team": "E0GRID"}, prepare=grid) as house:
            office, slack = house.office, house.slack
            away = slack.add_team("Second floor", enterprise="E0GRID")
            mira = await house.hire("Mira", team=away, global_id="W0MIRA")
            agent, _ = await office.agents.create(
                OPERATOR,
                name="second",
                owner=mira.id,
                purpose="Writes notes",
                principals=[mira.id],
                verbs=["note.*"],
            )
            proposal = await office.propose(agent=agent)
            seat = SlackSeat(slack.hand(house.hand(mira).account, team=slack.team))
            (card,) = await slack.until(seat.hand.messages)
            outsider = slack.add_account(
                "Mira", team=slack.add_team("Abroad", enterprise="E0OTHER")
            )
            stranger = stand_near(house, outsider, card)
            assert await answered(
                house, stranger, lambda: stranger.hand.press(card, ActionId.APPROVE)
            )
            assert (await office.now(proposal.id)).state is State.PENDING
            assert (await seat.hand.press(card, ActionId.APPROVE)).is_acked
            assert (await office.until(proposal.id)).state is State.SUCCEEDED
