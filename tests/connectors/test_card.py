"""What people are shown: pure, total, and never cut in silence."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import HttpConnector
from bot.core.canonical import Json, canonical
from bot.core.errors import InvalidInput, UpstreamFailed
from bot.core.proposal import Action
from bot.core.verbs import Audience, Facts, Preview, Reach
from tests.connectors.samples import ACTION
from tests.connectors.sections import connect, section
from tests.connectors.target import LoopbackTarget

URL = "https://tracker.example"
TRACKING = connect(section(URL))
JSON_HEADERS = {"Content-Type": "application/json"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PARAMS = st.fixed_dictionaries(
    {"text": TEXT}, optional={"labels": st.lists(TEXT, max_size=3), "notify": st.booleans()}
)


@given(params=PARAMS, resource=TEXT, before=VALUES, etag=st.none() | TEXT)
def test_a_preview_is_pure_and_total(
    params: dict[str, Any], resource: str, before: Json, etag: str | None
) -> None:
    connector, verb = TRACKING, TRACKING.verbs["tracker.comment"]
    assert jsonschema_rs.is_valid(dict(verb.params_schema), params)
    action = Action(verb="tracker.comment", resource=resource, params=params)
    kept = canonical(params)
    facts = Facts(before=before, etag=etag)
    first = connector.preview(action, facts)
    assert first == connector.preview(action, facts)
    assert isinstance(first, Preview)
    assert "\n" not in first.effect
    assert "{" not in first.reversible
    assert canonical(params) == kept


def test_a_long_value_says_how_much_of_it_is_missing() -> None:
    connector = connect(section(URL, {"say": {"effect": "Say {params.text} to {params.notify}"}}))
    action = replace(ACTION, params={"text": "a\nb" + "x" * 500})
    preview = connector.preview(action, Facts())
    assert preview.effect == f"Say a b{'x' * 117}… (383 more characters) to (not known)"


def test_what_is_not_said_has_a_default() -> None:
    connector = connect(section(URL, {"say": {"effect": "Comment"}}))
    preview = connector.preview(ACTION, Facts())
    assert preview.target == ACTION.resource
    assert preview.reversible == "Keyturn cannot undo this."


async def inspected(
    target: LoopbackTarget,
    body: object = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] = JSON_HEADERS,
    verb: Mapping[str, Any] | None = None,
) -> Facts:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    target.scripted = lambda _request: (status, headers, raw)
    connector = connect(section(target.url, verb))
    try:
        return await connector.inspect(ACTION)
    finally:
        await connector.close()


@pytest.mark.parametrize(
    ("private", "reach"),
    [
        (False, Reach.PUBLIC),
        (True, Reach.ORGANISATION),
        ("false", Reach.PUBLIC),
        (None, Reach.UNKNOWN),
        ("maybe", Reach.UNKNOWN),
        ({}, Reach.UNKNOWN),
    ],
)
async def test_the_audience_follows_the_value_that_was_seen(
    target: LoopbackTarget, private: Json, reach: Reach
) -> None:
    facts = await inspected(target, {"private": private})
    assert facts.audience.reach is reach


async def test_without_the_deciding_value_the_audience_is_not_known(target: LoopbackTarget) -> None:
    facts = await inspected(target, {})
    assert facts.audience == Audience()
    assert facts.before is None


@pytest.mark.parametrize(
    ("watchers", "readers"), [(0, 0), (7, 7), (-1, None), (True, None), ("9", None)]
)
async def test_readers_are_a_count_or_not_known(
    target: LoopbackTarget, watchers: Json, readers: int | None
) -> None:
    facts = await inspected(target, {"private": False, "watchers": watchers})
    assert facts.audience.readers == readers


async def test_the_audience_can_follow_a_param(target: LoopbackTarget) -> None:
    case = {"reach": "public", "who": "All in {resource.project}"}
    verb = {"audience": {"of": "{params.notify}", "cases": {False: case}}}
    facts = await inspected(target, {}, verb=verb)
    assert facts.audience == Audience(reach=Reach.PUBLIC, who="All in core")


async def test_text_in_the_audience_is_inert(target: LoopbackTarget) -> None:
    who = {"reach": "private", "who": "Only {resource.project}"}
    target.scripted = lambda _request: (200, JSON_HEADERS, b"{}")
    connector = connect(section(target.url, {"audience": who}))
    facts = await connector.inspect(replace(ACTION, resource="tracker:a\u202eb/issues/7"))
    await connector.close()
    assert facts.audience.who == "Only a⟨U+202E⟩b"


async def test_a_verb_without_inspections_asks_nobody(target: LoopbackTarget) -> None:
    fixed = {"reach": "public", "who": "All"}
    nothing = {"inspect": None, "before": None, "etag": None, "say": {"effect": "x"}}
    connector = connect(section(target.url, {"audience": fixed, **nothing}))
    assert await connector.inspect(ACTION) == Facts(
        audience=Audience(reach=Reach.PUBLIC, who="All")
    )
    with pytest.raises(InvalidInput):
        await connector.inspect(replace(ACTION, resource="tracker:core/issues/.."))
    await connector.close()
    assert target.requests == []


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_not_there_is_invalid_unless_it_need_not_be(
    target: LoopbackTarget, status: int
) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        await inspected(target, {}, status=status)
    asks = [{"path": "/x", "must_exist": False, "take": {"title": "/title", "private": "/p"}}]
    verb = {"inspect": asks, "etag": None, "audience": {"reach": "public", "who": "All"}}
    facts = await inspected(target, {}, status=status, verb=verb)
    assert facts.before is None


NUMBERED: Mapping[str, Any] = {
    "inspect": [
        {"path": "/i", "matches": {"/number": "{resource.number}"}, "take": {"title": "/title"}}
    ],
    "etag": None,
    "audience": {"reach": "public", "who": "All"},
}


@pytest.mark.parametrize("number", [7, "7"])
async def test_a_resource_that_the_target_agrees_with_is_inspected(
    target: LoopbackTarget, number: Json
) -> None:
    facts = await inspected(target, {"number": number, "title": "t"}, verb=NUMBERED)
    assert facts.before == {"title": "t"}


@pytest.mark.parametrize("number", [8, "07", 7.5, None, True, [7]])
async def test_a_resource_that_the_target_does_not_agree_with_is_invalid(
    target: LoopbackTarget, number: Json
) -> None:
    with pytest.raises(InvalidInput, match="does not fit"):
        await inspected(target, {"number": number}, verb=NUMBERED)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>", JSON_HEADERS),
        (200, b'{"private": false, "private": true}', JSON_HEADERS),
        (200, b'{"title": "\\ud800"}', JSON_HEADERS),
        (200, b'{"title": ' + b"[" * 31 + b"]" * 31 + b"}", JSON_HEADERS),
        (200, b'{"title": ' + b"[" * 5000, JSON_HEADERS),
        (200, b"{}", {**JSON_HEADERS, "ETag": "unquoted"}),
        (200, b"{}" + b" " * 70_000, JSON_HEADERS),
        (302, b"", {"Location": "/elsewhere"}),
        (401, b'{"message": "bad credentials"}', JSON_HEADERS),
        (403, b"{}", JSON_HEADERS),
        (429, b"{}", JSON_HEADERS),
        (503, b"{}", JSON_HEADERS),
    ],
)
async def test_an_answer_that_cannot_be_used_is_upstream_failed(
    target: LoopbackTarget, status: int, body: bytes, headers: Mapping[str, str]
) -> None:
    with pytest.raises(UpstreamFailed):
        await inspected(target, body, status=status, headers=headers)
    assert len(target.requests) == 1


async def test_a_credential_that_the_target_repeats_does_not_reach_the_card(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    target.scripted = lambda request: (
        200,
        {**JSON_HEADERS, "ETag": '"v1"'},
        json.dumps({"title": request.headers["authorization"]}).encode(),
    )
    facts = await connector.inspect(ACTION)
    assert facts.before == {"title": "Bearer [the credential]"}
