"""A person takes back what was done: by themselves, once, and in time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.actors import OPERATOR
from bot.core.canonical import Digest
from bot.core.card import Button
from bot.core.errors import (
    IllegalTransition,
    InvalidInput,
    KeyturnError,
    NotFound,
    UpstreamFailed,
)
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import PersonId
from bot.core.pressed import NotRecorded, Recorded
from bot.core.proposal import Action
from bot.core.states import State
from bot.core.verbs import Facts
from bot.ports.connector import Executed, Failed, InDoubt
from bot.ports.desk import Click
from bot.service.connectors import Connectors
from bot.service.undo import Undo
from bot.testing.notebook import ERASE, UNDO_S, Notebook
from tests.service.office import FOUR_EYES, Office, open_office
from tests.service.undoing import ONLY_WRITE, done, undone, verbs


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office(policy=ONLY_WRITE, notebook=Notebook.with_undo()) as opened:
        yield opened


def halt_of(office: Office, scope: HaltScope) -> HaltTarget:
    match scope:
        case HaltScope.AGENT:
            return HaltTarget(scope=scope, agent=office.agent.id)
        case HaltScope.AGENT_FOR_PRINCIPAL:
            return HaltTarget(scope=scope, agent=office.agent.id, principal=office.dana.id)
        case HaltScope.CONNECTOR:
            return HaltTarget(scope=scope, connector="notebook")
        case HaltScope.ALL:
            return HaltTarget(scope=scope)


async def test_one_press_takes_back_what_was_done_and_the_log_tells_it(office: Office) -> None:
    original = await done(office)

    pressed = await office.press(original, Button.UNDO, note="wrong thread")
    undo = await undone(office, original)

    assert isinstance(pressed, Recorded)
    assert undo.state is State.SUCCEEDED
    assert undo.action == Action(verb="note.erase", resource="note:note-1", params={})
    assert (undo.undoes, str(undo.proposer)) == (original.id, f"person:{office.dana.id}")
    assert (undo.principal, undo.decisions[0].reason) == (office.dana.id, "wrong thread")
    assert [note.key for note in office.notebook.written] == [original.id, undo.id]
    assert await office.leaf_types(undo.id) == [
        "proposal.submitted",
        "decision.approve",
        "execution.intent",
        "execution.outcome",
    ]
    assert (await office.leaf_types(original.id))[-1] == "undo.requested"
    assert (await office.now(original.id)).state is State.SUCCEEDED


async def test_pressing_twice_or_at_the_same_time_is_one_undo(office: Office) -> None:
    original = await done(office)

    pressed = await asyncio.gather(*(office.press(original, Button.UNDO) for _ in range(8)))
    await undone(office, original)
    again = await office.press(original, Button.UNDO)

    assert all(isinstance(answer, Recorded) for answer in (*pressed, again))
    assert verbs(office) == ["write", "erase"]


async def test_the_card_offers_undo_while_the_window_is_open_and_no_longer(office: Office) -> None:
    original = await done(office)
    open_card = await office.desk.card(office.dana.id, original.id, max_chars=4000)
    office.clock.advance(UNDO_S + 1)
    closed_card = await office.desk.card(office.dana.id, original.id, max_chars=4000)

    pressed = await office.press(original, Button.UNDO)

    assert Button.UNDO in open_card.buttons
    assert Button.UNDO not in closed_card.buttons
    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "undo_too_late"
    assert verbs(office) == ["write"]
    assert (await office.leaf_types(original.id))[-1] == "click.refused"


async def test_a_posted_card_is_brought_up_to_date_when_the_window_closes(office: Office) -> None:
    original = await done(office)
    posted = (office.dana.id, f"{original.id}/{office.dana.id}")

    async def until_undo_is(*, offered: bool) -> None:
        async with asyncio.timeout(10):
            while (Button.UNDO in office.chat.cards[posted].buttons) is not offered:
                office.chat.news.clear()
                await office.chat.news.wait()

    await until_undo_is(offered=True)
    office.clock.advance(UNDO_S + 1)
    await until_undo_is(offered=False)


async def test_both_cards_name_each_other(office: Office) -> None:
    original = await done(office)
    await office.press(original, Button.UNDO)
    undo = await undone(office, original)

    card = await office.desk.card(office.dana.id, original.id, max_chars=4000)
    other = await office.desk.card(office.dana.id, undo.id, max_chars=4000)

    assert (card.undone_by, card.undo_state) == (undo.id, State.SUCCEEDED)
    assert Button.UNDO not in card.buttons
    assert other.undoes == original.id
    assert other.title == "Dana: Erase a note"
    assert not {Button.UNDO, Button.STOP_AGENT} & set(other.buttons)


async def test_an_undo_cannot_be_undone(office: Office) -> None:
    original = await done(office)
    await office.press(original, Button.UNDO)
    undo = await undone(office, original)

    pressed = await office.press(undo, Button.UNDO)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "is_an_undo"


async def test_only_what_was_done_can_be_undone(office: Office) -> None:
    waiting = await office.propose()

    pressed = await office.press(waiting, Button.UNDO)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "not_done"


async def test_what_declares_no_undo_offers_none() -> None:
    async with open_office() as office:
        original = await done(office)
        card = await office.desk.card(office.dana.id, original.id, max_chars=4000)
        pressed = await office.press(original, Button.UNDO)

        assert Button.UNDO not in card.buttons
        assert isinstance(pressed, NotRecorded)
        assert pressed.code == "no_undo"


async def test_a_press_from_another_card_does_not_count(office: Office) -> None:
    original = await done(office)

    pressed = await office.press(original, Button.UNDO, digest_prefix="0" * 16)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "card_out_of_date"
    assert verbs(office) == ["write"]


async def test_people_it_does_not_concern_are_told_that_there_is_nothing(office: Office) -> None:
    original = await done(office)
    eve = await office.person("eve")

    pressed = await office.press(original, Button.UNDO, by=eve.id)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "not_found"
    with pytest.raises(NotFound):
        await office.desk.undo_offer(eve.id, original.id)


async def test_each_who_approved_and_the_principal_may_undo_alone_and_others_may_not() -> None:
    async with open_office(policy=FOUR_EYES, notebook=Notebook.with_undo()) as office:
        ann, bob, carl = [await office.person(name) for name in ("ann", "bob", "carl")]
        office.groups.members_of["security"] = frozenset({ann.id, bob.id, carl.id})
        owner = await office.person("owner")
        agent, _ = await office.agents.create(
            OPERATOR,
            name="other",
            owner=owner.id,
            purpose="Writes notes",
            principals=[office.dana.id],
            verbs=["note.*"],
        )

        async def undo_as(person: PersonId, key: str) -> str:
            proposal = await office.propose(key=key, agent=agent)
            for approver in (ann, bob):
                await office.press(proposal, by=approver.id)
            await office.until(proposal.id, State.SUCCEEDED)
            pressed = await office.press(proposal, Button.UNDO, by=person)
            return pressed.code if isinstance(pressed, NotRecorded) else "recorded"

        assert await undo_as(bob.id, "a") == "recorded"
        assert await undo_as(office.dana.id, "b") == "recorded"
        assert await undo_as(carl.id, "c") == "not_yours"
        assert await undo_as(owner.id, "d") == "not_yours"


async def test_whoever_is_no_longer_active_undoes_nothing(office: Office) -> None:
    original = await done(office)
    await office.people.deactivate(OPERATOR, office.dana.id)

    pressed = await office.press(original, Button.UNDO)

    assert isinstance(pressed, NotRecorded)
    assert verbs(office) == ["write"]


@pytest.mark.parametrize("scope", [HaltScope.AGENT, HaltScope.AGENT_FOR_PRINCIPAL])
async def test_a_stop_of_the_agent_does_not_stop_the_undo(office: Office, scope: HaltScope) -> None:
    original = await done(office)
    await office.halts.halt(OPERATOR, halt_of(office, scope), reason="wrong advice")

    await office.press(original, Button.UNDO)

    assert (await undone(office, original)).state is State.SUCCEEDED


async def test_an_agent_that_was_ended_is_still_cleaned_up_after(office: Office) -> None:
    original = await done(office)
    await office.agents.revoke(OPERATOR, office.agent.id, reason="gone")

    await office.press(original, Button.UNDO)

    assert (await undone(office, original)).state is State.SUCCEEDED


@pytest.mark.parametrize("scope", [HaltScope.CONNECTOR, HaltScope.ALL])
async def test_a_stop_of_the_connector_or_of_everything_stops_undoing_too(
    office: Office, scope: HaltScope
) -> None:
    original = await done(office)
    halt = await office.halts.halt(OPERATOR, halt_of(office, scope), reason="look first")

    refused = await office.press(original, Button.UNDO)
    await office.halts.resume(OPERATOR, halt.id, reason="looked")
    counted = await office.press(original, Button.UNDO)

    assert isinstance(refused, NotRecorded)
    assert refused.code == "undo_stopped"
    assert isinstance(counted, Recorded)
    assert (await undone(office, original)).state is State.SUCCEEDED


async def test_a_stop_between_press_and_claim_ends_the_undo_and_it_can_be_pressed_again() -> None:
    async with open_office(
        policy=ONLY_WRITE, notebook=Notebook.with_undo(), with_workers=False
    ) as office:
        running = asyncio.create_task(office.workers.run())
        original = await done(office)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await office.press(original, Button.UNDO)
        target = HaltTarget(scope=HaltScope.ALL)
        halt = await office.halts.halt(OPERATOR, target, reason="wait")
        card = await office.desk.card(office.dana.id, original.id, max_chars=4000)
        running = asyncio.create_task(office.workers.run())
        assert (await undone(office, original)).state is State.REVOKED
        await office.halts.resume(OPERATOR, halt.id, reason="go on")

        again = await office.press(original, Button.UNDO)

        assert card.undo_state is State.REVOKED
        assert isinstance(again, Recorded)
        assert (await undone(office, original)).state is State.SUCCEEDED
        assert verbs(office) == ["write", "erase"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_failed_undo_may_be_pressed_again_and_a_doubtful_one_not(office: Office) -> None:
    original = await done(office)
    answers: list[Executed] = [
        Failed(reason="forbidden", detail="Not now."),
        InDoubt(reason="timeout", detail="No answer."),
    ]

    async def behave(_: Action) -> Executed:
        return answers.pop(0)

    office.notebook.behave = behave
    await office.press(original, Button.UNDO)
    first = await undone(office, original)
    await office.press(original, Button.UNDO)
    second = await office.until(
        (await office.now(original.id)).undone_by or first.id, State.IN_DOUBT
    )
    third = await office.press(original, Button.UNDO)

    assert first.state is State.FAILED
    assert second.id != first.id
    assert isinstance(third, NotRecorded)
    assert third.code == "undo_in_doubt"
    settled = await office.press(second, Button.SETTLE_DONE, note="It is gone.")
    assert isinstance(settled, Recorded)


async def test_another_configuration_since_then_undoes_nothing(office: Office) -> None:
    original = await done(office)
    other = replace(office.notebook.verb, config_digest=Digest("sha256:" + "f" * 64))
    connectors = Connectors([Notebook(verb=other, erase=ERASE)])
    gate = replace(office.gate, connectors=connectors)
    click = Click(
        person=office.dana.id,
        chat=office.chat.name,
        proposal=original.id,
        digest_prefix=original.digest.removeprefix("sha256:"),
        button=Button.UNDO,
    )

    pressed = await Undo(gate).press(click, original, max_chars=4000)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "undo_changed"


class Moody(Notebook):
    """A notebook that can be told how to answer when it is asked what is there."""

    asked: KeyturnError | None = None

    async def inspect(self, action: Action) -> Facts:
        if self.asked is not None:
            raise self.asked
        return await super().inspect(action)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (UpstreamFailed("The target did not answer in time."), "upstream_failed"),
        (InvalidInput("there is no such note"), "illegal_transition"),
    ],
)
async def test_what_cannot_be_asked_or_is_there_no_more_is_said_and_nothing_is_sent(
    answer: KeyturnError, code: str
) -> None:
    notebook = Moody.with_undo()
    async with open_office(policy=ONLY_WRITE, notebook=notebook) as office:
        original = await done(office)
        notebook.asked = answer

        pressed = await office.press(original, Button.UNDO)

        assert isinstance(pressed, NotRecorded)
        assert pressed.code == code
        assert (await office.now(original.id)).undone_by is None
        assert verbs(office) == ["write"]


async def test_the_offer_says_what_would_be_done_and_changes_nothing(office: Office) -> None:
    original = await done(office)

    offer = await office.desk.undo_offer(office.dana.id, original.id)

    assert (offer.effect, offer.target) == ("Erase a note", "note:note-1")
    assert offer.until == (await office.now(original.id)).undo_until
    assert (await office.now(original.id)).undone_by is None
    await office.press(original, Button.UNDO)
    await undone(office, original)
    with pytest.raises(IllegalTransition):
        await office.desk.undo_offer(office.dana.id, original.id)
