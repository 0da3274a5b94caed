"""Programs of others that tests are run against: fetched once, and never part of the tree."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def fetched(pinned: str, program: str) -> Path:
    """Return *program* of the npm package *pinned*; skips, with the reason, without."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"there is no npm here to get {pinned} with")
    kept = Path(tempfile.gettempdir()) / "keyturn-peers" / pinned.replace("/", "-")
    if not (kept / program).exists():
        kept.parent.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=kept.parent))
        (folder / "package.json").write_text('{"private": true}')
        got = subprocess.run(
            [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", pinned],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if got.returncode:
            shutil.rmtree(folder)
            pytest.skip(f"npm could not get {pinned}: {got.stderr.strip()[-200:]}")
        try:
            folder.rename(kept)
        except OSError:
            # Another process of the same tests was quicker.
            shutil.rmtree(folder)
    return kept / program


def alone(*, why: str) -> list[str]:
    """Return the words that run a program in a network of its own.

    Skips, with the reason, where there can be none; *why* it has to be alone is part of that.
    """
    found = shutil.which("unshare")
    if found is None or shutil.which("ip") is None:
        pytest.skip(f"unshare and ip are needed: {why}")
    tried = subprocess.run(
        [found, "--net", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"no network namespace can be made here: {tried.stderr.strip()}")
    return [found, "--net"]
