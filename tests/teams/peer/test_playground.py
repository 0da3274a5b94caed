"""The forum incident in Microsoft's own emulator of Teams, with authentication on."""

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
def peer() -> Path:
    return fetched(PINNED, PROGRAM)


@pytest.fixture(scope="module")
def by_itself() -> list[str]:
    return alone(why="the emulator listens on every interface")


@pytest.mark.slow
@pytest.mark.browser
def test_the_forum_incident_ends_well_in_the_emulator(
    peer: Path, by_itself: list[str], chromium: Path, repo: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            *(*by_itself, sys.executable, "-m", "tests.teams.peer.story"),
            *(str(peer), str(chromium), str(tmp_path)),
        ],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(repo)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=115,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-6000:]
