"""Text from elsewhere in runs: nothing is lost, nothing is expanded, and no word is cut off."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.teams.text import as_shown, inert, run_of
from bot.core.untrusted import unshow
from bot.testing.hostile import MORE_HOSTILE
from tests.teams.rendering.teams_hostile import EXPANDED

#: A space that folds away, a line that ends, what is split: where most can go wrong.
TEXTS = st.text(st.characters() | st.sampled_from("{}() \n\u200b\u00a0\u202e⟨⟩DATE"), max_size=200)


def shown_of(text: str) -> str:
    return inert(text, at_most=4_000, lines=400).shown


@given(text=TEXTS)
@example(text="{" * 400)
@example(text="  two  spaces\n    and four")
@example(text="x" * 300 + "\u0301")
def test_what_was_written_can_be_read_back_from_the_runs(text: str) -> None:
    shown = shown_of(text)
    if shown == "⟨empty⟩":
        assert text == ""
        return
    assert as_shown(run_of(shown)) == shown
    assert unshow(shown) == text


@given(text=TEXTS)
@example(text="{{{{{{{{{{" * 30)
def test_no_run_holds_two_braces_side_by_side(text: str) -> None:
    run = run_of(shown_of(text))
    assert "{{" not in run
    assert run


@pytest.mark.parametrize("text", EXPANDED)
def test_a_date_that_a_client_would_put_in_stays_as_it_was_written(text: str) -> None:
    run = run_of(shown_of(text))
    assert not re.search(r"\{\{(DATE|TIME)", run)
    assert as_shown(run) == text


@given(text=TEXTS)
@example(text="a" * 5_000)
@example(text="é" * 300)
def test_no_word_is_longer_than_a_narrow_window(text: str) -> None:
    plain = re.sub("⟨[^⟩]*⟩", " ", run_of(shown_of(text)))
    for word in re.split("[\\s\u200b]+", plain):
        marks = sum(unicodedata.category(char).startswith("M") for char in word)
        assert len(word) - marks <= 20


@given(text=TEXTS)
def test_no_line_begins_with_a_mark_that_stood_on_a_letter(text: str) -> None:
    for before, after in pairwise(run_of(shown_of(text))):
        assert not (before == "\u200b" and unicodedata.category(after).startswith("M"))


@given(text=TEXTS)
def test_no_space_folds_into_another(text: str) -> None:
    assert not re.search(r"(?:\A|[ \n\u00a0]) ", run_of(shown_of(text)))


@pytest.mark.parametrize("text", ["\n\nafter", "before\n", "\n", " ", "", "\n \n"])
def test_what_is_blank_at_an_end_is_spelled_out(text: str) -> None:
    shown = shown_of(text)
    assert shown.strip("\n") == shown
    assert shown.strip()


@pytest.mark.parametrize("text", MORE_HOSTILE)
def test_no_character_of_others_is_one_that_is_added_here(text: str) -> None:
    shown = shown_of(text)
    assert "\u200b" not in shown
    assert "\u00a0" not in shown
