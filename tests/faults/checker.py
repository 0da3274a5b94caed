"""Judges one life from outside: the log, the target's own record, the cards, the answers.

It knows nothing of how transitions are written: the states, the tree and the rules stand here
once more, taken from the contract alone.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

#: Every state that the log may show next, by the state before. "" is before the first entry.
MAY_FOLLOW: Mapping[str, frozenset[str]] = {
    "": frozenset({"pending", "approved", "denied"}),
    "pending": frozenset({"approved", "rejected", "expired", "withdrawn", "superseded", "revoked"}),
    "approved": frozenset({"executing", "released", "expired", "withdrawn", "revoked"}),
    "released": frozenset({"redeemed", "expired", "revoked"}),
    "redeemed": frozenset({"succeeded", "failed", "in_doubt"}),
    "executing": frozenset({"succeeded", "failed", "in_doubt"}),
    "in_doubt": frozenset({"succeeded", "failed"}),
}
FINAL = frozenset(
    {"succeeded", "failed", "denied", "rejected", "expired"}
    | {"withdrawn", "superseded", "revoked"}
)
#: Entries that may stand anywhere, because they change no state.
_ASIDE = frozenset(
    {"card.lost", "card.posted", "card.viewed", "card.undeliverable", "click.refused"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Everything that is known about one proposal once all is quiet.

    ``bodies`` are the log's entries as stored, all of them and in order; ``root`` what the store
    says their tree has. ``writes`` is the target's record. ``cards`` are the states that cards
    of it show, ``told`` the answers its agent got, in order.
    """

    proposal: str
    state: str
    bodies: Sequence[bytes]
    root: bytes
    writes: Sequence[Mapping[str, Any]] = ()
    cards: Sequence[str] = ()
    told: Sequence[Mapping[str, Any]] = ()
    needs: int = 1


def faults(life: Life) -> list[str]:
    """Return everything about *life* that cannot be true; empty if it holds."""
    entries = [json.loads(body) for body in life.bodies]
    own = [entry for entry in entries if entry.get("proposal") == life.proposal]
    return [
        *_log(life, entries),
        *_states(life, own),
        *_effects(life, own),
        *_outcome(life, own),
        *_quorum(life, own),
        *_cards(life),
        *_told(life),
    ]


def _log(life: Life, entries: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    for index, entry in enumerate(entries):
        if entry["i"] != index:
            yield f"entry {index} says that it is entry {entry['i']}"
    for before, after in pairwise(entries):
        if not before["at"] < after["at"]:
            yield f"entry {after['i']} is not later than the one before"
    if _root([hashlib.sha256(b"\0" + body).digest() for body in life.bodies]) != life.root:
        yield "the entries do not make the root"


def _root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + _root(leaves[:half]) + _root(leaves[half:])).digest()


def _states(life: Life, own: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    begun = [entry for entry in own if entry["type"] == "proposal.submitted"]
    if len(begun) != 1:
        yield f"it was submitted {len(begun)} times"
    now = ""
    for entry in own:
        if entry["type"] in _ASIDE:
            continue
        after = entry.get("state", now)
        if now in FINAL and entry["type"] != "execution.late_report":
            yield f"{entry['type']} was recorded after it was {now}"
        if after != now and after not in MAY_FOLLOW.get(now, frozenset()):
            yield f"it went from {now or 'nothing'} to {after}"
        now = after
    if now != life.state:
        yield f"the log ends with {now}, the store says {life.state}"


def _effects(life: Life, own: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    intents = [entry for entry in own if entry["type"] == "execution.intent"]
    happened = [write for write in life.writes if write["effect"]]
    if len(happened) > 1:
        yield f"it had its effect {len(happened)} times"
    if life.writes and not intents:
        yield "the target was written to without an intent"
    if len(life.writes) > len(intents):
        yield f"{len(life.writes)} writes for {len(intents)} intents"
    attempts = [entry["attempt"] for entry in intents]
    if attempts != sorted(set(attempts)):
        yield f"attempts do not grow: {attempts}"
    if len({entry["key"] for entry in intents}) > 1:
        yield "attempts were made under different keys"


def _outcome(life: Life, own: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    happened = any(write["effect"] for write in life.writes)
    if life.state == "succeeded" and not happened:
        yield "it is called done, and nothing happened"
    if life.state in FINAL - {"succeeded"} and happened:
        yield f"it is called {life.state}, and it happened"
    begun = [e["attempt"] for e in own if e["type"] == "execution.intent"]
    for entry in own:
        if entry["type"] == "execution.outcome" and entry["attempt"] not in begun:
            yield "an outcome has no intent"


def _quorum(life: Life, own: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    for place, entry in enumerate(own):
        if entry["type"] != "execution.intent":
            continue
        said: dict[str, bool] = {}
        for earlier in own[:place]:
            if earlier["type"].startswith("decision."):
                is_yes = earlier["type"] == "decision.approve"
                said[earlier["actor"]] = is_yes and earlier["digest"] == entry["digest"]
        if sum(said.values()) < life.needs or not all(said.values()):
            yield f"attempt {entry['attempt']} began with {sum(said.values())} approvals"


def _cards(life: Life) -> Iterable[str]:
    for state in life.cards:
        if state != life.state:
            yield f"a card says {state}, the store says {life.state}"


def _told(life: Life) -> Iterable[str]:
    ended: str | None = None
    for answer in life.told:
        if answer["id"] != life.proposal:
            yield f"the same key led to {answer['id']}"
        if ended is not None and answer["state"] != ended:
            yield f"the agent was told {ended}, then {answer['state']}"
        if answer["state"] in FINAL:
            ended = answer["state"]
    if life.told and life.told[-1]["state"] != life.state:
        yield f"the agent was last told {life.told[-1]['state']}, the store says {life.state}"
