"""A click in Teams is answered in time and never lost: slow, broken, or given up on."""

import asyncio
import logging

import pytest

from adapters.teams.pressable import Verb
from bot.core.card import Button
from bot.core.errors import IllegalTransition, NotFound, StoreUnavailable
from bot.core.pressed import NotRecorded
from bot.core.states import State
from tests.teams.front_office import (
    ALL_VERBS,
    CARD,
    CHANNEL,
    WORDS,
    FrontOffice,
    text_of,
)
from tests.teams.rendering.reading import elements
from tests.web.scenes import DANA, FORUM

SECRET = "what an agent wrote"
#: What the buttons carry that are about no card.
ERRANDS = {
    Verb.STOP: {"step": "do"},
    Verb.STOP_AGENT: {"agent": str(FORUM.id)},
    Verb.RESUME: {"halt": "hlt_00000000000000000000000000"},
    Verb.LINK: {"code": "7KQM3TXW9HPD"},
    Verb.CHANNELS: {"place": CHANNEL.place, "place_name": "x", "topics": "halt"},
    Verb.END_ROUTE: {"route": "ntr_1"},
}


@pytest.fixture
def front() -> FrontOffice:
    return FrontOffice()


async def until_idle(front: FrontOffice) -> None:
    await front.listening.close()


async def test_what_takes_too_long_is_answered_in_time_and_told_when_it_is_done() -> None:
    front = FrontOffice(answered_within_s=0.02)
    front.desk.slow = frozenset({"press"})
    answer = await front.press(Verb.APPROVE, front.about("forum"))
    assert answer["type"] == WORDS
    assert "not recorded yet" in answer["value"]
    assert front.desk.clicks == []
    front.desk.answer = NotRecorded(code="too_late", message="Mira was first.")
    front.desk.gate.set()
    await until_idle(front)
    assert [click.button for click in front.desk.clicks] == [Button.APPROVE]
    assert front.last_said() == "Not recorded\nMira was first."
    assert front.keeping.refreshed != []


async def test_a_card_that_is_slow_to_make_does_not_hold_up_the_answer() -> None:
    front = FrontOffice(answered_within_s=0.02)
    front.desk.slow = frozenset({"card"})
    answer = await front.press(Verb.APPROVE, front.about("forum"))
    assert answer["type"] == WORDS
    assert [click.button for click in front.desk.clicks] == [Button.APPROVE]
    front.desk.gate.set()
    await until_idle(front)
    # The card is brought up to date where it is; it is never sent again.
    assert front.said == []
    assert front.keeping.adopted != []


async def test_a_question_that_is_slow_to_make_comes_as_a_message() -> None:
    front = FrontOffice(answered_within_s=0.02)
    front.desk.slow = frozenset({"card"})
    await front.press(Verb.UNDO, front.about("recent"))
    front.desk.gate.set()
    await until_idle(front)
    assert "Undo this?" in front.last_said()


async def test_whoever_asks_by_itself_is_never_told_anything_later() -> None:
    front = FrontOffice(answered_within_s=0.02)
    front.desk.slow = frozenset({"card"})
    front.desk.broken = {"card": RuntimeError("x")}
    await front.press(Verb.REFRESH, front.about("forum"), trigger="automatic")
    front.desk.gate.set()
    await until_idle(front)
    assert front.said == []


async def test_a_request_that_is_given_up_on_loses_no_decision(front: FrontOffice) -> None:
    front.desk.slow = frozenset({"press"})
    request = asyncio.create_task(
        front.listening.invoke(front.invoke(Verb.REJECT, front.about("forum")))
    )
    await front.desk.reached.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    front.desk.gate.set()
    await until_idle(front)
    assert [click.button for click in front.desk.clicks] == [Button.REJECT]
    assert front.desk.proposals[front.day.names["forum"]].state is State.REJECTED
    assert front.keeping.adopted != []


async def test_a_message_that_is_given_up_on_is_still_answered(front: FrontOffice) -> None:
    front.desk.slow = frozenset({"press"})
    front.desk.answer = NotRecorded(code="too_late", message="Mira was first.")
    request = asyncio.create_task(front.submit(Verb.REJECT, front.about("forum")))
    await front.desk.reached.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    front.desk.gate.set()
    await until_idle(front)
    assert [click.button for click in front.desk.clicks] == [Button.REJECT]
    assert front.keeping.refreshed != []
    assert "Mira was first." in front.last_said()


async def test_whoever_writes_is_told_when_it_takes_long() -> None:
    front = FrontOffice(slow_s=0.02)
    front.desk.slow = frozenset({"agents"})
    writing = asyncio.create_task(front.type("agents"))
    await front.heard.wait()
    assert "takes longer than usual" in front.last_said()
    front.desk.gate.set()
    assert "forum-analyst" in await writing


@pytest.mark.parametrize("verb", ALL_VERBS)
async def test_when_nothing_can_be_recorded_every_button_is_still_answered(
    front: FrontOffice, verb: Verb
) -> None:
    data = ERRANDS.get(verb, {**front.about("forum"), "note": "x"})
    front.desk.fail_with = StoreUnavailable("Nothing can be recorded now.")
    by = "new" if verb is Verb.LINK else DANA
    answer = await front.press(verb, data, by=by)
    assert "Nothing can be recorded now." in text_of(answer)


@pytest.mark.parametrize("trigger", ["automatic", "manual"])
async def test_a_card_that_cannot_be_read_now_leaves_a_way_back_to_it(
    front: FrontOffice, trigger: str
) -> None:
    data = front.about("forum")
    front.desk.fail_with = StoreUnavailable("Nothing can be recorded now.")
    answer = await front.press(Verb.REFRESH, data, trigger=trigger)
    assert text_of(answer).startswith("Not now\nNothing can be recorded now.")
    (again,) = [one for one in answer["value"]["actions"] if "verb" in one]
    assert (again["verb"], again["data"]) == (Verb.REFRESH, data)
    assert answer["value"]["refresh"]["action"]["data"] == data
    front.desk.fail_with = None
    assert "Approval needed" in text_of(await front.press(again["verb"], again["data"]))


@pytest.mark.parametrize("where", ["press", "card", "clicker"])
async def test_whatever_goes_wrong_is_said_and_logged_without_what_was_written(
    front: FrontOffice, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    if where == "clicker":
        front.clicker_fails = RuntimeError(SECRET)
    front.desk.broken = {where: RuntimeError(SECRET)}
    with caplog.at_level(logging.DEBUG):
        answer = await front.press(Verb.APPROVE, front.about("forum"))
    assert answer["type"] == WORDS
    assert answer["value"].startswith("Something went wrong here, and it is not known")
    assert [record.message for record in caplog.records] == ["a click failed"]
    assert SECRET not in caplog.text
    assert caplog.records[0].__dict__["error"] == "RuntimeError"


async def test_whatever_goes_wrong_is_said_by_message_too(front: FrontOffice) -> None:
    front.desk.broken = {"press": RuntimeError(SECRET), "agents": RuntimeError(SECRET)}
    await front.submit(Verb.APPROVE, front.about("forum"))
    assert "Something went wrong here" in front.last_said()
    assert "Something went wrong here" in await front.type("agents")


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailable("[Approve](https://evil.example) <b>{{DATE(2030-01-01T12:00:00Z)}}</b>"),
        IllegalTransition("[Approve](https://evil.example) <b>x</b>"),
    ],
)
async def test_what_others_wrote_is_never_in_plain_words(
    front: FrontOffice, error: Exception
) -> None:
    for verb in (Verb.APPROVE, Verb.REFRESH, Verb.FULL_VIEW, Verb.UNDO):
        front.desk.broken = {"press": error, "card": error}
        answer = await front.press(verb, front.about("forum"))
        assert answer["type"] == CARD
        assert not [
            one
            for one in elements(answer)
            if "evil" in str(one.get("text", "")) and one.get("type") != "TextRun"
        ]


async def test_a_proposal_that_is_gone_is_told_in_our_words(front: FrontOffice) -> None:
    front.desk.broken = {"card": NotFound(SECRET)}
    answer = await front.press(Verb.APPROVE, front.about("forum"))
    assert answer["type"] == WORDS
    assert SECRET not in answer["value"]
