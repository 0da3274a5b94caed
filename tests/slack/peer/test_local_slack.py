"""The forum incident against a Slack that we did not write, in both modes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: Its tag "latest" may move; what is tested against does not.
PINNED = "local-slack-linux-x64@0.1.8"
PROGRAM = "node_modules/local-slack-linux-x64/bin/local-slack"


@pytest.fixture(scope="module")
def peer(repo: Path) -> Path:
    """The program, fetched once into the cache of the tests; skips, with the reason, without."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here to get local-slack with")
    folder = repo / ".pytest_cache" / "peers" / PINNED
    if not (folder / PROGRAM).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        got = subprocess.run(
            [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", PINNED],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if got.returncode:
            pytest.skip(f"npm could not get {PINNED}: {got.stderr.strip()[-200:]}")
    return folder / PROGRAM


@pytest.fixture(scope="module")
def unshare() -> str:
    """The program that makes network namespaces; skips, with the reason, where none can be made."""
    found = shutil.which("unshare")
    if found is None or shutil.which("ip") is None:
        pytest.skip("unshare and ip are needed: local-slack listens on every interface")
    tried = subprocess.run(
        [found, "--net", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"no network namespace can be made here: {tried.stderr.strip()}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["socket", "http"])
def test_the_forum_incident_ends_well(
    mode: str, peer: Path, unshare: str, repo: Path, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            *(unshare, "--net", sys.executable, "-m", "tests.slack.peer.story"),
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
