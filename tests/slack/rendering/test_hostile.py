"""Whatever stands in a value, it is a value: no element, mention, link or emoji comes from it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.slack.card import render_card
from adapters.slack.home import render_home
from adapters.slack.modals import (
    card_modal,
    full_view_modal,
    link_modal,
    not_mine_modal,
    reject_modal,
    resume_modal,
    route_blocks,
    settle_modal,
    stop_modal,
    stop_this_modal,
    told_modal,
    undo_modal,
)
from bot.core.card import Card, FullViewPage
from bot.core.proposal import Source
from bot.core.states import State
from bot.core.untrusted import Untrusted, show
from bot.testing.hostile import HOSTILE, MORE_HOSTILE
from tests.slack.rendering.reading import all_text, an_outcome, check, elements, full_of, skeleton
from tests.slack.rendering.scenes import (
    WEB,
    a_halt,
    a_home,
    a_slack_day,
    agents,
    an_offer,
)

DAY = a_slack_day()
PLAIN = "plain words"
#: Characters that Slack's mrkdwn acts on, and that JSON, HTML and our own codes do.
SIGNS = "<>&|*_~`!@#:^{}[]()\"'\\/\n⟨⟩\u202e\u200b\u2028\ud800a"


def sent_for(card: Card, text: str) -> Mapping[str, Any]:
    """Return everything that can show *text*, of which *card* is full."""
    message = render_card(card, web_url=WEB)
    many = replace(card, rationale=replace(card.rationale, read=(Source(ref=text),) * 9))
    page = FullViewPage(text=show(Untrusted(f'{{"body":"{text}"}}')), number=1, count=1)
    entries = [replace(one, name=text, purpose=text, owner_name=text) for one in agents()]
    halt = replace(a_halt(), reason=text)
    home = a_home()
    inbox = replace(home.inbox, waiting=[card], decided=[card])
    offer = replace(an_offer(card), effect=Untrusted(text), target=Untrusted(text))
    route = replace((a_home().routes or ())[0], agents=(text,), verbs=(text,), place_name=text)
    return {
        "message": {"text": message.text, "blocks": message.blocks},
        "card": card_modal(card, web_url=WEB),
        "reject": reject_modal(card),
        "not mine": not_mine_modal(card),
        "settle": settle_modal(card, done=True),
        "undo": undo_modal(card, offer),
        "full view": full_view_modal(many, page, part=1),
        "front": full_view_modal(many, page, part=0),
        "stop this": stop_this_modal(card, may_stop_for_all=True, may_stop_all=True),
        "stop": stop_modal(entries, may_stop_all=True),
        "resume": resume_modal([halt], entries, reader=card.on_behalf_of),
        "link": link_modal(text or "?", "7KQM3TXW9HPD"),
        "told": told_modal("Not recorded", text),
        "route": {"blocks": route_blocks(route)},
        "home": render_home(
            replace(
                home,
                inbox=inbox,
                person=replace(home.person, display_name=text),
                agents=entries,
                halts=[halt],
                routes=[route],
            )
        ),
    }


def a_card(name: str, text: str) -> Card:
    card = full_of(DAY.card(name), text)
    return card if card.state is State.PENDING else replace(card, outcome=an_outcome())


@cache
def expected(name: str) -> Mapping[str, Any]:
    return {key: skeleton(value) for key, value in sent_for(a_card(name, PLAIN), PLAIN).items()}


def differences(name: str, text: str) -> list[str]:
    sent = sent_for(a_card(name, text), text)
    return [key for key, value in sent.items() if skeleton(value) != expected(name)[key]]


def message_of(name: str, text: str) -> Any:
    return render_card(a_card(name, text), web_url=WEB).blocks


def is_short(text: str) -> bool:
    """Return whether *text* fits wherever it is put, all of it spelled out."""
    return len(show(Untrusted(text))) <= 90 and text.count("\n") < 6


@pytest.mark.parametrize("text", [text for text in MORE_HOSTILE if is_short(text)])
def test_a_hostile_text_changes_no_element(text: str) -> None:
    assert differences("access", text) == []
    assert skeleton(message_of("recent", text)) == skeleton(message_of("recent", PLAIN))


@pytest.mark.parametrize("text", MORE_HOSTILE)
def test_a_hostile_text_of_any_length_is_something_that_slack_takes(text: str) -> None:
    for value in sent_for(a_card("doubt", text), text).values():
        check(value)


@given(text=st.text(st.characters() | st.sampled_from(SIGNS), min_size=1, max_size=12))
def test_the_structure_does_not_depend_on_the_text(text: str) -> None:
    assume(is_short(text))
    assert differences("forum", text) == []


@given(text=st.text(st.sampled_from(SIGNS), max_size=3_000))
def test_a_long_text_adds_only_the_words_that_say_so(text: str) -> None:
    card = a_card("forum", text)
    ours = set(ours_in(render_card(card, web_url=WEB).blocks))
    allowed = set(ours_in(render_card(a_card("forum", PLAIN), web_url=WEB).blocks))
    extra = {re.sub("[0-9,]+", "N", words) for words in ours - allowed}
    assert extra <= {"*N of N characters shown.* The rest is in the full details."}


@given(text=st.text(st.characters() | st.sampled_from(SIGNS), max_size=40))
def test_a_notification_never_repeats_a_value(text: str) -> None:
    for name in ("forum", "doubt"):
        plain = render_card(a_card(name, PLAIN), web_url=WEB).text
        assert render_card(a_card(name, text), web_url=WEB).text == plain


@pytest.mark.parametrize("text", [text for text in HOSTILE if is_short(text)])
def test_a_hostile_text_is_there_in_full_for_whoever_reads(text: str) -> None:
    shown = show(Untrusted(text))
    for value in (render_card(a_card("forum", text), web_url=WEB).blocks,):
        assert all_text(value).count(shown) >= 7


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: {"type": "mrkdwn", "text": text, "verbatim": True},
        lambda text: {"type": "plain_text", "text": "x", "emoji": "<" in text},
        lambda text: {"type": "button", "url": text},
        lambda text: [{"type": "divider"}] * (1 + text.count("<")),
    ],
)
def test_the_comparison_would_notice_a_text_that_is_acted_on(
    broken: Callable[[str], Any],
) -> None:
    assert skeleton(broken("<!channel>")) != skeleton(broken(PLAIN))


def ours_in(blocks: Any) -> list[str]:
    """Return every text in which Slack may see more than text."""
    inert = {"plain_text", "rich_text_preformatted"}
    texts = [
        one["text"]
        for one in elements(skeleton(blocks))
        if one.get("type") not in inert and isinstance(one.get("text"), str)
    ]
    return [words for words in texts if words != "…"]
