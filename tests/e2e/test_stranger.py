"""A stranger's machine: the wheel, an export and a known checkpoint; nothing else of ours."""

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.conftest import lives, original
from tests.audit.logs import Log

__all__ = ["lives", "original"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def keyturn(tmp_path_factory: pytest.TempPathFactory, repo_once: Path) -> Path:
    """Return the command, installed from the wheel into an environment of its own."""
    folder = tmp_path_factory.mktemp("stranger")
    run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", str(folder), str(repo_once)),
    )
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    pip = folder / "venv/bin/python"
    installed = subprocess.run(
        [pip, "-m", "pip", "install", "--quiet", wheel],
        capture_output=True,
        check=False,
        text=True,
        timeout=500,
    )
    if installed.returncode != 0:
        pytest.skip(f"what the wheel needs cannot be installed: {installed.stderr[-300:]}")
    return folder / "venv/bin/keyturn"


@pytest.fixture(scope="module")
def repo_once() -> Path:
    return Path(__file__).parents[2]


def run(*words: str) -> None:
    ran = subprocess.run(words, capture_output=True, check=False, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr


def verify(keyturn: Path, folder: Path, *, lines: list[bytes], known: str) -> tuple[int, str]:
    """Return the exit code and the words, from a place without any deployment."""
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    (folder / "known.txt").write_text(known)
    ran = subprocess.run(
        [keyturn, "audit", "verify", "log.jsonl", "--checkpoint", "known.txt"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_the_wheel_alone_verifies_an_export(keyturn: Path, original: Log, tmp_path: Path) -> None:
    known = str(original.checkpoint(25)[1])

    code, told = verify(keyturn, tmp_path, lines=original.lines(), known=known)

    assert code == 0, told
    assert "verified" in told


def _cut(log: Log) -> None:
    del log.entries[20:]


def _fork(log: Log) -> None:
    log.entries[3].set(marked="x")


def _hide_the_intent(log: Log) -> None:
    del log.entries[log.find("execution.intent")]
    log.renumber()


def _forge_the_quorum(log: Log) -> None:
    log.entries[log.find("execution.intent")].set(approved_by=[])


@pytest.mark.parametrize(
    ("tamper", "told_as"),
    [
        (_cut, (11, "shorter_than_known")),
        (_fork, (11, "forked")),
        (_hide_the_intent, (12, "outcome_without_intent")),
        (_forge_the_quorum, (12, "intent_without_quorum")),
    ],
)
def test_the_wheel_alone_names_what_is_wrong(
    keyturn: Path,
    original: Log,
    tmp_path: Path,
    tamper: Callable[[Log], None],
    told_as: tuple[int, str],
) -> None:
    log = original.copy()
    tamper(log)
    code, name = told_as

    got, told = verify(keyturn, tmp_path, lines=log.lines(), known=str(original.checkpoint(25)[1]))

    assert got == code, told
    assert name in told
