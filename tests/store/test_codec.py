from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.actors import Role
from bot.core.canonical import Json
from bot.core.verbs import Facts
from bot.testing.stores import acts
from store import codec

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2**53) + 1, 2**53 - 1)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON, TEXT)
def test_a_proposal_comes_back_to_the_last_type(value: Json, text: str) -> None:
    proposal = acts.proposal(1, before=value, reason=text)

    again = codec.PROPOSAL.parse(codec.PROPOSAL.dump(proposal))

    assert again == proposal
    # 1, 1.0 and True are equal, and are not the same to people.
    assert repr(again.facts.before) == repr(value)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001
def test_a_time_comes_back_to_the_microsecond(naive: datetime) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(hours=5, minutes=30)))

    again = codec.moment(codec.micros(at))

    assert again == at
    assert again.tzinfo is UTC


def test_sets_and_mappings_of_any_make_are_kept() -> None:
    person = replace(acts.ADA, roles=frozenset(Role))
    proposal = replace(acts.proposal(1), facts=Facts(before=MappingProxyType({"n": 1})))

    assert codec.PERSON.parse(codec.PERSON.dump(person)) == person
    assert codec.PROPOSAL.copy(proposal).facts.before == {"n": 1}


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError):
        codec.PROPOSAL.dump(replace(acts.proposal(1), etag=b"bytes"))  # type: ignore[arg-type]


def test_what_is_remembered_is_what_would_be_read() -> None:
    first = acts.proposal(1)
    text = codec.PROPOSAL.keep(first)

    assert codec.PROPOSAL.recall(text) is first
    assert codec.PROPOSAL.parse(text) == first
    assert codec.PROPOSAL.recall(codec.PROPOSAL.dump(acts.proposal(2))) == acts.proposal(2)
