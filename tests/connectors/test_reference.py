"""The reference page: every key is there, and its examples are ones that load."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from adapters.http import config, create
from adapters.http.outcome import REFUSALS
from bot.once import Break
from bot.system_clock import SystemClock
from tests.connectors.sections import keep


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs/reference/connector-http.md").read_text(encoding="utf-8")


def examples(page: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]


def models() -> Iterator[type[BaseModel]]:
    for value in vars(config).values():
        if isinstance(value, type) and issubclass(value, config.Section):
            yield value


async def test_every_example_loads(page: str) -> None:
    found = examples(page)
    assert len(found) == 2
    for example in found:
        for name, section in example["connectors"].items():
            connector = create(name, section, secrets=keep, clock=SystemClock())
            assert connector.verbs


def test_every_key_is_documented(page: str) -> None:
    keys = {key for model in models() for key in model.model_fields}
    assert "settles_after_s" in keys
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_every_reason_is_documented(page: str) -> None:
    reasons = {reason for reason, _ in REFUSALS.values()} | set(Break)
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()


def test_every_file_is_in_the_readme(repo: Path) -> None:
    folder = repo / "adapters/http"
    text = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()
