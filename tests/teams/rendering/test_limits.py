"""At, under and over every limit: whole, whole, and cut with a word about it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.teams import limits
from adapters.teams.card import render_card, render_fallback
from adapters.teams.elements import TooLarge, card, execute, ours, size_of, texts_of
from adapters.teams.lists import render_agents, render_channels, render_halts, render_pending
from adapters.teams.notice import render_notice
from adapters.teams.pressable import Verb
from bot.core.card import _WARNINGS, Card, Field
from bot.core.proposal import Rationale, Source
from bot.core.states import State
from bot.core.told import NOT_RECORDED, Told
from bot.core.untrusted import Untrusted
from bot.core.verbs import Audience, Reach
from tests.chats.full_cards import an_outcome, full_of
from tests.teams.rendering.reading import runs_in, verbs_of
from tests.teams.rendering.scenes import (
    MRI,
    a_halt,
    a_notice,
    a_route,
    a_teams_day,
    agents,
    an_inbox,
)
from tests.web.scenes import DANA

DAY = a_teams_day()
FORUM = DAY.card("forum")
ENDED = replace(DAY.card("done"), outcome=an_outcome())
INBOX = an_inbox()

#: One character that takes more than one: in UTF-16, in JSON, spelled out, or parted.
COSTLY = ("x", "é", "漢", "\U0001f511", '"', "\\", "\n", "{", "\u202e", "⟨", "e\u0301", " ")


def _because(shown: Card, **said: Any) -> Card:
    return replace(shown, rationale=Rationale(**said))


def _with_fields(*fields: tuple[str, str]) -> Card:
    return replace(
        FORUM,
        fields=tuple(Field(path=Untrusted(p), value=Untrusted(v)) for p, v in fields),
        total_chars=sum(len(value) for _, value in fields),
    )


#: Each text of a card: its limit, whether it is part of what is approved, and where it is put.
TEXTS: dict[str, tuple[int, bool, Callable[[str], Card]]] = {
    "who": (
        limits.WHO,
        True,
        lambda t: replace(FORUM, audience=Audience(reach=Reach.PUBLIC, who=t)),
    ),
    "effect": (limits.EFFECT, True, lambda t: replace(FORUM, effect=Untrusted(t))),
    "target": (limits.TARGET, True, lambda t: replace(FORUM, target=Untrusted(t))),
    "reversible": (limits.REVERSIBLE, True, lambda t: replace(FORUM, reversible=t)),
    "why": (limits.WHY, False, lambda t: _because(FORUM, why=t)),
    "expects": (limits.EXPECTS, False, lambda t: _because(FORUM, expects=t)),
    "source": (limits.SOURCE, False, lambda t: _because(FORUM, read=(Source(ref=t),))),
    "agent": (limits.NAME, False, lambda t: replace(FORUM, agent_name=t)),
    "purpose": (limits.PURPOSE, False, lambda t: replace(FORUM, agent_purpose=t)),
    "principal": (limits.NAME, False, lambda t: replace(FORUM, on_behalf_of=t)),
    "verb": (limits.TECHNICAL, False, lambda t: replace(FORUM, verb=t)),
    "connector": (limits.TECHNICAL, False, lambda t: replace(FORUM, connector=t)),
    "status": (limits.STATUS, False, lambda t: replace(ENDED, status=t)),
    "reference": (
        limits.REFERENCE,
        False,
        lambda t: replace(ENDED, outcome=replace(an_outcome(), reference=t)),
    ),
}


def all_text(shown: Any) -> str:
    return "\n".join(texts_of(shown))


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_is_whole_up_to_its_limit_and_says_what_is_missing_beyond(
    name: str, over: int
) -> None:
    limit, is_approved, put = TEXTS[name]
    text = "x" * (limit + over)
    given_card = put(text)
    shown = render_card(given_card).card
    assert (text in all_text(shown)) == (over <= 0)
    assert ("more characters⟩" in all_text(shown)) == (over > 0)
    if given_card.state is State.PENDING:
        must_read = is_approved and over > 0
        assert (Verb.APPROVE in verbs_of(shown)) == (not must_read)
        assert ("Not all of it fits here" in all_text(shown)) == must_read


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_lines_of_an_action_are_counted(over: int) -> None:
    text = "\n".join("x" * (limits.ROOMS[0].lines + over))
    shown = render_card(_with_fields(("/body", text))).card
    assert (text in all_text(shown)) == (over <= 0)
    assert (Verb.APPROVE in verbs_of(shown)) == (over <= 0)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_an_action_as_long_as_a_card_takes_is_whole(over: int) -> None:
    text = "x" * (limits.ROOMS[0].chars - len("body") + over)
    shown = render_card(_with_fields(("/body", text))).card
    assert (text in all_text(shown)) == (over <= 0)
    assert ("characters shown" in all_text(shown)) == (over > 0)
    assert (Verb.APPROVE in verbs_of(shown)) == (over <= 0)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_values_of_an_action_are_counted(over: int) -> None:
    count = limits.ROOMS[0].values + over
    shown = render_card(_with_fields(*((f"/n{n}", f"value {n}") for n in range(count)))).card
    assert (f"value {count - 1}" in all_text(shown)) == (over <= 0)
    assert (Verb.APPROVE in verbs_of(shown)) == (over <= 0)


def test_what_the_core_puts_on_a_card_is_whole_where_nothing_is_hidden() -> None:
    text = "A sentence of plain words, such as people write. " * 50
    shown = render_card(_with_fields(("/body", text[: limits.CARD_CHARS - 5])), mri=MRI).card
    assert Verb.APPROVE in verbs_of(shown)


@pytest.mark.parametrize("text", COSTLY)
@pytest.mark.parametrize("chars", [300, 2_400])
def test_a_card_is_never_larger_than_teams_takes(text: str, chars: int) -> None:
    told = Told(NOT_RECORDED, text * 700)
    for name in DAY.names:
        full = full_of(DAY.card(name), text * (chars // len(text)))
        full = replace(full, warnings=tuple(_WARNINGS.values()), successor_of=FORUM.proposal)
        shown = render_card(full, mri="m" * limits.MRI, told=told).card
        assert size_of(shown) <= limits.CARD_BYTES


def test_a_name_that_teams_would_not_give_has_no_card_refreshed() -> None:
    assert "refresh" in render_card(FORUM, mri="m" * limits.MRI).card
    assert "refresh" not in render_card(FORUM, mri="m" * (limits.MRI + 1)).card


@given(
    text=st.text(st.sampled_from("".join(COSTLY)), max_size=2_400),
    count=st.integers(1, 40),
)
def test_a_card_of_any_text_is_one_that_teams_takes(text: str, count: int) -> None:
    fields = tuple(
        Field(path=Untrusted(f"/{text[:40]}"), value=Untrusted(text)) for _ in range(count)
    )
    full = replace(full_of(FORUM, text), fields=fields, total_chars=count * len(text))
    shown = render_card(full, mri=MRI).card
    assert size_of(shown) <= limits.CARD_BYTES
    assert size_of(render_fallback(full, web_url="https://keyturn.example").card) < 10_000


@given(text=st.text(st.sampled_from("".join(COSTLY)), min_size=1, max_size=2_400))
def test_who_may_not_read_all_of_it_may_not_approve(text: str) -> None:
    shown = render_card(_with_fields(("/body", text))).card
    is_whole = "characters shown" not in all_text(shown)
    assert (Verb.APPROVE in verbs_of(shown)) == is_whole
    assert is_whole == (not any("more character" in run for run in runs_in(shown)))


def test_whoever_was_shown_all_of_it_elsewhere_may_approve() -> None:
    long = DAY.card("long")
    assert long.approve_needs_full_view
    assert Verb.APPROVE not in verbs_of(render_card(long).card)
    read = replace(long, approve_needs_full_view=False, is_viewed=True)
    assert Verb.APPROVE in verbs_of(render_card(read).card)
    hidden = _with_fields(("/body", "\u202e " * 1_100))
    assert Verb.APPROVE not in verbs_of(render_card(hidden).card)
    assert Verb.APPROVE in verbs_of(render_card(replace(hidden, is_viewed=True)).card)


@pytest.mark.parametrize("text", ["x", "é", "漢", "\U0001f511", '"', "\u202e"])
def test_bytes_are_counted_as_utf_16(text: str) -> None:
    made = card([ours(text * 100)], instead="x")
    assert size_of(made) == len(
        json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le")
    )


@pytest.mark.parametrize("text", ["x", "漢"])
@pytest.mark.parametrize("over", [0, 1])
def test_a_card_of_as_many_bytes_as_teams_takes_is_the_largest(text: str, over: int) -> None:
    empty = size_of(card([ours("")], instead="x"))
    words = text * ((limits.CARD_BYTES - empty) // 2 + over)
    if over:
        with pytest.raises(TooLarge, match="20482"):
            card([ours(words)], instead="x")
    else:
        assert size_of(card([ours(words)], instead="x")) == limits.CARD_BYTES


def test_more_buttons_than_teams_shows_are_refused() -> None:
    press = execute("Open", Verb.OPEN, {})
    assert card([], [press] * limits.ACTIONS, instead="x")
    with pytest.raises(TooLarge):
        card([], [press] * (limits.ACTIONS + 1), instead="x")


@pytest.mark.parametrize("text", [*COSTLY, '漢字 {{ " \\ \U0001f511'])
def test_a_list_says_how_many_it_leaves_out(text: str) -> None:
    long = text * (200 // len(text))
    inbox = replace(INBOX, waiting=[full_of(INBOX.waiting[0], long)] * 50, waiting_total=1_234)
    entries = [replace(one, name=long, purpose=long, owner_name=long) for one in agents()] * 20
    halts = [replace(a_halt(n), reason=long) for n in range(30)]
    routes = [replace(a_route(), place_name=long, agents=(long,), verbs=(long,))] * 30
    for message in (
        render_pending(inbox, web_url="https://keyturn.example"),
        render_agents(entries, is_admin=True, web_url=None),
        render_halts(halts, entries, reader=DANA.id, web_url=None),
        render_channels(routes, web_url=None),
    ):
        assert size_of(message.card) <= limits.CARD_BYTES
        assert "more" in all_text(message.card)
        assert 2 <= len(verbs_of(message.card)) <= limits.LISTED + 1


@pytest.mark.parametrize("text", COSTLY)
def test_a_notice_says_how_many_lines_it_leaves_out(text: str) -> None:
    notice = replace(a_notice(), title=text * 300, lines=(text * 900,) * 40)
    shown = render_notice(notice).card
    assert size_of(shown) <= limits.CARD_BYTES
    assert "more lines are in the web inbox" in all_text(shown)
