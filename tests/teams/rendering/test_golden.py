"""What is sent to Teams, kept as files: a change of it is read by somebody before it is made."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from adapters.teams import limits
from adapters.teams.elements import size_of
from tests.teams.rendering.golden import FOLDER, all_of_them, spelled
from tests.teams.rendering.reading import card_in, complaints, elements, presses, verbs_of

SENT = all_of_them()


@pytest.fixture(params=sorted(SENT))
def sent(request: pytest.FixtureRequest) -> Any:
    return SENT[request.param]


@pytest.mark.parametrize("name", sorted(SENT))
def test_nothing_has_changed_that_nobody_read(name: str) -> None:
    """Run ``python -m tests.teams.rendering.golden`` and read the diff."""
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == spelled(SENT[name])


def test_no_file_is_left_of_what_is_not_sent_any_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SENT)


def test_the_official_schema_takes_it(sent: Any) -> None:
    assert complaints(card_in(sent)) == []
    assert card_in(sent)["version"] == "1.5"


def test_one_card_and_no_text_beside_it(sent: Any) -> None:
    assert set(sent) == {"type", "summary", "attachments", "channelData"}
    assert len(sent["attachments"]) == 1
    assert sent["channelData"] == {"notification": {"alert": True}}


def test_it_is_no_larger_than_teams_takes(sent: Any) -> None:
    card = card_in(sent)
    assert size_of(card) <= limits.CARD_BYTES
    assert len(card.get("actions", [])) <= limits.ACTIONS


def test_at_the_foot_of_a_card_is_what_fits_a_narrow_window(sent: Any) -> None:
    titles = [action["title"] for action in card_in(sent).get("actions", [])]
    assert len(titles) <= 2
    assert sum(map(len, titles)) <= 30


def test_a_client_that_knows_no_answers_sends_the_same_as_a_message(sent: Any) -> None:
    for press in presses([card_in(sent)["body"], card_in(sent).get("actions", [])]):
        instead = press["fallback"]
        assert instead["type"] == "Action.Submit"
        assert instead["data"] == {"verb": press["verb"], **press["data"]}


def test_no_two_inputs_share_a_name(sent: Any) -> None:
    names = [one["id"] for one in elements(sent) if one.get("type", "").startswith("Input.")]
    assert len(names) == len(set(names))


def test_nothing_is_loaded_from_anywhere(sent: Any) -> None:
    kinds = {one.get("type") for one in elements(card_in(sent))}
    assert kinds.isdisjoint({"Image", "ImageSet", "Media", "FactSet", "Table"})
    assert not [one for one in elements(sent) if "backgroundImage" in one or "iconUrl" in one]
    assert not [one for one in elements(sent) if "selectAction" in one]


def test_every_state_of_a_proposal_has_its_card() -> None:
    said = {
        next(one for one in card_in(sent)["body"] if one.get("style") == "heading")[
            "text"
        ].partition(" ·")[0]
        for name, sent in SENT.items()
        if name.startswith("card-")
    }
    assert said >= {
        *(
            "Approval needed",
            "You have approved",
            "Waiting",
            "Approved",
            "Under way",
            "Released",
            "Grant used",
        ),
        *("In doubt", "Done", "Failed", "Refused by a rule", "Rejected", "Expired"),
        *("Taken back", "Replaced", "Stopped", "Undone"),
    }


@pytest.mark.parametrize("name", [name for name in SENT if name.startswith("card-state-")])
def test_on_a_card_that_is_decided_nothing_decides(name: str) -> None:
    verbs = set(verbs_of(card_in(SENT[name])))
    assert verbs <= {"full_view", "stop_agent"}


def _rename(card: dict[str, Any]) -> None:
    card["boddy"] = card.pop("body")


def _misspell_a_kind(card: dict[str, Any]) -> None:
    card["body"][0]["type"] = "TextBlok"


def _misspell_a_property(card: dict[str, Any]) -> None:
    card["body"][0]["wrapp"] = True


def _misspell_an_action(card: dict[str, Any]) -> None:
    card["actions"][0]["type"] = "Action.Exec"


def _misspell_a_run(card: dict[str, Any]) -> None:
    block = next(one for one in card["body"] if one["type"] == "RichTextBlock")
    block["inlines"][0]["fontTyp"] = "Monospace"


def _style_that_is_none(card: dict[str, Any]) -> None:
    card["actions"][0]["style"] = "primary"


@pytest.mark.parametrize(
    "misspell",
    [
        _rename,
        _misspell_a_kind,
        _misspell_a_property,
        _misspell_an_action,
        _misspell_a_run,
        _style_that_is_none,
    ],
)
def test_the_schema_would_notice_what_is_misspelt(
    misspell: Callable[[dict[str, Any]], None],
) -> None:
    card = deepcopy(card_in(SENT["card-forum"]))
    misspell(card)
    assert complaints(card) != []
