"""The reference page: every key is there, and its examples are ones that load."""

import re
from pathlib import Path

import pytest
import yaml

from adapters.smtp.client import Break
from adapters.smtp.config import ConnectorSection, CredentialSection
from adapters.smtp.outcome import REFUSALS
from adapters.smtp.params import params_schema
from tests.connectors.smtp.sections import connect


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs/reference/connector-smtp.md").read_text(encoding="utf-8")


def test_every_example_loads(page: str) -> None:
    found = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    verbs = [connect(made).verbs for one in found for made in one["connectors"].values()]
    assert [list(one) for one in verbs] == [["mail.send"], ["relay.send"]]


def test_every_key_is_documented(page: str) -> None:
    fields = {**ConnectorSection.model_fields, **CredentialSection.model_fields}
    keys = {field.alias or name for name, field in fields.items()}
    assert {"from", "own_domains", "reference"} <= keys
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_every_param_is_documented(page: str) -> None:
    properties = params_schema(max_recipients=1)["properties"]
    assert isinstance(properties, dict)
    members = properties["attachments"]["items"]["properties"]
    assert {name for name in (*properties, *members) if f"`{name}`" not in page} == set()


def test_every_reason_is_documented(page: str) -> None:
    reasons = {reason for reason, _ in REFUSALS.values()} | set(Break)
    reasons |= {"too_large", "unexpected_reply"}
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()


def test_every_file_is_in_the_readme(repo: Path) -> None:
    folder = repo / "adapters/smtp"
    text = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()
