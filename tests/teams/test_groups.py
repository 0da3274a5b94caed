"""Entra's groups decide who may approve: asked as they are now, and nobody where they are not."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.teams.testing import Trouble
from bot.core.actors import Person
from bot.core.card import Button
from bot.core.ids import PersonId
from bot.core.states import State
from bot.ports.directory import HasDirectory
from bot.testing.proposals import a_person
from tests.teams.stage import TeamsStage, stage_of
from tests.teams.teams_office import open_teams_office

SECURITY = "9709c0de-0000-4000-8000-00000000005e"
NESTED = "9709c0de-0000-4000-8000-0000000000e5"
POLICY = f"""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {{hold: {{mode: four_eyes, approvers: ["group:teams:{SECURITY}"], count: 1}}}}
"""


@pytest.fixture
async def stage() -> AsyncIterator[TeamsStage]:
    async with stage_of(call_s=1.5) as stage:
        yield stage


async def met(stage: TeamsStage, name: str, *, tenant: str | None = None) -> tuple[Person, str]:
    """Have a person link an account and speak once; return them and the account's id."""
    person = a_person(name)
    stage.desk.people[person.id] = person
    account = stage.teams.add_account(name, tenant=tenant)
    stage.link(person.id, account)
    await stage.sit(account).hand.install()
    return person, account.user


async def members(stage: TeamsStage, *groups: str) -> dict[str, frozenset[PersonId]]:
    assert isinstance(stage.chat, HasDirectory)
    return dict(await stage.chat.directory.members(groups))


async def test_whoever_is_in_the_group_or_in_one_inside_of_it_is_a_member(
    stage: TeamsStage,
) -> None:
    dana, one = await met(stage, "Dana")
    mira, other = await met(stage, "Mira")
    await met(stage, "Sam")
    stage.teams.world.groups |= {SECURITY: {one, NESTED}, NESTED: {other}}
    assert await members(stage, SECURITY, NESTED) == {
        SECURITY: {dana.id, mira.id},
        NESTED: {mira.id},
    }


async def test_it_is_asked_anew_each_time(stage: TeamsStage) -> None:
    dana, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    assert await members(stage, SECURITY) == {SECURITY: {dana.id}}
    stage.teams.world.groups[SECURITY] = set()
    assert await members(stage, SECURITY) == {}


async def test_a_group_may_be_written_in_capitals(stage: TeamsStage) -> None:
    dana, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    assert await members(stage, SECURITY.upper()) == {SECURITY.upper(): {dana.id}}


@pytest.mark.parametrize("name", ["Security", "", "../users", f"{SECURITY}/x"])
async def test_a_group_has_no_other_name_than_its_id(stage: TeamsStage, name: str) -> None:
    await met(stage, "Dana")
    assert await members(stage, name) == {}
    assert stage.teams.called("graph.batch") == []


async def test_an_account_that_is_linked_no_more_is_nobodys(stage: TeamsStage) -> None:
    _, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    stage.desk.links.clear()
    assert await members(stage, SECURITY) == {}


async def test_who_has_removed_the_app_is_still_a_member(stage: TeamsStage) -> None:
    dana, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    await stage.teams.hand(stage.teams.world.accounts[one]).uninstall()
    assert await members(stage, SECURITY) == {SECURITY: {dana.id}}


async def test_who_has_left_the_organisation_is_a_member_of_nothing(stage: TeamsStage) -> None:
    dana, one = await met(stage, "Dana")
    _, other = await met(stage, "Mira")
    stage.teams.world.groups[SECURITY] = {one, other}
    del stage.teams.world.accounts[other]
    assert await members(stage, SECURITY) == {SECURITY: {dana.id}}


@pytest.mark.parametrize("why", ["disabled", "guest", "anonymous", "bot", ""])
async def test_who_is_left_in_the_group_and_may_not_decide_is_no_member(
    stage: TeamsStage, why: str
) -> None:
    dana, one = await met(stage, "Dana")
    _, other = await met(stage, "Mira")
    stage.teams.world.groups[SECURITY] = {one, other}
    account = stage.teams.world.accounts[other]
    if why == "disabled":
        account.is_enabled = False
    else:
        account.role = why
    assert await members(stage, SECURITY) == {SECURITY: {dana.id}}


async def test_accounts_of_other_organisations_are_not_asked_about() -> None:
    elsewhere = "5e1f0000-0000-4000-8000-00000000e15e"
    async with stage_of(tenants=[elsewhere]) as stage:
        _, one = await met(stage, "Dana", tenant=elsewhere)
        stage.teams.world.groups[SECURITY] = {one}
        assert await members(stage, SECURITY) == {}
        assert stage.teams.called("graph.batch") == []


TROUBLES = [
    Trouble.THROTTLED,
    Trouble.FAILED_BEFORE,
    Trouble.DROPPED_BEFORE,
    Trouble.HANGS_BEFORE,
    Trouble.TIMED_OUT,
]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_while_graph_does_not_answer_nobody_is_a_member(
    stage: TeamsStage, trouble: Trouble
) -> None:
    dana, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    stage.teams.faults.plant("graph.batch", trouble)
    assert await members(stage, SECURITY) == {}
    stage.teams.faults.clear()
    assert await members(stage, SECURITY) == {SECURITY: {dana.id}}


async def test_without_consent_nobody_is_a_member(stage: TeamsStage) -> None:
    _, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    stage.teams.graph.may_read_groups = False
    assert await members(stage, SECURITY) == {}


async def test_a_group_is_unknown_and_not_smaller_where_one_answer_is_missing(
    stage: TeamsStage,
) -> None:
    people = [(await met(stage, f"Person {number}"))[1] for number in range(25)]
    stage.teams.world.groups[SECURITY] = set(people)
    assert len((await members(stage, SECURITY))[SECURITY]) == 25
    stage.teams.faults.plant("graph.batch", Trouble.FAILED_BEFORE)
    assert await members(stage, SECURITY) == {}


async def test_many_are_asked_about_in_few_requests(stage: TeamsStage) -> None:
    for number in range(41):
        await met(stage, f"Person {number}")
    groups = [str(uuid4()) for _ in range(21)]
    await members(stage, *groups)
    assert len(stage.teams.called("graph.batch")) == 5 * 2


async def test_who_left_the_group_since_the_card_came_may_not_decide() -> None:
    async with open_teams_office(policy=POLICY) as house:
        mira = await house.hire("Mira")
        seat = house.seat(mira)
        await seat.hand.install()
        house.teams.world.groups[SECURITY] = {seat.hand.account.user}
        proposal = await house.office.propose("hello")
        card = await house.card(proposal, mira)
        house.teams.world.groups[SECURITY] = set()
        told = await seat.press_on(card, Button.APPROVE)
        assert "Nothing was done" in told
        assert (await house.office.now(proposal.id)).state is State.PENDING
        house.teams.world.groups[SECURITY] = {seat.hand.account.user}
        await seat.press(proposal.id, Button.APPROVE)
        assert (await house.office.until(proposal.id)).state is State.SUCCEEDED


async def test_while_graph_is_down_nobody_decides() -> None:
    async with open_teams_office(policy=POLICY) as house:
        mira = await house.hire("Mira")
        seat = house.seat(mira)
        await seat.hand.install()
        house.teams.world.groups[SECURITY] = {seat.hand.account.user}
        proposal = await house.office.propose("hello")
        card = await house.card(proposal, mira)
        house.teams.faults.plant("graph.batch", Trouble.FAILED_BEFORE, times=100)
        told = await seat.press_on(card, Button.APPROVE)
        assert "Nothing was done" in told
        assert (await house.office.now(proposal.id)).state is State.PENDING


async def test_slow_groups_hold_up_nobody_elses_answer(stage: TeamsStage) -> None:
    _, one = await met(stage, "Dana")
    stage.teams.world.groups[SECURITY] = {one}
    fault = stage.teams.faults.plant("graph.batch", Trouble.HANGS_BEFORE)
    asking = asyncio.create_task(members(stage, SECURITY))
    await fault.met.wait()
    assert (await members(stage, SECURITY))[SECURITY]
    assert await asking == {}
