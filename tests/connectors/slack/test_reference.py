"""The reference page: every key, param and reason is there, and its examples load."""

import re
from pathlib import Path

import pytest
import yaml

from adapters.slack.connector.client import Odd
from adapters.slack.connector.config import ConnectorSection, CredentialSection
from adapters.slack.connector.outcome import REFUSALS
from adapters.slack.connector.params import Deed, params_schema
from bot.once import Break
from tests.connectors.slack.sections import connect


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs/reference/connector-slack.md").read_text(encoding="utf-8")


def test_every_example_loads(page: str) -> None:
    found = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    assert [list(connect(one["connectors"]["slack"]).verbs) for one in found] == [
        ["slack.post", "slack.reply", "slack.update", "slack.delete"]
    ]


def test_every_key_is_documented(page: str) -> None:
    keys = {*ConnectorSection.model_fields, *CredentialSection.model_fields}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_every_verb_and_param_is_documented(page: str) -> None:
    named = {f"slack.{deed.value}" for deed in Deed}
    for deed in Deed:
        properties = params_schema(deed, mentions=True)["properties"]
        assert isinstance(properties, dict)
        named |= set(properties)
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_every_reason_is_documented(page: str) -> None:
    reasons = {reason for reason, _ in REFUSALS.values()} | {*Break, *Odd} | {"unexpected_answer"}
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()


def test_every_file_is_in_the_readme(repo: Path) -> None:
    folder = repo / "adapters/slack/connector"
    text = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()
