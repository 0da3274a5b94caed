"""What a card says, and what it lets its reader do."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.teams.card import render_card, render_fallback
from adapters.teams.elements import texts_of
from adapters.teams.pressable import Key, Verb
from bot.core.about import parse_about, value_of
from bot.core.card import Button, Card
from bot.core.states import State
from bot.core.told import NOT_RECORDED_YET, Told
from tests.teams.rendering.reading import elements, presses, runs_in, verbs_of
from tests.teams.rendering.scenes import MRI, WEB, a_teams_day

DAY = a_teams_day()
DECIDING = {Verb.APPROVE, Verb.REJECT, Verb.SETTLE_DONE, Verb.SETTLE_NOT_DONE}


def shown(card: Card) -> Any:
    return render_card(card, mri=MRI).card


def test_who_will_see_it_comes_first_then_what_happens_where_and_what_exactly() -> None:
    texts = list(texts_of(shown(DAY.card("forum"))))
    order = [
        "Approval needed · Public",
        "Everyone on the internet will see this (4,000 readers)",
        "forum-analyst asks, on behalf of Dana Okafor",
        "Publish an answer to “Time-outs under load” in the forum eng-help",
        "forum.example.org, eng-help, thread 4711",
        "Exactly this",
        "public",
        "Claimed by the agent. Not verified.",
        "Tomasz asked yesterday and nobody has answered. The wiki describes the same symptom.",
    ]
    places = [texts.index(text) for text in order]
    assert places == sorted(places)


def test_what_would_be_written_is_there_to_the_letter() -> None:
    texts = list(texts_of(shown(DAY.card("forum"))))
    assert any("    pool_size = 40\n    pool_timeout_s = 5\n" in text for text in texts)


def test_a_change_shows_what_is_there_now_and_what_stays() -> None:
    texts = list(texts_of(shown(DAY.card("access"))))
    assert texts.count("Stays") == 1
    assert texts.index("People who may change invoices") < texts.index(
        "People who may change invoices and refunds"
    )
    assert "Not there, or not known" in texts


def test_the_buttons_of_a_card_name_it_and_grant_nothing() -> None:
    card = DAY.card("forum")
    for press in presses(shown(card)):
        assert press["data"] == {Key.ABOUT: value_of(card)}
        assert parse_about(press["data"][Key.ABOUT]).proposal == card.proposal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("forum", {Verb.APPROVE, Verb.REJECT, Verb.FULL_VIEW, Verb.STOP_AGENT, Verb.NOT_MINE}),
        ("long", {Verb.FULL_VIEW, Verb.REJECT, Verb.STOP_AGENT, Verb.NOT_MINE}),
        (
            "doubt",
            {Verb.SETTLE_DONE, Verb.SETTLE_NOT_DONE, Verb.FULL_VIEW, Verb.STOP_AGENT},
        ),
        ("recent", {Verb.UNDO, Verb.FULL_VIEW, Verb.STOP_AGENT}),
        ("undo", {Verb.FULL_VIEW}),
        ("done", {Verb.FULL_VIEW, Verb.STOP_AGENT}),
        *(
            (f"state-{state}", {Verb.FULL_VIEW, Verb.STOP_AGENT})
            for state in State
            if f"state-{state}" in DAY.names
        ),
    ],
)
def test_each_state_offers_what_can_be_done_about_it(name: str, expected: set[Verb]) -> None:
    found = verbs_of(shown(DAY.card(name)))
    assert len(found) == len(expected)
    assert set(found) == expected


def test_nothing_is_asked_of_somebody_who_is_not_asked() -> None:
    card = replace(DAY.card("forum"), buttons=(Button.FULL_VIEW,))
    assert set(verbs_of(shown(card))) == {Verb.FULL_VIEW}
    assert "Waiting · Public" in list(texts_of(shown(card)))


@pytest.mark.parametrize("state", [state for state in State if state is not State.PENDING])
def test_no_state_but_waiting_offers_to_approve(state: State) -> None:
    card = replace(DAY.card("forum"), state=state)
    assert Verb.APPROVE not in verbs_of(shown(card))
    assert Verb.REJECT not in verbs_of(shown(card))


def test_a_reason_is_asked_for_inside_the_card() -> None:
    (ask,) = [
        one for one in elements(shown(DAY.card("forum"))) if one.get("type") == "Action.ShowCard"
    ]
    (field,) = [one for one in ask["card"]["body"] if one["type"] == "Input.Text"]
    assert field["id"] == Key.NOTE
    assert "isRequired" not in field
    assert verbs_of(ask["card"]) == [Verb.REJECT]


def test_how_a_doubt_was_settled_has_to_be_said() -> None:
    asks = [
        one for one in elements(shown(DAY.card("doubt"))) if one.get("type") == "Action.ShowCard"
    ]
    fields = [one for ask in asks for one in ask["card"]["body"] if one["type"] == "Input.Text"]
    assert [field["id"] for field in fields] == [Key.NOTE_DONE, Key.NOTE_NOT_DONE]
    assert all(field["isRequired"] and field["errorMessage"] for field in fields)


def test_the_card_is_asked_for_again_by_its_reader_alone_and_while_it_can_change() -> None:
    card = DAY.card("forum")
    refresh = shown(card)["refresh"]
    assert refresh["userIds"] == [MRI]
    assert refresh["action"]["verb"] == Verb.REFRESH
    assert refresh["action"]["data"] == {Key.ABOUT: value_of(card)}
    assert "refresh" not in render_card(card).card
    assert "refresh" not in shown(DAY.card("rejected"))


def test_what_came_of_a_click_stands_above_the_card() -> None:
    told = Told(NOT_RECORDED_YET, "This takes longer than usual.")
    card = render_card(DAY.card("forum"), told=told).card
    assert list(texts_of(card["body"][0])) == ["Not recorded yet", "This takes longer than usual."]
    assert list(texts_of(card))[2] == "Approval needed · Public"


def test_a_card_that_teams_refuses_can_be_rejected_and_not_approved() -> None:
    card = DAY.card("forum")
    fallback = render_fallback(card, web_url=WEB).card
    assert set(verbs_of(fallback)) == {Verb.REJECT, Verb.STOP_AGENT, Verb.NOT_MINE}
    (opens,) = [one for one in elements(fallback) if one.get("type") == "Action.OpenUrl"]
    assert opens["url"] == f"{WEB}/proposals/{card.proposal}"
    assert runs_in(fallback) == []


def test_a_card_that_teams_refuses_says_what_to_do_where_there_is_no_inbox() -> None:
    fallback = render_fallback(DAY.card("done")).card
    assert not [one for one in elements(fallback) if one.get("type") == "Action.OpenUrl"]
    assert "Ask the operator" in "\n".join(texts_of(fallback))


def test_an_undo_names_the_person_and_what_it_takes_back() -> None:
    texts = list(texts_of(shown(DAY.card("undo"))))
    assert "Dana Okafor undoes what forum-analyst did" in texts
    assert "This takes back what was done before." in texts
    assert not any("Claimed by the agent" in text for text in texts)
