"""Whatever stands in a value, it is a value: no element, mention, link or date comes of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Protocol

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.core.card import Card
from bot.core.untrusted import Untrusted, show
from bot.testing.hostile import HOSTILE, MORE_HOSTILE

PLAIN = "plain words"
#: Characters that markup of chats, pages and templates acts on, and that JSON and our codes do.
SIGNS = "<>&|*_~`!@#:^{}[]()$\"'\\/\n⟨⟩\u202e\u200b\u2028\ud800a"


class Drawing(Protocol):
    """How one chat draws cards, and how to look at what it draws."""

    @property
    def short_chars(self) -> int:
        """How long a text may be to be shown whole in every place of one card at once."""
        ...

    @property
    def long_words(self) -> frozenset[str]:
        """What we say beside a text that is not shown whole, with N for each number."""
        ...

    @property
    def acted_on(self) -> Sequence[Callable[[str], Any]]:
        """Wrong drawings of a text, which the chat would act on."""
        ...

    def card(self, name: str, text: str) -> Card:
        """Return the card of the scene *name*, full of *text*.

        There are "access" and "forum", which wait, "recent", which is done, and "doubt".
        """
        ...

    def message(self, card: Card) -> Any:
        """Return what is posted for *card*."""
        ...

    def all_for(self, card: Card, text: str) -> Mapping[str, Any]:
        """Return everything that can show *text*, of which *card* is full, by what it is."""
        ...

    def notification(self, card: Card) -> str: ...

    def skeleton(self, drawn: Any) -> Any:
        """Return *drawn* without the text in which the chat sees nothing but text."""
        ...

    def require_taken(self, drawn: Any) -> None:
        """Refuse *drawn* where the chat would."""
        ...

    def spelled(self, text: str) -> str:
        """Return how *text* reads where it is shown whole."""
        ...

    def text_of(self, drawn: Any) -> str:
        """Return all that can be read of *drawn*."""
        ...

    def ours_in(self, drawn: Any) -> list[str]:
        """Return every text in which the chat may see more than text."""
        ...

    def __hash__(self) -> int: ...


def is_short(drawing: Drawing, text: str) -> bool:
    """Return whether *text* fits wherever it is put, all of it spelled out."""
    return len(show(Untrusted(text))) <= drawing.short_chars and text.count("\n") < 6


class HostileTextConformance:
    """Inherit, and say what draws."""

    drawing: ClassVar[Drawing]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Try the short texts wherever a test asks for one; what is short differs by chat."""
        for name, texts in (("short", MORE_HOSTILE), ("readable", HOSTILE)):
            if name in metafunc.fixturenames:
                tried = [text for text in texts if is_short(self.drawing, text)]
                assert len(tried) > len(texts) / 2
                metafunc.parametrize(name, tried)

    def test_a_hostile_text_changes_no_element(self, short: str) -> None:
        drawing, text = self.drawing, short
        assert differences(drawing, "access", text) == []
        seen = drawing.message(drawing.card("recent", text))
        plain = drawing.message(drawing.card("recent", PLAIN))
        assert drawing.skeleton(seen) == drawing.skeleton(plain)

    @pytest.mark.parametrize("text", MORE_HOSTILE)
    def test_a_hostile_text_of_any_length_is_something_that_the_chat_takes(self, text: str) -> None:
        for drawn in self.drawing.all_for(self.drawing.card("doubt", text), text).values():
            self.drawing.require_taken(drawn)

    @given(text=st.text(st.characters() | st.sampled_from(SIGNS), min_size=1, max_size=12))
    def test_the_structure_does_not_depend_on_the_text(self, text: str) -> None:
        assume(is_short(self.drawing, text))
        assert differences(self.drawing, "forum", text) == []

    @given(text=st.text(st.sampled_from(SIGNS), max_size=3_000))
    def test_a_long_text_adds_only_the_words_that_say_so(self, text: str) -> None:
        drawing = self.drawing
        ours = set(drawing.ours_in(drawing.message(drawing.card("forum", text))))
        allowed = set(drawing.ours_in(drawing.message(drawing.card("forum", PLAIN))))
        assert {re.sub("[0-9,]+", "N", words) for words in ours - allowed} <= drawing.long_words

    @given(text=st.text(st.characters() | st.sampled_from(SIGNS), max_size=40))
    def test_a_notification_never_repeats_a_value(self, text: str) -> None:
        drawing = self.drawing
        for name in ("forum", "doubt"):
            plain = drawing.notification(drawing.card(name, PLAIN))
            assert drawing.notification(drawing.card(name, text)) == plain

    def test_a_hostile_text_is_there_in_full_for_whoever_reads(self, readable: str) -> None:
        drawn = self.drawing.message(self.drawing.card("forum", readable))
        assert self.drawing.text_of(drawn).count(self.drawing.spelled(readable)) >= 7

    def test_the_comparison_would_notice_a_text_that_is_acted_on(self) -> None:
        drawing = self.drawing
        assert drawing.acted_on
        for broken in drawing.acted_on:
            noticed = [
                text
                for text in ("<!channel>", "[a](https://evil.example)", "{{DATE(2030-01-01)}}")
                if drawing.skeleton(broken(text)) != drawing.skeleton(broken(PLAIN))
            ]
            assert noticed, broken


@cache
def expected(drawing: Drawing, name: str) -> Mapping[str, Any]:
    plain = drawing.all_for(drawing.card(name, PLAIN), PLAIN)
    return {key: drawing.skeleton(value) for key, value in plain.items()}


def differences(drawing: Drawing, name: str, text: str) -> list[str]:
    """Return what of all that is drawn for scene *name* looks otherwise with *text*."""
    drawn = drawing.all_for(drawing.card(name, text), text)
    wanted = expected(drawing, name)
    return [key for key, value in drawn.items() if drawing.skeleton(value) != wanted[key]]
