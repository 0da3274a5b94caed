"""At, under and over every limit: whole, whole, and cut with a word about it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import blocks, limits
from adapters.slack.blocks import Message, Ours, TooLarge, text_size
from adapters.slack.card import render_card, render_fallback
from adapters.slack.fit import inert, pages
from adapters.slack.modals import first_part, full_view_modal, parts_of
from adapters.slack.pressable import ActionId
from bot.core.card import _WARNINGS, Card, Field, FullViewPage, full_view
from bot.core.proposal import Rationale, Source
from bot.core.states import State
from bot.core.untrusted import Untrusted, show, unshow
from bot.core.verbs import Audience, Reach
from bot.testing.proposals import a_proposal
from tests.chats.full_cards import an_outcome, full_of
from tests.slack.rendering.reading import action_ids, all_text, check, elements
from tests.slack.rendering.scenes import DANA, FORUM, WEB, a_slack_day

DAY = a_slack_day()
FORUM_CARD = DAY.card("forum")
ENDED = replace(DAY.card("done"), outcome=an_outcome())


def _because(card: Card, **said: Any) -> Card:
    return replace(card, rationale=Rationale(**said))


#: Each text of a card: its limit, whether it is part of what is approved, and where it is put.
TEXTS: dict[str, tuple[int, bool, Callable[[str], Card]]] = {
    "who": (
        limits.WHO,
        True,
        lambda t: replace(FORUM_CARD, audience=Audience(reach=Reach.PUBLIC, who=t)),
    ),
    "effect": (limits.EFFECT, True, lambda t: replace(FORUM_CARD, effect=Untrusted(t))),
    "target": (limits.TARGET, True, lambda t: replace(FORUM_CARD, target=Untrusted(t))),
    "reversible": (limits.REVERSIBLE, True, lambda t: replace(FORUM_CARD, reversible=t)),
    "why": (limits.WHY, False, lambda t: _because(FORUM_CARD, why=t)),
    "expects": (limits.EXPECTS, False, lambda t: _because(FORUM_CARD, expects=t)),
    "source": (limits.SOURCE, False, lambda t: _because(FORUM_CARD, read=(Source(ref=t),))),
    "agent": (limits.NAME, False, lambda t: replace(FORUM_CARD, agent_name=t)),
    "purpose": (limits.PURPOSE, False, lambda t: replace(FORUM_CARD, agent_purpose=t)),
    "principal": (limits.NAME, False, lambda t: replace(FORUM_CARD, on_behalf_of=t)),
    "verb": (limits.TECHNICAL, False, lambda t: replace(FORUM_CARD, verb=t)),
    "connector": (limits.TECHNICAL, False, lambda t: replace(FORUM_CARD, connector=t)),
    "status": (limits.STATUS, False, lambda t: replace(ENDED, status=t)),
    "reference": (
        limits.REFERENCE,
        False,
        lambda t: replace(ENDED, outcome=replace(an_outcome(), reference=t)),
    ),
}


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_is_whole_up_to_its_limit_and_says_what_is_missing_beyond(
    name: str, over: int
) -> None:
    limit, is_approved, put = TEXTS[name]
    text = "x" * (limit + over)
    card = put(text)
    message = render_card(card, web_url=WEB)
    check({"text": message.text, "blocks": message.blocks})
    shown = all_text(message.blocks)
    assert (text in shown) == (over <= 0)
    assert ("more characters⟩" in shown) == (over > 0)
    if card.state is State.PENDING:
        must_read = is_approved and over > 0
        assert (ActionId.APPROVE in action_ids(message.blocks)) == (not must_read)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_lines_of_an_action_are_counted(over: int) -> None:
    text = "\n".join("x" * (limits.ACTION_LINES + over))
    card = replace(FORUM_CARD, fields=(_field("/body", text),), total_chars=len(text))
    found = render_card(card, web_url=WEB).blocks
    assert (text in all_text(found)) == (over <= 0)
    assert (ActionId.APPROVE in action_ids(found)) == (over <= 0)


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize(
    "chars", [limits.CARD_CHARS - len("/body"), limits.ACTION_TEXT - len("body")]
)
def test_an_action_as_long_as_a_card_takes_is_whole(chars: int, over: int) -> None:
    text = "x" * (chars + over)
    card = replace(FORUM_CARD, fields=(_field("/body", text),), total_chars=len(text))
    message = render_card(card, web_url=WEB)
    check({"text": message.text, "blocks": message.blocks})
    is_whole = len(text) + len("body") <= limits.ACTION_TEXT
    assert (text in all_text(message.blocks)) == is_whole
    assert ("characters shown" in all_text(message.blocks)) == (not is_whole)


@pytest.mark.parametrize(
    ("count", "has_before", "is_whole"),
    [
        (0, False, True),
        (1, False, True),
        (limits.BOXED_VALUES, False, True),
        (limits.BOXED_VALUES + 1, False, True),
        (limits.TABLED_VALUES, False, True),
        (limits.TABLED_VALUES + 1, False, False),
        (2_000, False, False),
        (limits.BOXED_CHANGES, True, True),
        (limits.BOXED_CHANGES + 1, True, True),
        (limits.COMPARED_VALUES, True, True),
        (limits.COMPARED_VALUES + 1, True, False),
    ],
)
def test_any_number_of_values_fits_or_is_said_not_to(
    count: int, *, has_before: bool, is_whole: bool
) -> None:
    before = "old" if has_before else None
    fields = tuple(_field(f"/{number}", "new", before) for number in range(count))
    card = replace(FORUM_CARD, fields=fields, total_chars=3 * count)
    found = render_card(card, web_url=WEB).blocks
    check({"blocks": found})
    assert (ActionId.APPROVE in action_ids(found)) == is_whole


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_value_in_a_table_is_cut_where_slack_cuts(over: int) -> None:
    long = "x" * (limits.FIELD_TEXT + over)
    fields = (_field("/long", long), *(_field(f"/{n}", "v") for n in range(limits.BOXED_VALUES)))
    found = render_card(replace(FORUM_CARD, fields=fields), web_url=WEB).blocks
    check({"blocks": found})
    assert (long in all_text(found)) == (over <= 0)


@pytest.mark.parametrize("name", ["forum", "access", "doubt", "recent", "undo", "state-rejected"])
@pytest.mark.parametrize("text", ["w" * 10_000, "\u202e\u202d" * 900, "a\n" * 900, "⟨" * 1_500])
def test_a_card_full_of_anything_stays_under_every_limit(name: str, text: str) -> None:
    card = full_of(DAY.card(name), text)
    card = replace(card, warnings=tuple(_WARNINGS.values()))
    if card.outcome is not None:
        card = replace(card, outcome=replace(an_outcome(), reference=text))
    message = render_card(card, web_url=WEB)
    assert len(message.blocks) <= limits.MESSAGE_BLOCKS
    assert text_size(message.blocks) <= limits.CARD_TEXT
    check({"text": message.text, "blocks": message.blocks})
    check({"blocks": render_fallback(card, web_url=WEB).blocks})


@given(
    texts=st.lists(st.text(max_size=300), min_size=1, max_size=30),
    has_before=st.booleans(),
)
def test_any_action_stays_under_every_limit(texts: list[str], *, has_before: bool) -> None:
    fields = tuple(_field(f"/{text}", text * 3, text if has_before else None) for text in texts)
    message = render_card(replace(FORUM_CARD, fields=fields), web_url=WEB)
    check({"text": message.text, "blocks": message.blocks})
    assert text_size(message.blocks) <= limits.CARD_TEXT


@given(text=st.text(max_size=200), at_most=st.integers(80, 300), lines=st.integers(1, 5))
def test_a_cut_is_marked_exactly_when_something_is_missing(
    text: str, at_most: int, lines: int
) -> None:
    shown, missing = inert(text, at_most=at_most, lines=lines)
    assert 0 < len(shown) <= at_most
    assert shown.count("\n") < lines
    assert shown.strip(" \n")
    assert ("more character" in shown.rpartition("⟨")[2]) == (missing > 0)
    if not missing and text:
        assert unshow(shown) == text


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "\u202e\u202d" * 9_000, "a,b" * 40_000, '"', "{}" * 10]
)
def test_the_full_view_is_exact_when_its_parts_are_joined(text: str) -> None:
    proposal = a_proposal(1, agent=FORUM.id, principal=DANA.id, params={"body": text})
    card = replace(FORUM_CARD, proposal=proposal.id, approve_needs_full_view=False)
    joined, number, count = "", 1, 2
    while number <= count:
        page = full_view(proposal, page=number)
        count = page.count
        assert first_part(card, page) == 1
        for part in range(1, parts_of(page) + 1):
            view = full_view_modal(card, page, part=part)
            check(view)
            joined += "".join(
                element["elements"][0]["text"]
                for element in elements(view)
                if element.get("type") == "rich_text_preformatted"
            )
            is_end = number == count and part == parts_of(page)
            assert (ActionId.PAGE_ON in action_ids(view)) == (not is_end)
            assert (ActionId.APPROVE in action_ids(view)) == is_end
        number += 1
    assert joined == show(Untrusted(proposal.action_json))


def test_no_code_is_torn_between_two_pages() -> None:
    shown = show(Untrusted("\u202e\u202d" * 5_000))
    for box in (box for page in pages(shown) for box in page):
        assert box.count("⟨") == box.count("⟩")
        assert len(box) <= limits.PAGE_BLOCK_TEXT


def test_the_end_of_what_was_not_read_offers_no_approve() -> None:
    page = FullViewPage(text="{}", number=1, count=1)
    unread = replace(FORUM_CARD, approve_needs_full_view=True)
    assert ActionId.APPROVE not in action_ids(full_view_modal(unread, page, part=1))


#: Each builder with a text or a number of things, and how much of it Slack takes.
BUILDERS: dict[str, tuple[int, Callable[[int], Any]]] = {
    "plain text": (limits.SECTION_TEXT, lambda n: blocks.plain("x" * n)),
    "mrkdwn": (limits.SECTION_TEXT, lambda n: blocks.mrkdwn(Ours("x" * n))),
    "header": (limits.HEADER_TEXT, lambda n: blocks.header("x" * n)),
    "box": (limits.ACTION_TEXT, lambda n: blocks.box("x" * n)),
    "pairs": (
        limits.SECTION_FIELDS // 2,
        lambda n: blocks.pairs(*[(blocks.plain("a"), blocks.plain("b"))] * n),
    ),
    "a field": (
        limits.FIELD_TEXT,
        lambda n: blocks.pairs((blocks.plain("a"), blocks.plain("x" * n))),
    ),
    "context": (
        limits.CONTEXT_ELEMENTS,
        lambda n: blocks.context(*[blocks.plain("a")] * n),
    ),
    "actions": (
        limits.ACTIONS,
        lambda n: blocks.actions(*[blocks.button("a", "b", value="c")] * n),
    ),
    "words on a button": (
        limits.BUTTON_TEXT,
        lambda n: blocks.button("x" * n, "a", value="v"),
    ),
    "value of a button": (
        limits.BUTTON_VALUE,
        lambda n: blocks.button("a", "a", value="v" * n),
    ),
    "option": (limits.OPTION_TEXT, lambda n: blocks.option("x" * n, "v")),
    "value of an option": (limits.OPTION_VALUE, lambda n: blocks.option("x", "v" * n)),
    "overflow": (
        limits.OVERFLOW_OPTIONS,
        lambda n: blocks.overflow("a", [blocks.option("x", "v")] * n),
    ),
    "checkboxes": (
        limits.CHOICE_OPTIONS,
        lambda n: blocks.checkboxes("a", [blocks.option("x", "v")] * n),
    ),
    "select": (
        limits.SELECT_OPTIONS,
        lambda n: blocks.select("a", [blocks.option("x", "v")] * n, placeholder="p"),
    ),
    "input": (
        limits.INPUT_TEXT,
        lambda n: blocks.text_input("a", lines=True, at_most=n),
    ),
    "title of a confirm": (
        limits.CONFIRM_TITLE,
        lambda n: blocks.confirm(title="x" * n, text="t", yes="y", no="n"),
    ),
    "text of a confirm": (
        limits.CONFIRM_TEXT,
        lambda n: blocks.confirm(title="t", text="x" * n, yes="y", no="n"),
    ),
    "yes of a confirm": (
        limits.CONFIRM_BUTTON,
        lambda n: blocks.confirm(title="t", text="t", yes="x" * n, no="n"),
    ),
    "title of a modal": (
        limits.VIEW_TITLE,
        lambda n: blocks.modal("x" * n, [blocks.divider()], callback="c"),
    ),
    "blocks of a modal": (
        limits.VIEW_BLOCKS,
        lambda n: blocks.modal("t", [blocks.section(blocks.plain("x"))] * n, callback="c"),
    ),
    "blocks of a Home": (
        limits.VIEW_BLOCKS,
        lambda n: blocks.home([blocks.section(blocks.plain("x"))] * n),
    ),
    "blocks of a message": (
        limits.MESSAGE_BLOCKS,
        lambda n: Message(Ours("t"), [blocks.section(blocks.plain("x"))] * n),
    ),
}


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_nothing_larger_than_slack_takes_can_be_built(name: str) -> None:
    limit, build = BUILDERS[name]
    build(limit - 1)
    build(limit)
    for size in (0, limit + 1):
        with pytest.raises(TooLarge):
            build(size)


def test_a_message_of_too_much_text_cannot_be_built() -> None:
    def of(chars: int) -> Message:
        texts = [chars - limits.CARD_TEXT // 2, limits.CARD_TEXT // 2]
        halves = [text // 2 for text in texts for _ in range(2)]
        return Message(Ours("t"), [blocks.section(blocks.plain("x" * half)) for half in halves])

    of(limits.CARD_TEXT)
    with pytest.raises(TooLarge):
        of(limits.CARD_TEXT + 2)


def _field(path: str, value: str, before: str | None = None) -> Field:
    return Field(
        path=Untrusted(path),
        value=Untrusted(value),
        before=None if before is None else Untrusted(before),
    )
