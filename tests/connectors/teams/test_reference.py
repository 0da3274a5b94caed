"""The reference page: every key, param and reason is there, and its examples load."""

import re
from pathlib import Path

import pytest
import yaml

from adapters.teams.connector.client import Odd
from adapters.teams.connector.config import ConnectorSection, CredentialSection
from adapters.teams.connector.params import Deed, params_schema
from adapters.teams.connector.refusal import BY_CODE, BY_STATUS
from adapters.teams.package_section import PackageSection
from bot.once import Break
from tests.connectors.teams.sections import connect


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs/reference/connector-teams.md").read_text(encoding="utf-8")


def test_every_example_loads(page: str) -> None:
    found = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    assert [list(connect(one["connectors"]["teams"]).verbs) for one in found] == [
        ["teams.post", "teams.reply", "teams.edit", "teams.delete"]
    ]


def test_every_key_is_documented(page: str) -> None:
    keys = {
        *ConnectorSection.model_fields,
        *CredentialSection.model_fields,
        *PackageSection.model_fields,
    }
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_every_verb_and_param_is_documented(page: str) -> None:
    named = {f"teams.{deed.value}" for deed in Deed}
    for deed in Deed:
        properties = params_schema(deed)["properties"]
        assert isinstance(properties, dict)
        named |= set(properties)
    assert {name for name in named if f"`{name}`" not in page} == set()


def test_every_reason_is_documented(page: str) -> None:
    reasons = {reason for reason, _ in (*BY_CODE.values(), *BY_STATUS.values())} | {*Break, *Odd}
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()


def test_every_file_is_in_the_readme(repo: Path) -> None:
    folder = repo / "adapters/teams/connector"
    text = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()
