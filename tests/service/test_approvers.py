"""Who may decide, and what stops counting meanwhile."""

import asyncio

import pytest

from bot.core.actors import OPERATOR
from bot.core.approval import Choice
from bot.core.card import Button
from bot.core.errors import (
    Halted,
    NotPermitted,
)
from bot.core.ids import PersonId
from bot.core.pressed import NotRecorded, Recorded
from bot.core.states import State
from tests.service.office import ALLOW, DENY, FOUR_EYES, Office, open_office


async def test_only_the_named_person_can_decide(office: Office) -> None:
    eve = await office.person("eve")
    proposal = await office.propose()

    pressed = await office.press(proposal, by=eve.id)
    nobody = await office.press(proposal, by=PersonId("per_unknown"))

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "not_yours"
    assert isinstance(nobody, NotRecorded)
    assert (await office.now(proposal.id)).state is State.PENDING
    assert "click.refused" in await office.leaf_types(proposal.id)


async def test_a_card_of_another_digest_does_not_count(office: Office) -> None:
    proposal = await office.propose()

    for prefix in ("", "0" * 16, proposal.digest.removeprefix("sha256:")[:15]):
        pressed = await office.press(proposal, digest_prefix=prefix)
        assert isinstance(pressed, NotRecorded)
        assert pressed.code == "card_out_of_date"


async def test_what_does_not_fit_the_card_has_to_be_read_first(office: Office) -> None:
    proposal = await office.propose("long " * 2000)

    refused = await office.press(proposal)
    await office.desk.viewed(office.dana.id, proposal.id, chat="silent")
    pressed = await office.press(proposal)

    assert isinstance(refused, NotRecorded)
    assert refused.code == "full_view_first"
    assert isinstance(pressed, Recorded)
    await office.until(proposal.id, State.SUCCEEDED)


async def test_a_policy_that_became_stricter_stops_what_was_approved_under_the_old(
    office: Office,
) -> None:
    proposal = await office.propose()
    await office.gate.policies.activate(DENY, actor=OPERATOR)

    pressed = await office.press(proposal)

    assert isinstance(pressed, NotRecorded)
    assert (await office.now(proposal.id)).state is State.REVOKED


async def test_a_policy_that_asks_for_more_people_stops_what_one_would_have_approved(
    office: Office,
) -> None:
    proposal = await office.propose()
    await office.gate.policies.activate(FOUR_EYES, actor=OPERATOR)

    assert isinstance(await office.press(proposal), NotRecorded)
    assert office.notebook.written == []


async def test_a_laxer_policy_changes_nothing_for_what_waits(office: Office) -> None:
    proposal = await office.propose()
    await office.gate.policies.activate(ALLOW, actor=OPERATOR)

    assert (await office.now(proposal.id)).state is State.PENDING
    assert isinstance(await office.press(proposal), Recorded)


async def test_two_distinct_people_without_a_stake_decide_together() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann, bob = await office.person("ann"), await office.person("bob")
        members = frozenset({ann.id, bob.id, office.dana.id})
        office.groups.members_of["security"] = members
        proposal = await office.propose()

        own = await office.press(proposal)
        first = await office.press(proposal, by=ann.id)
        again = await office.press(proposal, by=ann.id)
        assert (await office.now(proposal.id)).state is State.PENDING
        second = await office.press(proposal, by=bob.id)

        assert isinstance(own, NotRecorded)
        assert isinstance(first, Recorded)
        assert isinstance(again, Recorded)
        assert isinstance(second, Recorded)
        done = await office.until(proposal.id)
        assert done.state is State.SUCCEEDED
        assert [d.choice for d in done.decisions] == [Choice.APPROVE, Choice.APPROVE]


async def test_one_rejection_vetoes_and_an_approval_may_become_one() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann, bob = await office.person("ann"), await office.person("bob")
        office.groups.members_of["security"] = frozenset({ann.id, bob.id})
        proposal = await office.propose()

        await office.press(proposal, by=ann.id)
        await office.press(proposal, Button.REJECT, by=ann.id, note="on second thought")

        assert (await office.now(proposal.id)).state is State.REJECTED


async def test_who_left_the_group_no_longer_counts() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann, bob, cid = [await office.person(handle) for handle in ("ann", "bob", "cid")]
        office.groups.members_of["security"] = frozenset({ann.id, bob.id, cid.id})
        proposal = await office.propose()
        await office.press(proposal, by=ann.id)

        office.groups.members_of["security"] = frozenset({bob.id, cid.id})
        await office.press(proposal, by=bob.id)

        assert (await office.now(proposal.id)).state is State.PENDING
        assert isinstance(await office.press(proposal, by=ann.id), NotRecorded)


async def test_a_group_that_cannot_be_read_means_nobody() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann = await office.person("ann")
        proposal = await office.propose()

        assert isinstance(await office.press(proposal, by=ann.id), NotRecorded)
        delivered = await office.until_delivered(proposal.id)
        assert delivered.undeliverable == "Nobody may decide about it."


async def test_an_agent_that_was_revoked_can_do_nothing_more(office: Office) -> None:
    proposal = await office.propose()

    await office.agents.revoke(OPERATOR, office.agent.id, reason="stolen")

    assert isinstance(await office.press(proposal), NotRecorded)
    with pytest.raises((NotPermitted, Halted)):
        await office.propose("more", key="k2")
    await office.until(proposal.id, State.REVOKED)


async def test_of_many_clicks_at_once_exactly_one_wins_and_all_are_told(office: Office) -> None:
    proposal = await office.propose()
    buttons = [Button.APPROVE, Button.REJECT] * 32

    answers = await asyncio.gather(*(office.press(proposal, b) for b in buttons * 3))

    assert len(answers) == len(buttons) * 3
    done = await office.until(proposal.id)
    assert len(done.decisions) == 1
    assert len(office.notebook.written) == (done.state is State.SUCCEEDED)
    types = await office.leaf_types(proposal.id)
    assert types.count("decision.approve") + types.count("decision.reject") == 1
