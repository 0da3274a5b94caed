from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.ids import agent_id, effect_id, person_id, proposal_id
from bot.core.tokens import TokenKind, spell_token, token_hash, token_kind

ENTROPY = bytes(range(24))


@pytest.mark.parametrize("kind", list(TokenKind))
def test_a_token_says_what_kind_it_is(kind: TokenKind) -> None:
    assert token_kind(spell_token(kind, ENTROPY)) is kind


@given(st.integers(0, 42), st.characters(codec="utf-8"))
def test_a_mistyped_token_is_no_token(position: int, char: str) -> None:
    token = spell_token(TokenKind.AGENT, ENTROPY)
    mistyped = token[:position] + char + token[position + 1 :]

    assert mistyped == token or token_kind(mistyped) is None


@given(st.text())
def test_text_is_not_a_token(text: str) -> None:
    assert token_kind(text) is None
    assert len(token_hash(text)) == 64


def test_a_kind_cannot_be_swapped_for_another() -> None:
    token = spell_token(TokenKind.AGENT, ENTROPY)

    assert token_kind("ktx" + token[3:]) is None


@given(st.binary(min_size=24, max_size=24), st.binary(min_size=24, max_size=24))
def test_different_randomness_is_a_different_token(a: bytes, b: bytes) -> None:
    assert (spell_token(TokenKind.AGENT, a) == spell_token(TokenKind.AGENT, b)) == (a == b)


def test_proposal_ids_sort_by_time() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    ids = [proposal_id(at + timedelta(milliseconds=n), bytes([255 - n] * 16)) for n in range(50)]

    assert ids == sorted(ids)


def test_ids_say_what_they_name() -> None:
    assert agent_id(bytes(16)).startswith("agt_")
    assert person_id(bytes(16)).startswith("per_")
    assert agent_id(b"a" * 16) != agent_id(b"b" * 16)


def test_the_same_work_has_the_same_effect_id() -> None:
    assert effect_id("prp_1", "execute", "once") == effect_id("prp_1", "execute", "once")
    assert effect_id("prp_1", "execute", "once") != effect_id("prp_1", "deliver", "once")
