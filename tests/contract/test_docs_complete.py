"""Every setting, command and option is documented, and nothing else is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from bot.chosen import WebSection
from bot.cli.app import app
from bot.settings import Settings

#: What most commands take is described once, at the top of the page.
_SHARED = frozenset({"--config", "--json", "--debug", "--help"})
_CODE = re.compile(r"`([^`\n]+)`")


def settings_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the place of every setting that holds a value, not a section."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        sections = [part for part in _parts(field.annotation) if _is_section(part)]
        if sections:
            yield from settings_keys(sections[0], f"{prefix}{name}.")
        else:
            yield prefix + name


def _parts(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *get_args(annotation))


def _is_section(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def commands() -> dict[str, Any]:
    """Return every command that does something, by its whole name."""
    top: Any = typer.main.get_command(app)
    context = top.make_context("keyturn", ["version"])
    found: dict[str, Any] = {}
    for name in top.list_commands(context):
        command = top.get_command(context, name)
        below = getattr(command, "commands", None)
        if below:
            found |= {f"keyturn {name} {word}": one for word, one in below.items()}
        else:
            found[f"keyturn {name}"] = command
    return found


def options(command: Any) -> set[str]:
    return {
        word
        for parameter in command.params
        if parameter.param_type_name == "option"
        for word in parameter.opts
        if word.startswith("--")
    } - _SHARED


def sections(page: str) -> dict[str, str]:
    """Return what stands below each heading."""
    cut = re.split(r"(?m)^#+ (.+)$", page)
    return dict(zip(cut[1::2], cut[2::2], strict=True))


def undocumented_settings(page: str) -> set[str]:
    return set(settings_keys(Settings)) - set(_CODE.findall(page))


@pytest.fixture(scope="module")
def settings_page(repo: Path) -> str:
    return (repo / "docs/reference/settings.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cli_page(repo: Path) -> str:
    return (repo / "docs/reference/cli.md").read_text(encoding="utf-8")


def test_every_setting_is_documented(settings_page: str):
    assert undocumented_settings(settings_page) == set()


def test_every_setting_of_the_web_inbox_is_documented(settings_page: str):
    keys = {f"chats.web.{name}" for name in WebSection.model_fields}
    assert keys <= set(_CODE.findall(settings_page))


def test_no_setting_is_documented_that_is_not_there(settings_page: str):
    rows = re.findall(r"(?m)^\| (`.*?) \|", settings_page)
    documented = {name for row in rows for name in _CODE.findall(row) if "." in name or "_" in name}
    known = {*settings_keys(Settings), *(f"chats.web.{name}" for name in WebSection.model_fields)}
    files_and_variables = {name for name in documented if name.endswith((".sqlite3", ".key"))}
    files_and_variables |= {
        "admin.sock",
        "last-backup.json",
        "log-state.json",
        "restore.json",
        "sample-agent.token",
        "KEYTURN_HOME",
        "NO_COLOR",
    }
    assert documented - files_and_variables <= known


def test_every_command_is_documented(cli_page: str):
    assert set(commands()) - set(sections(cli_page)) == set()


def test_no_command_is_documented_that_is_not_there(cli_page: str):
    documented = {title for title in sections(cli_page) if title.startswith("keyturn ")}
    groups = {" ".join(name.split()[:2]) for name in commands()}
    assert documented <= set(commands()) | groups


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_is_documented_where_its_command_is(cli_page: str, name: str):
    below = sections(cli_page)[name]
    rows = re.findall(r"(?m)^\| (`--.*?) \|", below)
    documented = {word for row in rows for word in _CODE.findall(row) if word.startswith("--")}
    assert documented == options(commands()[name])


def test_a_missing_setting_is_caught(settings_page: str):
    assert undocumented_settings(settings_page.replace("`caps.waits_total`", "")) == {
        "caps.waits_total"
    }
