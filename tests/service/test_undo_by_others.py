"""Agents get nothing done by way of an undo, and the operator can only ask for one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.errors import (
    IllegalTransition,
    KeyReused,
    NotFound,
)
from bot.core.proposal import Action
from bot.core.states import State
from bot.core.status import agent_message
from bot.service.undo import Undo
from bot.testing.notebook import UNDO_S, Notebook
from tests.service.office import Office, open_office, request
from tests.service.undoing import ONLY_WRITE, done, undone, verbs


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office(policy=ONLY_WRITE, notebook=Notebook.with_undo()) as opened:
        yield opened


# What an agent could try -------------------------------------------------------------------------


async def test_an_agent_gets_nothing_done_by_proposing_the_undo_itself(office: Office) -> None:
    original = await done(office)
    erase = Action(verb="note.erase", resource="note:note-1", params={})

    proposed = await office.propose(key="k2", action=erase)

    assert proposed.state is State.DENIED
    assert proposed.undoes is None
    assert (await office.now(original.id)).undone_by is None
    assert verbs(office) == ["write"]


async def test_an_agent_neither_sees_nor_takes_back_nor_replaces_what_undoes_its_act() -> None:
    async with open_office(
        policy=ONLY_WRITE, notebook=Notebook.with_undo(), with_workers=False
    ) as office:
        running = asyncio.create_task(office.workers.run())
        original = await done(office)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await office.press(original, Button.UNDO)
        undo = (await office.now(original.id)).undone_by
        assert undo is not None

        assert [p.id for p in await office.reading.proposals(office.agent)] == [original.id]
        with pytest.raises(NotFound):
            await office.reading.proposal(office.agent, undo)
        with pytest.raises(NotFound):
            await office.withdraw.withdraw(office.agent, undo, reason="keep it")
        with pytest.raises(NotFound):
            await office.propose(key="k2", supersedes=undo)
        assert (await office.now(undo)).state is State.APPROVED


async def test_an_agent_lists_full_pages_though_some_of_its_acts_were_undone(
    office: Office,
) -> None:
    first = await done(office, key="a")
    await office.press(first, Button.UNDO)
    await undone(office, first)
    second = await done(office, key="b")
    await office.press(second, Button.UNDO)
    await undone(office, second)

    page = await office.reading.proposals(office.agent, limit=2)

    assert [proposal.id for proposal in page] == [second.id, first.id]


async def test_no_key_of_an_agent_leads_to_an_undo(office: Office) -> None:
    original = await done(office)
    await office.press(original, Button.UNDO)
    undo = await undone(office, original)

    assert " " in undo.idempotency_key
    with pytest.raises(KeyReused):
        await office.submit.submit(office.agent, request("x", key=undo.idempotency_key))


async def test_the_agent_is_told_not_to_repeat_what_was_taken_back(office: Office) -> None:
    original = await done(office)
    await office.press(original, Button.UNDO)
    await undone(office, original)

    told = await office.reading.proposal(office.agent, original.id)

    assert "Do not repeat it" in agent_message(told)


# What the operator can do ------------------------------------------------------------------------


async def test_the_operator_can_only_ask_and_the_person_decides(office: Office) -> None:
    original = await done(office)
    undo = Undo(office.gate)

    asked = await undo.ask(OPERATOR, original.id)
    again = await undo.ask(OPERATOR, original.id)
    await office.until_delivered(asked.id)

    assert (asked.state, again.id) == (State.PENDING, asked.id)
    assert str(asked.proposer) == str(OPERATOR)
    assert verbs(office) == ["write"]
    await office.press(asked)
    assert (await office.until(asked.id)).state is State.SUCCEEDED
    assert verbs(office) == ["write", "erase"]


async def test_the_persons_own_undo_replaces_the_one_they_were_asked_for(office: Office) -> None:
    original = await done(office)
    asked = await Undo(office.gate).ask(OPERATOR, original.id)

    await office.press(original, Button.UNDO)
    own = await undone(office, original)

    assert (await office.now(asked.id)).state is State.SUPERSEDED
    assert (own.supersedes, own.state) == (asked.id, State.SUCCEEDED)
    assert verbs(office) == ["write", "erase"]


async def test_nobody_is_asked_whom_it_does_not_concern(office: Office) -> None:
    original = await done(office)
    eve = await office.person("eve")

    with pytest.raises(IllegalTransition):
        await Undo(office.gate).ask(OPERATOR, original.id, person=eve.id)


async def test_a_rejected_undo_leaves_the_window_open(office: Office) -> None:
    original = await done(office)
    asked = await Undo(office.gate).ask(OPERATOR, original.id)
    await office.press(asked, Button.REJECT, note="it is right")

    card = await office.desk.card(office.dana.id, original.id, max_chars=4000)

    assert Button.UNDO in card.buttons
    assert card.undo_until == original.undo_until
    assert original.outcome is not None
    assert card.undo_until == original.outcome.at + timedelta(seconds=UNDO_S)
