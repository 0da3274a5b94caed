"""Our limits are those that another project has collected, by itself, from the same vendor."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.slack import limits

PINNED = "slackblocks==3.0.0"
SAME = {
    "HEADER_TEXT_MAX_LENGTH": limits.HEADER_TEXT,
    "TEXT_MAX_LENGTH": limits.SECTION_TEXT,
    "SECTION_FIELDS_MAX_ITEMS": limits.SECTION_FIELDS,
    "SECTION_FIELDS_ITEM_MAX_LENGTH": limits.FIELD_TEXT,
    "CONTEXT_ELEMENTS_MAX_ITEMS": limits.CONTEXT_ELEMENTS,
    "ACTIONS_ELEMENTS_MAX_ITEMS": limits.ACTIONS,
    "BUTTON_TEXT_MAX_LENGTH": limits.BUTTON_TEXT,
    "BUTTON_VALUE_MAX_LENGTH": limits.BUTTON_VALUE,
    "OVERFLOW_OPTIONS_MAX_ITEMS": limits.OVERFLOW_OPTIONS,
    "SELECT_OPTIONS_MAX_ITEMS": limits.SELECT_OPTIONS,
    "CHECKBOXES_OPTIONS_MAX_ITEMS": limits.CHOICE_OPTIONS,
    "RADIO_BUTTONS_OPTIONS_MAX_ITEMS": limits.CHOICE_OPTIONS,
    "OPTION_TEXT_MAX_LENGTH": limits.OPTION_TEXT,
    "OPTION_VALUE_MAX_LENGTH": limits.OPTION_VALUE,
    "CONFIRMATION_TITLE_MAX_LENGTH": limits.CONFIRM_TITLE,
    "CONFIRMATION_TEXT_MAX_LENGTH": limits.CONFIRM_TEXT,
    "CONFIRMATION_CONFIRM_MAX_LENGTH": limits.CONFIRM_BUTTON,
    "CONFIRMATION_DENY_MAX_LENGTH": limits.CONFIRM_BUTTON,
    "PLAIN_TEXT_INPUT_PLACEHOLDER_MAX_LENGTH": limits.PLACEHOLDER,
    "PLAIN_TEXT_INPUT_MAX_LENGTH_MAX": limits.INPUT_TEXT,
    "ACTION_ID_MAX_LENGTH": limits.IDENTIFIER,
    "BLOCK_ID_MAX_LENGTH": limits.IDENTIFIER,
    "VIEW_CALLBACK_ID_MAX_LENGTH": limits.IDENTIFIER,
    "INPUT_LABEL_MAX_LENGTH": limits.INPUT_LABEL,
    "INPUT_HINT_MAX_LENGTH": limits.INPUT_HINT,
    "MESSAGE_BLOCKS_MAX_ITEMS": limits.MESSAGE_BLOCKS,
    "VIEW_BLOCKS_MAX_ITEMS": limits.VIEW_BLOCKS,
    "VIEW_TITLE_MAX_LENGTH": limits.VIEW_TITLE,
    "VIEW_SUBMIT_MAX_LENGTH": limits.VIEW_TITLE,
    "VIEW_CLOSE_MAX_LENGTH": limits.VIEW_TITLE,
    "VIEW_PRIVATE_METADATA_MAX_LENGTH": limits.PRIVATE_METADATA,
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    folder = tmp_path_factory.mktemp("slackblocks")
    got = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, PINNED],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if got.returncode:
        pytest.skip(f"pip could not get {PINNED}: {got.stderr.strip()[-200:]}")
    return numbers_of(folder / "slackblocks" / "_limits.py")


def numbers_of(path: Path) -> dict[str, int]:
    """Read the numbers of a module without running it."""
    return {
        target.id: statement.value.value
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        if isinstance(statement.value, ast.Constant)
        if isinstance(statement.value.value, int)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.slow
def test_our_numbers_are_theirs(theirs: dict[str, int]) -> None:
    assert {name: theirs.get(name) for name in SAME} == SAME
