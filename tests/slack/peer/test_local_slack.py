"""The forum incident against a Slack that we did not write, in both modes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import alone, fetched

#: Its tag "latest" may move; what is tested against does not.
PINNED = "local-slack-linux-x64@0.1.8"
PROGRAM = "node_modules/local-slack-linux-x64/bin/local-slack"


@pytest.fixture(scope="module")
def peer() -> Path:
    return fetched(PINNED, PROGRAM)


@pytest.fixture(scope="module")
def by_itself() -> list[str]:
    return alone(why="local-slack listens on every interface")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["socket", "http"])
def test_the_forum_incident_ends_well(
    mode: str, peer: Path, by_itself: list[str], repo: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            *(*by_itself, sys.executable, "-m", "tests.slack.peer.story"),
            *(mode, str(peer), str(tmp_path)),
        ],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(repo)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-6000:]
