"""The import contracts of pyproject.toml hold, and each can be broken."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

LINT_IMPORTS = Path(sysconfig.get_path("scripts")) / "lint-imports"


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, LINT_IMPORTS, "--no-cache"],
        cwd=root,
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.fixture
def copy(repo: Path, tmp_path: Path) -> Path:
    for package in ("bot", "adapters", "store"):
        shutil.copytree(
            repo / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(repo / "pyproject.toml", tmp_path)
    return tmp_path


def test_dependencies_point_inward(repo: Path) -> None:
    run = lint_imports(repo)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("bot/core", "import bot.ports", "Inside the bot, dependencies point inward"),
        ("bot/ports", "import bot.service", "Inside the bot, dependencies point inward"),
        ("bot/service", "import bot.http", "Inside the bot, dependencies point inward"),
        ("bot/testing", "import bot.service", "Inside the bot, dependencies point inward"),
        ("bot/core", "import asyncio", "The core does no I/O and knows no clock"),
        ("bot/core", "from os import environ", "The core does no I/O and knows no clock"),
        ("bot/http", "import adapters.web", "Only bot.main and bot.cli know an adapter"),
        ("bot/service", "import store.sqlite", "Only bot.main and bot.cli know an adapter"),
        ("adapters/http", "import bot.service", "Adapters and stores import ports and core only"),
        ("store/memory", "import bot.http", "Adapters and stores import ports and core only"),
        ("store/sqlite", "import adapters.web", "Adapters and stores are chosen by bot.main"),
        ("store/sqlite", "import bot.cli", "Adapters and stores are chosen by bot.main"),
        ("adapters/web", "import adapters.http", "A vendor's folder does not know another's"),
        ("store/memory", "import store.sqlite", "A store does not know another"),
        ("bot/service", "import slack_sdk", "The bot knows no vendor SDK and no SQL"),
        ("bot/http", "import sqlite3", "The bot knows no vendor SDK and no SQL"),
        ("adapters/teams", "import botbuilder.core", "Only adapters.teams.sdk knows"),
        ("adapters/slack", "import jwt", "Only adapters.teams.sdk knows"),
        ("adapters/teams", "import msal", "Only adapters.teams.credentials knows msal"),
        ("bot/service", "import socket", "A use case reaches the world through ports"),
        ("bot/http", "import bot.testing", "Nothing that runs in production imports pytest"),
    ],
)
def test_an_import_that_points_outward_is_caught(
    copy: Path, module: str, line: str, contract: str
) -> None:
    (copy / module / "planted.py").write_text(f"{line}\n")
    run = lint_imports(copy)
    broken = [name for name in run.stdout.splitlines() if " BROKEN" in name]
    assert run.returncode == 1
    assert any(name.startswith(contract) for name in broken), run.stdout + run.stderr
