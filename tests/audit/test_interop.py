"""Two programs that are not ours read our checkpoints and proofs, and sign them as witnesses."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit.verify import Verdict
from bot.core.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of
from bot.core.signed_note import NoteKey, Signer, parse_note
from tests.audit.logs import Log, audit, verify

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PEERS = ("witness-log==0.6.1", "aics-tlog==0.2.1")
_SIZES = (5, 20)


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter that has both, in an environment of its own."""
    newer = next(_newer_pythons(), None)
    if newer is None:
        pytest.skip("aics-tlog needs Python 3.12 or newer, and there is none")
    folder = tmp_path_factory.mktemp("peers")
    subprocess.run([newer, "-m", "venv", folder], check=True, timeout=120)
    python = folder / "bin/python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *PEERS],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    if installed.returncode != 0:
        pytest.skip(f"they cannot be installed: {installed.stderr[-300:]}")
    return python


def _newer_pythons() -> Iterator[str]:
    """Yield interpreters that are new enough, those on the path first."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in (12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        installed = pyenv.glob(f"versions/3.{minor}.*/bin/python3.{minor}")
        for python in filter(None, (found, *map(str, installed))):
            # What is on the path may only be the name of one that is not chosen.
            ran = subprocess.run([python, "-c", ""], capture_output=True, check=False, timeout=30)
            if ran.returncode == 0:
                yield python


@pytest.fixture(scope="module")
def said(peers: Path, original: Log, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what they say of the log of these tests."""
    hashes = [leaf_hash(entry.body) for entry in original.entries]
    sizes = (*_SIZES, len(hashes))
    checkpoints = []
    for old, size in zip((0, *sizes), sizes, strict=False):
        proof = consistency_proof(hashes[:size], old) if old else ()
        checkpoints.append(
            {
                "size": size,
                "note": str(original.checkpoint(size)[1]),
                "proof": [base64.b64encode(step).decode() for step in proof],
            }
        )
    fork = original.copy()
    fork.entries[0].set(marked="x")
    given = {
        "key": str(original.signer.key),
        "checkpoints": checkpoints,
        "root": base64.b64encode(root_of(hashes)).decode(),
        "bodies": [entry.body.decode() for entry in original.entries],
        "entry": {
            "index": 7,
            "body": original.entries[7].body.decode(),
            "proof": [base64.b64encode(s).decode() for s in inclusion_proof(hashes, 7)],
        },
        "forged": str(
            original.checkpoint()[0].signed_by([Signer(original.signer.key.name, bytes(32))])
        ),
    }
    file = tmp_path_factory.mktemp("given") / "given.json"
    file.write_text(json.dumps(given))
    ran = subprocess.run(
        [peers, Path(__file__).with_name("others.py"), file],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    value: dict[str, Any] = json.loads(ran.stdout)
    return value


def test_a_witness_signs_each_checkpoint_that_continues_the_last(said: dict[str, Any]) -> None:
    assert [status for status, _ in said["answers"]] == [200, 200, 200]


def test_a_witness_refuses_what_another_key_signed(said: dict[str, Any]) -> None:
    assert said["refused"] == 403


def test_a_witnessed_log_is_verified(said: dict[str, Any], original: Log) -> None:
    witness = NoteKey.parse(said["witness"])
    lines = original.lines(signed=parse_note(said["note"]))

    report = audit(lines, witnesses=[witness], quorum=1, keys=[original.signer.key])

    assert report.verdict is Verdict.VERIFIED
    assert report.witnessed_by == ("witness.example/w1",)
    assert verify(original, witnesses=[witness], quorum=1).verdict is Verdict.UNANCHORED


def test_an_independent_verifier_agrees(said: dict[str, Any], original: Log) -> None:
    assert said["aics"]["signed"] is True
    assert said["aics"]["forged"] is False
    assert said["aics"]["included"] is True
    assert said["aics"]["size"] == len(original.entries)
    assert said["aics"]["root"] == original.checkpoint()[0].root.hex()
