"""What takes a write back is read off the section, and only where that is certain."""

from collections.abc import Mapping
from typing import Any

import pytest

from adapters.http import HttpConnector
from bot.core.errors import SettingsInvalid
from bot.core.proposal import Action
from bot.core.untrusted import Untrusted, one_line
from bot.core.verbs import Facts, Undo
from bot.service.connectors import Connectors
from tests.connectors.samples import ACTION
from tests.connectors.sections import connect, section

URL = "https://tracker.example"
UNDO: Mapping[str, Any] = {
    "verb": "tracker.uncomment",
    "window_s": 900,
    "resource": "tracker:{resource.project}/issues/{resource.number}/comments/{reference}",
    "params": {"text": "{params.text}"},
}
UNCOMMENT: Mapping[str, Any] = {
    "summary": "Delete a comment",
    "kind": "destructive",
    "resource": "tracker:{project}/issues/{number}/comments/{comment}",
    "params": {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string"}},
    },
    "request": {
        "method": "DELETE",
        "path": "/projects/{resource.project}/issues/{resource.number}/comments/{resource.comment}",
        "body": {"text": "{params.text}"},
    },
    "audience": {"reach": "public", "who": "All"},
    "say": {"effect": "Delete a comment"},
}


def tracker(undo: Mapping[str, Any] | None = UNDO, **verb: Any) -> HttpConnector:
    made = section(URL, {"undo": undo, **verb})
    made["verbs"]["tracker.uncomment"] = UNCOMMENT
    return connect(made)


def problems(**undo: Any) -> list[str]:
    with pytest.raises(SettingsInvalid) as raised:
        tracker({**UNDO, **undo})
    return list(raised.value.problems)


async def test_the_undo_names_exactly_what_was_written() -> None:
    assert tracker().verbs[ACTION.verb].undo == Undo(verb="tracker.uncomment", window_s=900)
    assert tracker().undo(ACTION, reference="31") == Action(
        verb="tracker.uncomment",
        resource="tracker:core/issues/7/comments/31",
        params={"text": ACTION.params["text"]},
    )


async def test_the_undo_fits_the_verb_that_it_names() -> None:
    connectors = Connectors([tracker()])
    undo = tracker().undo(ACTION, reference="31")
    assert undo is not None
    connectors.validate(undo.verb, undo.params)


async def test_without_an_exact_reference_nothing_is_taken_back() -> None:
    cut = one_line(Untrusted("x" * 600), max_chars=500)
    made_inert = one_line(Untrusted("3\u202e1"), max_chars=500)
    for reference in (None, cut, made_inert):
        assert tracker().undo(ACTION, reference=reference) is None


async def test_an_undo_that_needs_no_reference_does_without() -> None:
    by_key = {
        **UNDO,
        "resource": "tracker:{resource.project}/issues/{resource.number}/comments/all",
    }
    undo = tracker(by_key).undo(ACTION, reference=None)
    assert undo is not None
    assert undo.resource == "tracker:core/issues/7/comments/all"


async def test_what_declares_no_undo_has_none() -> None:
    assert tracker(None).verbs[ACTION.verb].undo is None
    assert tracker(None).undo(ACTION, reference="31") is None


async def test_the_card_says_how_long_it_can_be_undone_unless_the_section_says_it() -> None:
    assert "for 15 minutes" in tracker().preview(ACTION, Facts()).reversible
    assert "cannot undo" in tracker(None).preview(ACTION, Facts()).reversible
    said = {"effect": "Comment", "reversible": "For a while."}
    assert tracker(say=said).preview(ACTION, Facts()).reversible == "For a while."


async def test_another_undo_is_another_configuration() -> None:
    digests = {
        tracker(undo).verbs[ACTION.verb].config_digest
        for undo in (UNDO, None, {**UNDO, "window_s": 60})
    }
    assert len(digests) == 3


def test_a_name_that_nothing_fills_refuses_to_load() -> None:
    (problem,) = problems(resource="tracker:{resource.other}/{reference}")
    assert "undo.resource" in problem
    assert "{resource.other}" in problem


def test_what_may_be_missing_cannot_stand_in_the_resource() -> None:
    (problem,) = problems(resource="tracker:{params.notify}/issues/1/comments/{reference}")
    assert "undo.resource" in problem


def test_a_reference_has_to_be_known() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        tracker(reference=None)
    assert any("{reference} is not known" in problem for problem in raised.value.problems)


@pytest.mark.parametrize("window_s", [0, -1, 31 * 86_400, "15m"])
def test_the_window_is_a_number_of_seconds_within_a_month(window_s: object) -> None:
    assert any("undo.window_s" in problem for problem in problems(window_s=window_s))


def test_the_verb_has_to_be_there() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Connectors([connect(section(URL, {"undo": UNDO}))])
    (problem,) = raised.value.problems
    assert "tracker.uncomment" in problem
