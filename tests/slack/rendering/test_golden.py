"""What is sent to Slack, kept as files: a change of it is read by somebody before it is made."""

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from tests.slack.rendering.golden import FOLDER, all_of_them, spelled
from tests.slack.rendering.reading import check, elements

SENT = all_of_them()


@pytest.fixture(params=sorted(SENT))
def sent(request: pytest.FixtureRequest) -> Any:
    return SENT[request.param]


@pytest.mark.parametrize("name", sorted(SENT))
def test_nothing_has_changed_that_nobody_read(name: str) -> None:
    """Run ``python -m tests.slack.rendering.golden`` and read the diff."""
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == spelled(SENT[name])


def test_no_file_is_left_of_what_is_not_sent_any_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SENT)


def test_slacks_own_models_take_it(sent: Any) -> None:
    assert [block.to_dict() for block in Block.parse_all(sent["blocks"])]
    if "type" in sent:
        assert View(**sent).to_dict()


def test_what_slack_refuses_and_its_models_do_not_is_not_in_it(sent: Any) -> None:
    check(json.loads(json.dumps(sent)))


def test_no_text_turns_into_emoji(sent: Any) -> None:
    plain = [one for one in elements(sent) if one.get("type") == "plain_text"]
    assert plain
    assert [one for one in plain if one["emoji"] is not False] == []


def test_every_state_of_a_proposal_has_its_card() -> None:
    said = {
        sent["blocks"][0]["text"]["text"].partition(" ·")[0]
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
