"""The checker of these tests finds what it is there to find."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker import Life, faults

PROPOSAL = "prp_1"
Entries = list[dict[str, Any]]

HONEST: Entries = [
    {"type": "proposal.submitted", "state": "pending", "digest": "d"},
    {"type": "card.posted", "state": "pending"},
    {"type": "decision.approve", "state": "approved", "digest": "d", "actor": "person:dana"},
    {"type": "execution.intent", "state": "executing", "digest": "d", "attempt": 1, "key": "k"},
    {"type": "execution.outcome", "state": "succeeded", "digest": "d", "attempt": 1},
]
EFFECT = {"key": "k", "effect": True}


def life(entries: Entries) -> Life:
    """Return an honest life with these entries in its log."""
    bodies = [
        json.dumps({"i": at, "at": f"2030-01-01T12:00:{at:02}Z", "proposal": PROPOSAL, **entry})
        for at, entry in enumerate(entries)
    ]
    encoded = [body.encode() for body in bodies]
    return Life(
        proposal=PROPOSAL,
        state="succeeded",
        bodies=encoded,
        root=_root_of([hashlib.sha256(b"\0" + body).digest() for body in encoded]),
        writes=[EFFECT],
        cards=["succeeded"],
        told=[{"id": PROPOSAL, "state": "pending"}, {"id": PROPOSAL, "state": "succeeded"}],
    )


def _root_of(level: list[bytes]) -> bytes:
    """The same tree, built from below."""
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + b"".join(p)).digest() if p[1:] else p[0] for p in pairs]
    return level[0]


def _without(type_: str) -> Entries:
    return [entry for entry in HONEST if entry["type"] != type_]


def _and(*more: Mapping[str, Any]) -> Entries:
    return [*HONEST, *(dict(entry) for entry in more)]


def test_an_honest_life_is_found_honest() -> None:
    assert faults(life(HONEST)) == []


LIES: Mapping[str, Callable[[], Life]] = {
    "it happened twice": lambda: replace(life(HONEST), writes=[EFFECT, EFFECT]),
    "done, and nothing happened": lambda: replace(life(HONEST), writes=[]),
    "failed, and it happened": lambda: replace(
        life([*HONEST[:-1], HONEST[-1] | {"state": "failed"}]), state="failed", cards=["failed"]
    ),
    "no intent": lambda: life(_without("execution.intent")),
    "no approval": lambda: life(_without("decision.approve")),
    "an approval of something else": lambda: life(
        [*HONEST[:2], HONEST[2] | {"digest": "another"}, *HONEST[3:]]
    ),
    "a rejection that was carried out": lambda: life(
        [*HONEST[:3], HONEST[2] | {"type": "decision.reject"}, *HONEST[3:]]
    ),
    "a decision after the end": lambda: life(_and(HONEST[2] | {"state": "succeeded"})),
    "the same attempt twice": lambda: life([*HONEST[:4], HONEST[3], *HONEST[4:]]),
    "attempts under two keys": lambda: life(
        [*HONEST[:4], HONEST[3] | {"attempt": 2, "key": "other"}, *HONEST[4:]]
    ),
    "submitted twice": lambda: life([HONEST[0], *HONEST]),
    "a card that lies": lambda: replace(life(HONEST), cards=["pending"]),
    "the store and the log differ": lambda: replace(life(HONEST), state="failed"),
    "two proposals of one key": lambda: replace(
        life(HONEST),
        told=[{"id": "prp_2", "state": "pending"}, {"id": PROPOSAL, "state": "succeeded"}],
    ),
    "the agent is told two ends": lambda: replace(
        life(HONEST),
        told=[{"id": PROPOSAL, "state": "failed"}, {"id": PROPOSAL, "state": "succeeded"}],
    ),
    "an entry is missing": lambda: replace(life(HONEST), bodies=life(HONEST).bodies[:-1]),
    "another root": lambda: replace(life(HONEST), root=bytes(32)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(lie: str) -> None:
    assert faults(LIES[lie]()) != []
