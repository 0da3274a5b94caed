"""Judges a whole run of a bot that was killed again and again, from outside.

It reads the exported log and the target's own records, beside what agents were told and people
pressed, and shares no code with the bot. Four things must be none: what happened twice, what
nobody had approved, what is gone, and what was told and is not so.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from tests.faults.checker import FINAL, MAY_FOLLOW

DOUBLE: Final = "double"
UNINTENDED: Final = "unintended"
LOST: Final = "lost"
FALSE: Final = "false"
COUNTS: Final = (DOUBLE, UNINTENDED, LOST, FALSE)

#: What may have become of an approved proposal in the end.
_ENDS_OF_THE_APPROVED: Final = frozenset({"succeeded", "failed", "in_doubt"})


@dataclass(slots=True, kw_only=True)
class Lived:
    """What one agent and one person remember of one proposal; ``text`` is its alone.

    ``told`` are the states that the agent was told, in order. ``pressed`` is what the person
    meant to press, ``recorded`` whether they were told that it counts.
    """

    text: str
    id: str = ""
    told: list[str] = field(default_factory=list)
    pressed: str = ""
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """``count`` is one of `COUNTS`; ``text`` is whose proposal it was, empty for the log."""

    count: str
    text: str
    what: str

    def __str__(self) -> str:
        return f"{self.count}: {self.text or 'the log'}: {self.what}"


@dataclass(frozen=True)
class Export:
    """The lines of an exported log."""

    lines: Sequence[bytes]

    @cached_property
    def header(self) -> Mapping[str, Any]:
        header: dict[str, Any] = json.loads(self.lines[0])
        return header

    @cached_property
    def bodies(self) -> Sequence[bytes]:
        return [json.loads(line)["body"].encode() for line in self.lines[1:]]

    @cached_property
    def entries(self) -> Sequence[Mapping[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @cached_property
    def by_proposal(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for entry in self.entries:
            found.setdefault(entry.get("proposal", ""), []).append(entry)
        return found


def reckon(
    export: Export, *, lives: Iterable[Lived], writes: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    """Return everything that must not be; *writes* is what reached the target, in order."""
    known = {life.text: life for life in lives}
    effects = Counter(write["text"] for write in writes if write["effect"])
    findings = [*_log(export)]
    for text, count in effects.items():
        if count > 1:
            findings.append(Finding(DOUBLE, text, f"it happened {count} times"))
        if text not in known:
            findings.append(Finding(UNINTENDED, text, "it happened, and no agent asked for it"))
    for life in known.values():
        entries = export.by_proposal.get(life.id, ())
        findings += _intended(life, entries, happened=effects[life.text])
        findings += _kept(life, entries)
        findings += _true(life, entries, happened=effects[life.text])
    return findings


def _log(export: Export) -> Iterator[Finding]:
    entries = export.entries
    if any(entry["i"] != place for place, entry in enumerate(entries)):
        yield Finding(FALSE, "", "its entries are not in one unbroken row")
    if any(one["at"] >= next_["at"] for one, next_ in pairwise(entries)):
        yield Finding(FALSE, "", "its entries are not in the order of time")
    _, size, root, *_ = export.header["checkpoint"].split("\n")
    hashes = [hashlib.sha256(b"\0" + body).digest() for body in export.bodies]
    if int(size) != len(hashes) or base64.b64decode(root) != _root(hashes):
        yield Finding(FALSE, "", "its entries are not those that were signed")


def _root(hashes: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, from the leaves up."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    level = list(hashes)
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + b"".join(p)).digest() if p[1:] else p[0] for p in pairs]
    return level[0]


def _intended(
    life: Lived, entries: Sequence[Mapping[str, Any]], *, happened: int
) -> Iterator[Finding]:
    intents = [place for place, e in enumerate(entries) if e["type"] == "execution.intent"]
    if happened and not intents:
        yield Finding(UNINTENDED, life.text, "it happened without an intent")
    for place in intents[:1]:
        digest = entries[place]["digest"]
        said = {e["actor"]: e for e in entries[:place] if e["type"].startswith("decision.")}
        yes = [e for e in said.values() if e["type"] == "decision.approve"]
        if not yes or len(yes) != len(said) or any(e["digest"] != digest for e in yes):
            yield Finding(UNINTENDED, life.text, "it was begun without an approval of its digest")
    if (happened or intents) and life.pressed != "approve":
        yield Finding(UNINTENDED, life.text, f"its person pressed {life.pressed or 'nothing'}")


def _kept(life: Lived, entries: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    types = Counter(entry["type"] for entry in entries)
    if life.id and types["proposal.submitted"] != 1:
        what = f"its submit was acknowledged, and recorded {types['proposal.submitted']} times"
        yield Finding(LOST, life.text, what)
    if life.recorded and not types[f"decision.{life.pressed}"]:
        yield Finding(LOST, life.text, f"its {life.pressed} was acknowledged, and is gone")
    state = _state(entries)
    if types["decision.approve"] and state not in _ENDS_OF_THE_APPROVED:
        yield Finding(LOST, life.text, f"it was approved, and stays {state}")


def _true(life: Lived, entries: Sequence[Mapping[str, Any]], *, happened: int) -> Iterator[Finding]:
    state = _state(entries)
    if state == "succeeded" and not happened:
        yield Finding(FALSE, life.text, "it is called done, and the target does not have it")
    if state in FINAL - {"succeeded"} and happened:
        yield Finding(FALSE, life.text, f"it is called {state}, and the target has it")
    now = ""
    for entry in entries:
        after = entry.get("state", now)
        if after != now and after not in MAY_FOLLOW.get(now, frozenset()):
            yield Finding(FALSE, life.text, f"it went from {now or 'nothing'} to {after}")
        now = after
    ends = {told for told in life.told if told in FINAL}
    if ends - {state}:
        yield Finding(FALSE, life.text, f"its agent was told {min(ends)}, and it is {state}")


def _state(entries: Sequence[Mapping[str, Any]]) -> str:
    states = [entry["state"] for entry in entries if "state" in entry]
    return str(states[-1]) if states else "nothing"
