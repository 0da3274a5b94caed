"""What the documents show can be used as it stands there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bot.chosen import choose_connector
from bot.cli.app import app
from bot.core.policy_file import parse_policy
from bot.system_clock import SystemClock
from tests.contract.pages import blocks, commands, pages, read

_KEYTURN = re.compile(r"(?:\.venv/bin/)?keyturn ")


def unusable_yaml(path: Path) -> list[str]:
    unusable = []
    for block in blocks(read(path)):
        if block.language != "yaml":
            continue
        try:
            _use(block.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader would meet it
            problems = " ".join(getattr(error, "problems", ()))
            unusable.append(f"{path.name}: {block.text.splitlines()[0]} ...: {error} {problems}")
    return unusable


def unknown_commands(path: Path) -> list[str]:
    return [
        f"{path.name}: {written}: {problem}"
        for written in commands(read(path))
        if _KEYTURN.match(written)
        and (problem := _refused(shlex.split(written.replace("\\\n", ""))[1:])) is not None
    ]


def _use(text: str) -> None:
    value: Any = yaml.safe_load(text)
    if not isinstance(value, dict):
        raise TypeError("it is not a mapping")
    if "rules" in value:
        parse_policy(text)
    for name, section in (value.get("connectors") or {}).items():
        choose_connector(name, section, secrets=lambda _: "k" * 32, clock=SystemClock())


def _refused(words: list[str]) -> str | None:
    """Return why `keyturn` does not understand *words*, or None; nothing is carried out."""
    command: Any = typer.main.get_command(app)
    try:
        while hasattr(command, "get_command"):
            group, (name, *words) = command, words or [""]
            command = group.get_command(group.make_context("keyturn", [name]), name)
            if command is None:
                return f"there is no command {name}"
        command.make_context(command.name, words)
    except Exception as error:  # noqa: BLE001 - typer's own usage errors are not public
        return str(getattr(error, "message", error))
    return None


def test_every_example_in_yaml_can_be_used(repo: Path):
    assert [problem for path in pages(repo) for problem in unusable_yaml(path)] == []


def test_every_command_is_understood(repo: Path):
    assert [problem for path in pages(repo) for problem in unknown_commands(path)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "a: [",
        "just words",
        "version: 1\nrules:\n  - id: a\n    verbs: [x]\n    effect: allow\n    surprise: 1",
        "connectors: {a: {type: http, base_url: 'http://a.b', verbs: {}}}",
    ],
)
def test_an_example_that_cannot_be_used_is_caught(tmp_path: Path, planted: str):
    page = tmp_path / "page.md"
    page.write_text(f"```yaml\n{planted}\n```\n")
    assert len(unusable_yaml(page)) == 1


@pytest.mark.parametrize(
    ("planted", "wrong"),
    [
        ("keyturn agent list", 0),
        ("keyturn policy explain a.b \\\n  c:d --agent e", 0),
        ("keyturn grant list", 1),
        ("keyturn agent promote x", 1),
        ("keyturn halt --every --reason x", 1),
        (".venv/bin/keyturn agent rotate", 1),
    ],
)
def test_a_command_that_is_not_there_is_caught(tmp_path: Path, planted: str, wrong: int):
    page = tmp_path / "page.md"
    page.write_text(f"1. Do it:\n\n   ```console\n   $ {planted}\n   printed\n   ```\n")
    assert len(unknown_commands(page)) == wrong
