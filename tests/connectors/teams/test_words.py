"""What is shown in Teams is the text and nothing else; what is not known is not made smaller."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.teams.connector.message import activity_of, is_too_large, text_of
from adapters.teams.connector.refusal import BY_STATUS, in_words, refusal_of
from adapters.teams.connector.words import audience_of, channel_facts
from adapters.teams.testing.issuer import TENANT
from adapters.teams.testing.limits import check_activity, elements_of
from bot.core.verbs import Reach

TEAM = {"id": "19:t@thread.tacv2", "name": "Support", "memberCount": 25_000}
HELP = {"id": "19:c@thread.tacv2", "name": "help", "type": "standard"}
DANA = {"id": "29:1", "tenantId": TENANT, "userRole": "user"}
TEXTS = st.text(st.characters(exclude_characters="\t\r\u00a0"), min_size=1, max_size=300)
LURES = st.lists(
    st.sampled_from(["{{DATE(2026-01-01)}}", "{", "}", "[a](https://b)", "**", "<b>", "\n", " "])
)


@given(st.one_of(TEXTS, LURES.map("".join)))
def test_whatever_is_written_stands_in_text_runs_alone_and_nothing_is_expanded(text: str) -> None:
    activity = activity_of(text)
    card = activity["attachments"][0]["content"]  # type: ignore[index, call-overload]
    found = list(elements_of(card))
    assert {one["type"] for one in found} <= {"AdaptiveCard", "RichTextBlock", "TextRun"}
    assert not [one for one in found if one["type"] == "TextRun" and "{{" in one["text"]]
    assert set(activity) == {"type", "summary", "attachments"}
    lines = ["" if line == " " else line for line in text.split("\n")]
    assert text_of(activity).split("\n") == lines
    if not is_too_large(text):
        check_activity(activity)


@pytest.mark.parametrize(
    "member",
    [
        {**DANA, "tenantId": None},
        {**DANA, "tenantId": "0a1b2c3d-0000-4000-8000-00000000e15e"},
        {**DANA, "userRole": "guest"},
        {**DANA, "userRole": "anonymous"},
        {**DANA, "userRole": None},
        {"id": "29:2"},
        {},
    ],
)
def test_whoever_is_not_surely_of_the_organisation_is_an_outsider(member: dict[str, Any]) -> None:
    facts = channel_facts(TEAM, HELP, [DANA, member], tenant=TENANT)
    audience = audience_of(facts)
    assert (facts["outside"], audience.reach, audience.readers) == (1, Reach.OUTSIDE, 2)
    inside = audience_of(channel_facts(TEAM, HELP, [DANA, DANA], tenant=TENANT))
    assert audience.is_wider_than(inside)


@pytest.mark.parametrize("kind", ["standard", "private", "shared"])
def test_members_that_are_too_many_to_look_at_may_be_outsiders(kind: str) -> None:
    facts = channel_facts(TEAM, {**HELP, "type": kind}, None, tenant=TENANT)
    assert audience_of(facts).reach is Reach.OUTSIDE
    assert facts["members"] == (25_000 if kind == "standard" else None)


@pytest.mark.parametrize("told", [None, "", "Secret", 7, ["standard"]])
def test_a_kind_that_nobody_knows_reaches_nobody_knows_whom(told: Any) -> None:
    facts = channel_facts(TEAM, {**HELP, "type": told}, [DANA], tenant=TENANT)
    assert audience_of(facts).reach is Reach.UNKNOWN


@given(st.sampled_from(sorted(BY_STATUS)), st.binary(max_size=200))
def test_a_refusal_that_cannot_be_read_is_still_one(status: int, body: bytes) -> None:
    assert in_words(refusal_of(status, body))


def test_a_refusal_of_endless_depth_is_read_to_an_end() -> None:
    body = '{"error":' * 5_000 + "{}" + "}" * 5_000
    assert refusal_of(403, body.encode()).code == ""
