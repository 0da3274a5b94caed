"""The forum incident, and two who decide, in Microsoft's emulator, with authentication on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import alone, fetched

#: Its licence lets it be used for testing, and not be handed on: it is never part of the tree.
PINNED = "@microsoft/m365agentsplayground@0.2.28"
PROGRAM = "node_modules/.bin/agentsplayground"


@pytest.fixture(scope="module")
def by_itself() -> list[str]:
    return alone(why="the emulator listens on every interface")


@pytest.fixture(scope="module")
def seen_with(chromium: Path) -> list[str]:
    """The emulator and the browser."""
    return [str(fetched(PINNED, PROGRAM)), str(chromium)]


@pytest.mark.slow
@pytest.mark.timeout(260)
@pytest.mark.browser
@pytest.mark.parametrize("story", ["story", "four_eyes"])
def test_it_ends_well_in_the_emulator(
    story: str, by_itself: list[str], seen_with: list[str], repo: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            *(*by_itself, sys.executable, "-m", f"tests.teams.peer.{story}"),
            *(*seen_with, str(tmp_path)),
        ],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(repo)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-6000:]
