"""Whoever does not use Teams does not pay for its SDK."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import {modules}
found = {{"botbuilder", "botframework", "msal", "msrest", "requests"}} & set(sys.modules)
sys.exit(", ".join(sorted(found)) or None)
"""


def loaded(repo: Path, modules: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(modules=modules)],
        cwd=repo,
        capture_output=True,
        check=False,
        text=True,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.stderr.strip()


@pytest.mark.parametrize(
    "modules",
    ["bot.main", "bot.cli.app", "adapters.teams.config", "adapters.teams.transport"],
)
def test_the_sdk_is_not_loaded(repo: Path, modules: str) -> None:
    assert loaded(repo, modules) == ""


def test_it_would_be_seen(repo: Path) -> None:
    assert loaded(repo, "adapters.teams.load") == "botbuilder, botframework, msal, msrest, requests"
