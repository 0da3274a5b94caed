"""The click that was lost, counted twice, answered by nothing, or believed too late."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, at_once, page_name, plain, until


@known_failure(
    id="A2",
    title="a click is swallowed: the card changes, or nothing happens, and nobody is told",
    seen_in="OpenClaw, Hermes Agent",
    promise="Every click is answered with a sentence, and the card says what is recorded.",
)
def test_no_click_is_answered_by_nothing(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page_name("answers"))
    form = dana.form(proposal)
    stale = form | {"digest": "0" * 32}
    stranger = town.seat("rhea")

    answers = [
        stranger.forge(proposal).said,
        Seat(town.people_url).press_form(proposal, form).said,
        dana.press_form(proposal, stale).said,
        dana.press_form(proposal, form).said,
        dana.press_form(proposal, form).said,
        dana.press_form(proposal, form | {"button": "reject"}).said,
    ]

    assert ["Recorded." in said for said in answers] == [False] * 3 + [True] * 2 + [False]
    assert all(len(plain(said)) > len("Not recorded.") for said in answers), answers
    assert "Decided by Dana Ruiz" in answers[-1]
    assert agent.finally_(proposal)["state"] == "succeeded"
    assert "Done." in dana.card(proposal).tree.text


@known_failure(
    id="A3",
    title="one approval is carried out twice",
    seen_in="Autumn, SSO Elevator, LangGraph, CrewAI",
    promise="Many clicks at once are one decision and one write, and all are told the same.",
)
def test_a_second_click_does_not_execute_again(town: Town, agent: Agent, dana: Seat) -> None:
    page = page_name("twice")
    proposal = agent.propose(page)
    form, elsewhere = dana.form(proposal), town.seat("dana")
    other_form = elsewhere.form(proposal)

    pages = at_once(
        *[lambda: dana.press_form(proposal, form)] * 5,
        *[lambda: elsewhere.press_form(proposal, other_form)] * 5,
    )
    assert agent.finally_(proposal)["state"] == "succeeded"
    pages += at_once(*[lambda: dana.press_form(proposal, form)] * 5)
    time_for_another = agent.propose(page_name("after"))
    dana.press(time_for_another)
    agent.finally_(time_for_another)

    assert all("Recorded." in page.said for page in pages)
    assert len(town.wiki.written(page)) == 1
    assert len(town.recorded(proposal)["decisions"]) == 1


def _reject(agent: Agent, dana: Seat, proposal: dict[str, str]) -> None:
    dana.press(proposal, "reject", "Not today.")


def _withdraw(agent: Agent, dana: Seat, proposal: dict[str, str]) -> None:
    assert agent.ask("POST", f"/v1/proposals/{proposal['id']}/withdraw", {}).status == 200


def _supersede(agent: Agent, dana: Seat, proposal: dict[str, str]) -> None:
    agent.propose(page_name("newer"), supersedes=proposal["id"])


def _stop(agent: Agent, dana: Seat, proposal: dict[str, str]) -> None:
    assert "Stopped." in dana.stop(proposal, "It is wrong about everything.")


_ENDS = {
    "rejected": (_reject, "Rejected"),
    "withdrawn": (_withdraw, "Taken back"),
    "superseded": (_supersede, "Replaced"),
    "revoked": (_stop, "Stopped"),
}


@known_failure(
    id="A5",
    title="a card keeps its buttons after it was decided elsewhere, and they lie",
    seen_in="Claw Patrol, Spinnaker, OpenClaw",
    promise="A card that has ended has no button that decides, and an old page is told the end.",
)
@pytest.mark.parametrize("end", _ENDS)
def test_an_old_page_can_change_nothing_any_more(
    town: Town, agent: Agent, dana: Seat, end: str
) -> None:
    page = page_name("stale")
    proposal = agent.propose(page)
    form = town.seat("dana").form(proposal)
    bring, words = _ENDS[end]

    bring(agent, dana, proposal)
    card = dana.card(proposal)
    again = dana.press_form(proposal, form | dana.session_form())

    assert card.buttons.isdisjoint({"approve", "reject"})
    assert words in card.tree.text
    assert "Not recorded." in again.said
    assert words in again.said
    assert agent.read(proposal)["state"] == end
    assert town.wiki.written(page) == []


@known_failure(
    id="A7",
    title="what the agent took back, or what was aborted, is carried out all the same",
    seen_in="OpenClaw, Paperclip",
    promise="Taking back and approving race to one end: withdrawn and not done, or too late.",
)
def test_nothing_is_both_withdrawn_and_done(town: Town, agent: Agent, dana: Seat) -> None:
    def take_back(proposal: dict[str, str]) -> int:
        return agent.ask("POST", f"/v1/proposals/{proposal['id']}/withdraw", {}).status

    def press(proposal: dict[str, str], form: dict[str, str]) -> int:
        return dana.press_form(proposal, form).status

    def ended(proposal: dict[str, str], page: str) -> tuple[str, int]:
        return agent.finally_(proposal)["state"], len(town.wiki.written(page))

    for _ in range(6):
        proposal = agent.propose(page := page_name("race"))
        form = dana.form(proposal)
        _, withdrawn = at_once(partial(press, proposal, form), partial(take_back, proposal))
        wanted = ("withdrawn", 0) if withdrawn == 200 else ("succeeded", 1)
        assert ended(proposal, page) == wanted

    early = agent.propose(page := page_name("early"))
    form = dana.form(early)
    assert take_back(early) == 200
    assert "Not recorded." in dana.press_form(early, form).said
    assert ended(early, page) == ("withdrawn", 0)


@known_failure(
    id="P1c",
    title="what was rejected can be flipped to approved afterwards",
    seen_in="an HTTP approval server",
    promise="A rejection is final: no later click, of whomever, makes it an approval.",
)
def test_a_rejection_stays_a_rejection(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page := page_name("flip"))
    form = dana.form(proposal)
    dana.press(proposal, "reject")

    said = dana.press_form(proposal, form).said

    assert "Not recorded." in said
    assert agent.finally_(proposal)["state"] == "rejected"
    assert town.wiki.written(page) == []


@known_failure(
    id="P6g",
    title="the stop button calls something and stops nothing that comes later",
    seen_in="an agent governance toolkit",
    promise="A stop from the card ends what waits, refuses what is new, and spares other agents.",
)
@known_failure(
    id="N2",
    title="an agent deletes mail on its own, and the person with the phone cannot stop it",
    seen_in="OpenClaw",
    promise="Stop is on every card, needs no model and no agent, and takes hold at once.",
)
def test_stopping_an_agent_ends_what_it_waits_for_and_what_it_tries_next(
    town: Town, agent: Agent, dana: Seat
) -> None:
    other = town.agent()
    waiting = agent.propose(page := page_name("stopped"))
    form = dana.form(waiting)

    dana.stop(waiting, "It goes too fast.")
    began = time.monotonic()
    state = agent.read(waiting)["state"]
    dana.press_form(waiting, form)
    refused = agent.submit(page_name("more"))

    assert state == "revoked"
    assert time.monotonic() - began < 10
    assert (refused.status, refused.code) == (503, "halted")
    assert town.wiki.written(page) == []
    assert other.submit(page_name("other")).status == 202


@known_failure(
    id="P15g",
    title="the approval waits in line behind the turn that it would end",
    seen_in="OpenClaw",
    promise="A person's word does not wait for the agent; an agent that waits hears it at once.",
)
def test_an_agent_that_waits_hears_the_word_at_once(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page_name("woken"))
    form = dana.form(proposal)
    times: dict[str, float] = {}

    def wait(name: str) -> str:
        state = agent.read(proposal, wait_s=20)["state"]
        times[name] = time.monotonic()
        return str(state)

    def press() -> str:
        until(town.waiting, lambda waiting: waiting >= len(waits))
        times["pressed"] = time.monotonic()
        return dana.press_form(proposal, form).said

    waits: list[Callable[[], str]] = [partial(wait, name) for name in ("one", "two", "three")]
    states = at_once(*waits, press)[:3]

    assert states == ["succeeded"] * 3
    assert max(times.values()) - times["pressed"] < 10
