"""The reference page of the chat: every key and every reason is there, and its example loads."""

import re
from pathlib import Path

import pytest
import yaml

from adapters.teams import errors
from adapters.teams.config import ChatSection
from adapters.teams.doctor.graph_look import _INSTALLS, _READS_GROUPS
from adapters.teams.package_section import PackageSection
from adapters.teams.transport import ConnectorRefused


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs/reference/chat-teams.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["docs/reference/chat-teams.md", "docs/howto/teams.md"])
def test_every_example_loads(repo: Path, file: str) -> None:
    text = (repo / file).read_text(encoding="utf-8")
    found = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    sections = [one["chats"]["teams"] for one in found if "chats" in one]
    assert [ChatSection.model_validate(section).tenant for section in sections]


def test_every_key_is_documented(page: str) -> None:
    keys = {*ChatSection.model_fields, *PackageSection.model_fields}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_no_key_is_documented_that_is_not_there(page: str) -> None:
    rows = re.findall(r"(?m)^\| (`.*?) \|", page.partition("## Who is let in")[0])
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {"package"}
    assert told <= {*ChatSection.model_fields, *PackageSection.model_fields}


def test_every_reason_is_documented(page: str) -> None:
    refused = [
        ConnectorRefused(status=status, code=code)
        for status in (400, *errors._BY_STATUS)
        for code in ("", *errors._UNDELIVERABLE)
    ]
    reasons = {errors.undeliverable(one).reason for one in refused}
    lone = vars(errors).values()
    reasons |= {one[1] for one in lone if isinstance(one, tuple) and one[1].islower()}
    assert {"unclear", "not_linked", "gone", "blocked_by_user", "refused"} <= reasons
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()


@pytest.mark.parametrize("file", ["docs/reference/chat-teams.md", "docs/howto/teams.md"])
def test_every_permission_that_the_doctor_asks_for_is_documented(repo: Path, file: str) -> None:
    text = (repo / file).read_text(encoding="utf-8")
    permissions = [*_READS_GROUPS.split(" and "), _INSTALLS]
    assert [one for one in permissions if f"`{one}`" not in text] == []
