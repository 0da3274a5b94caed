"""Text from agents, targets, people and admins is text in Teams, and never anything else."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.teams import limits
from adapters.teams.asking import (
    ask_channel,
    ask_link,
    ask_not_mine,
    ask_resume,
    ask_stop,
    ask_stop_this,
    ask_undo,
)
from adapters.teams.card import render_card, render_fallback
from adapters.teams.elements import size_of, texts_of
from adapters.teams.lists import (
    render_agents,
    render_channels,
    render_halts,
    render_pending,
    render_who,
)
from adapters.teams.notice import render_notice
from adapters.teams.told_card import render_full_view, render_told
from bot.core.card import Card
from bot.core.states import State
from bot.core.told import NOT_RECORDED, Told
from bot.core.untrusted import Untrusted, show
from bot.testing.hostile import HOSTILE
from bot.testing.proposals import NOW
from tests.chats.full_cards import an_outcome, full_of
from tests.teams.rendering.reading import runs_in, skeleton, strings_outside_runs
from tests.teams.rendering.scenes import (
    CHANNEL,
    MRI,
    WEB,
    a_halt,
    a_notice,
    a_route,
    a_teams_day,
    agents,
    an_inbox,
    an_offer,
)
from tests.teams.rendering.teams_hostile import TEAMS_HOSTILE
from tests.web.scenes import DANA, FORUM

DAY = a_teams_day()
INBOX = an_inbox()
PLAIN = "plain words"
SIGNS = "<>@#!*_~`[](){}|\\\n\r\t\"'&⟨⟩\u202e\u200b:{{"
MARK = "zqzqMarkzqzq"


def a_card(name: str, text: str) -> Card:
    card = full_of(DAY.card(name), text)
    return card if card.state is State.PENDING else replace(card, outcome=an_outcome())


def sent_for(card: Card, text: str) -> Mapping[str, Any]:
    """Return everything that shows *card* or *text*, as it is sent, by name."""
    entries = [replace(one, name=text, purpose=text, owner_name=text) for one in agents()]
    offer = replace(an_offer(card), effect=text, target=text)
    inbox = replace(INBOX, waiting=[card])
    told = Told(NOT_RECORDED, text)
    person = replace(DANA, display_name=text, handle=text)
    route = replace(a_route(), agents=(text,), verbs=(text,), place_name=text)
    notice = replace(a_notice(), title=text, lines=(text,))
    sent = {
        "card": render_card(card, mri=MRI, told=told),
        "fallback": render_fallback(card, web_url=WEB),
        "told": render_told(told, look_again={"about": "v1"}, mri=MRI),
        "full view": render_full_view(card, f"{WEB}/view/x", until=NOW),
        "undo": ask_undo(card, offer),
        "not mine": ask_not_mine(card),
        "stop this": ask_stop_this(card, may_stop_for_all=True, may_stop_all=True),
        "stop": ask_stop(FORUM.id, text, is_for_reader=True),
        "resume": ask_resume(replace(a_halt(), reason=text), text),
        "link": ask_link(text, "7KQM3TXW9HPD"),
        "channel": ask_channel(replace(CHANNEL, name=text, team_name=text), told=told),
        "pending": render_pending(inbox, web_url=WEB),
        "agents": render_agents(entries, is_admin=True, web_url=WEB),
        "halts": render_halts(
            [replace(a_halt(), reason=text)], entries, reader=card.on_behalf_of, web_url=WEB
        ),
        "channels": render_channels([route], web_url=WEB),
        "who": render_who(person),
        "notice": render_notice(notice),
    }
    return {name: message.activity() for name, message in sent.items()}


def cards_in(sent: Mapping[str, Any]) -> Iterator[Any]:
    for activity in sent.values():
        yield activity["attachments"][0]["content"]


@cache
def expected(name: str) -> Mapping[str, Any]:
    return {key: skeleton(value) for key, value in sent_for(a_card(name, PLAIN), PLAIN).items()}


def differences(name: str, text: str) -> list[str]:
    sent = sent_for(a_card(name, text), text)
    return [key for key, value in sent.items() if skeleton(value) != expected(name)[key]]


def is_short(text: str) -> bool:
    """Return whether *text* fits wherever it is put, all of it spelled out."""
    return len(show(Untrusted(text))) <= 60 and text.count("\n") < 6


def test_there_are_enough_texts() -> None:
    assert len(TEAMS_HOSTILE) >= 200


@pytest.mark.parametrize("text", [text for text in TEAMS_HOSTILE if is_short(text)])
def test_a_hostile_text_changes_no_element(text: str) -> None:
    assert differences("access", text) == []
    assert differences("recent", text) == []


@pytest.mark.parametrize("text", TEAMS_HOSTILE)
def test_a_hostile_text_of_any_length_is_something_that_teams_takes(text: str) -> None:
    for card in cards_in(sent_for(a_card("doubt", text), text)):
        assert size_of(card) <= limits.CARD_BYTES
        assert not [run for run in runs_in(card) if "{{" in run]


@pytest.mark.parametrize("text", [MARK, f"[{MARK}](https://evil.example)", f"{{{{{MARK}}}}}"])
@pytest.mark.parametrize("name", ["forum", "access", "recent", "doubt", "undo"])
def test_no_text_of_others_is_outside_of_a_run(name: str, text: str) -> None:
    sent = sent_for(a_card(name, text), text)
    assert not [one for one in strings_outside_runs(sent) if MARK in one]
    shown = [key for key, value in sent.items() if any(MARK in run for run in runs_in(value))]
    assert shown == [key for key in sent if key != "fallback"]


@given(text=st.text(st.characters() | st.sampled_from(SIGNS), min_size=1, max_size=12))
def test_the_structure_does_not_depend_on_the_text(text: str) -> None:
    assume(is_short(text))
    assert differences("forum", text) == []


@given(text=st.text(st.characters() | st.sampled_from(SIGNS), max_size=40))
def test_a_notification_never_repeats_a_value(text: str) -> None:
    for name in ("forum", "doubt"):
        plain = sent_for(a_card(name, PLAIN), PLAIN)
        for key, activity in sent_for(a_card(name, text), text).items():
            assert activity["summary"] == plain[key]["summary"]
            content = activity["attachments"][0]["content"]
            before = plain[key]["attachments"][0]["content"]
            assert content["fallbackText"] == before["fallbackText"]


@pytest.mark.parametrize("text", [text for text in HOSTILE if is_short(text)])
def test_a_hostile_text_is_there_in_full_for_whoever_reads(text: str) -> None:
    content = render_card(a_card("forum", text)).card
    shown = show(Untrusted(text)).strip("\n")
    assert "\n".join(texts_of(content)).count(shown) >= 7


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "TextBlock", "text": "[a](https://evil.example)"},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "", "size": "<"}]},
        {"type": "Action.OpenUrl", "url": "https://evil.example"},
    ],
)
def test_the_comparison_would_notice_a_text_that_is_acted_on(broken: dict[str, Any]) -> None:
    assert skeleton([broken]) != skeleton([{"type": "TextBlock", "text": PLAIN}])
    assert [one for one in strings_outside_runs(broken) if "evil" in one or "<" in one]
