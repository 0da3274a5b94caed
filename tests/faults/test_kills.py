"""The harness that kills the bot again and again, once and short, and what its judge can find."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.kills import kill_again_and_again
from tests.faults.reckoning import DOUBLE, FALSE, LOST, UNINTENDED, Export, Lived, reckon

KILLS = 20


@pytest.mark.timeout(600)  # seconds of work; much else may run beside it
async def test_twenty_kills_leave_nothing_twice_unapproved_lost_or_false(tmp_path: Path) -> None:
    run = await kill_again_and_again(tmp_path, kills=KILLS, lanes=2, seed=7, told=lambda _: None)

    assert [str(finding) for finding in run.findings] == []
    assert run.kills.total() == KILLS
    assert run.approved > 0
    assert run.writes > 0


Entries = Sequence[Mapping[str, Any]]

LIFE = Lived(text="t", id="prp_1", told=["pending", "succeeded"], pressed="approve", recorded=True)
WRITE = {"text": "t", "effect": True}
HONEST: Entries = (
    {"type": "proposal.submitted", "state": "pending", "digest": "d"},
    {"type": "decision.approve", "state": "approved", "digest": "d", "actor": "person:dana"},
    {"type": "execution.intent", "state": "executing", "digest": "d", "attempt": 1},
    {"type": "execution.outcome", "state": "succeeded", "digest": "d", "attempt": 1},
)


def export_of(entries: Entries, *, size: int | None = None) -> Export:
    """Return an export of these entries, signed at *size*, else at their number."""
    bodies = [
        json.dumps({"i": at, "at": f"2030-01-01T12:00:{at:02}Z", "proposal": "prp_1", **entry})
        for at, entry in enumerate(entries)
    ]
    root = _root_of([hashlib.sha256(b"\0" + body.encode()).digest() for body in bodies])
    note = f"log\n{len(bodies) if size is None else size}\n{base64.b64encode(root).decode()}\n"
    lines = [{"checkpoint": note}, *({"body": body} for body in bodies)]
    return Export([json.dumps(line).encode() for line in lines])


def _root_of(hashes: Sequence[bytes]) -> bytes:
    """The same tree, from its root down."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root_of(hashes[:half]) + _root_of(hashes[half:])).digest()


def test_an_honest_run_is_found_honest() -> None:
    assert reckon(export_of(HONEST), lives=[LIFE], writes=[WRITE]) == []


LIES: Mapping[str, tuple[str, Callable[[], tuple[Export, Lived, list[Mapping[str, Any]]]]]] = {
    "it happened twice": (DOUBLE, lambda: (export_of(HONEST), LIFE, [WRITE, WRITE])),
    "nobody asked for it": (
        UNINTENDED,
        lambda: (export_of(HONEST), LIFE, [WRITE, {"text": "other", "effect": True}]),
    ),
    "no approval": (UNINTENDED, lambda: (export_of((HONEST[0], *HONEST[2:])), LIFE, [WRITE])),
    "no intent": (UNINTENDED, lambda: (export_of((*HONEST[:2], HONEST[3])), LIFE, [WRITE])),
    "an approval of something else": (
        UNINTENDED,
        lambda: (export_of((HONEST[0], {**HONEST[1], "digest": "e"}, *HONEST[2:])), LIFE, [WRITE]),
    ),
    "a rejection that was carried out": (
        UNINTENDED,
        lambda: (export_of(HONEST), replace(LIFE, pressed="reject", recorded=False), [WRITE]),
    ),
    "a submit is gone": (LOST, lambda: (export_of(()), replace(LIFE, told=[]), [])),
    "a word is gone": (
        LOST,
        lambda: (export_of(HONEST[:1]), replace(LIFE, told=["pending"]), []),
    ),
    "an approval leads to nothing": (
        LOST,
        lambda: (export_of(HONEST[:2]), replace(LIFE, told=["approved"]), []),
    ),
    "done, and it did not happen": (FALSE, lambda: (export_of(HONEST), LIFE, [])),
    "failed, and it happened": (
        FALSE,
        lambda: (
            export_of((*HONEST[:3], {**HONEST[3], "state": "failed"})),
            replace(LIFE, told=["failed"]),
            [WRITE],
        ),
    ),
    "the agent was told something else": (
        FALSE,
        lambda: (export_of(HONEST), replace(LIFE, told=["failed"]), [WRITE]),
    ),
    "an entry is missing": (FALSE, lambda: (export_of(HONEST, size=5), LIFE, [WRITE])),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_must_not_be_is_found(lie: str) -> None:
    count, told = LIES[lie]
    export, life, writes = told()

    found = reckon(export, lives=[life], writes=writes)

    assert count in {finding.count for finding in found}
