"""What must hold after every event, whatever came before: written from the contract alone.

Nothing here is taken from the bot: two moments are compared as the tables tell them, beside what
those outside have seen.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from tests.explorer.books import Books, Leaf
from tests.explorer.world import PATIENCE_S, TURN_S, Slot, World
from tests.faults.checker import FINAL, MAY_FOLLOW

#: The entry that says so, for every state that one can enter.
SAID_BY: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"proposal.submitted"}),
    "approved": frozenset({"proposal.submitted", "decision.approve"}),
    "denied": frozenset({"proposal.submitted"}),
    "rejected": frozenset({"decision.reject"}),
    "expired": frozenset({"proposal.expired"}),
    "withdrawn": frozenset({"proposal.withdrawn"}),
    "superseded": frozenset({"proposal.superseded"}),
    "revoked": frozenset({"proposal.revoked"}),
    "executing": frozenset({"execution.intent"}),
    "released": frozenset({"grant.released"}),
    "redeemed": frozenset({"grant.redeemed"}),
    "in_doubt": frozenset({"execution.outcome", "grant.outcome"}),
    "succeeded": frozenset(
        {"execution.outcome", "execution.late_report", "settlement"}
        | {"grant.outcome", "grant.late_report"}
    ),
    "failed": frozenset(
        {"execution.outcome", "execution.late_report", "settlement"}
        | {"grant.outcome", "grant.late_report"}
    ),
}
#: From here on a person who stops the agent comes too late.
_BEGUN: Final = frozenset({"executing", "redeemed", "in_doubt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a world is about: who decides, how many of them, and what its verb can do.

    ``approvers`` None means whoever is in the group.
    """

    needs: int
    approvers: frozenset[str] | None
    is_idempotent: bool = False
    can_look_up: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """One event: ``after.wrong`` is empty yet. ``was_replay`` says that nothing was to change."""

    before: World
    after: World
    terms: Terms
    was_replay: bool = False


def first_broken(move: Move) -> str:
    """Return the first law that *move* breaks, in words; empty if it keeps them all."""
    return next((wrong for law in _LAWS for wrong in law(move)), "")


def _log(move: Move) -> Iterator[str]:
    before, after = move.before.books, move.after.books
    if after.leaves[: len(before.leaves)] != before.leaves:
        yield "an entry of the log was changed"
    if move.was_replay and len(after.leaves) != len(before.leaves):
        yield "an answer that was given before wrote an entry"
    for place, leaf in enumerate(after.leaves):
        if place < len(before.leaves):
            continue
        if leaf.index != place or leaf.entry["i"] != place:
            yield f"entry {place} says that it is entry {leaf.entry['i']}"
        if leaf.hash != _leaf_hash(leaf.body):
            yield f"entry {place} has another hash"
    if any(first.at >= second.at for first, second in pairwise(after.leaves[-8:])):
        yield "entries of the log are not in the order of time"
    if after.frontier != _frontier([leaf.hash for leaf in after.leaves]):
        yield "the log does not verify: its head is not that of its entries"


def _states(move: Move) -> Iterator[str]:
    for slot, was, now in _each(move):
        if was == now:
            continue
        if was in FINAL:
            yield f"{slot.label} was {was}, and became {now}"
        elif now not in MAY_FOLLOW.get(was, frozenset()):
            yield f"{slot.label} went from {was or 'nothing'} to {now}"
        if not any(
            e["type"] in SAID_BY[now] and e.get("state") == now for e in _entries(move, slot)
        ):
            yield f"{slot.label} became {now}, and no entry of the log says so"


def _votes(move: Move) -> Iterator[str]:
    for slot in move.after.slots:
        doc = move.after.books.proposals[slot.id]
        said = {d["person"]: d["choice"] for d in doc["decisions"]}
        if any(decision["digest"] != doc["digest"] for decision in doc["decisions"]):
            yield f"a word about another digest counts for {slot.label}"
        if said != dict(slot.words):
            yield f"people said {dict(slot.words)} about {slot.label}, and {said} is on record"
        before = move.before.books.proposals.get(slot.id)
        new = len(doc["decisions"]) - (0 if before is None else len(before["decisions"]))
        written = [e for e in _entries(move, slot) if e["type"].startswith("decision.")]
        if new != len(written):
            yield f"{new} new words about {slot.label}, {len(written)} entries of the log"


def _approvals(move: Move) -> Iterator[str]:
    """Nothing becomes approved, carried out, released or redeemed without all that it takes."""
    for slot, was, now in _each(move):
        if was == now or now not in {"approved", "executing", "released", "redeemed"}:
            continue
        yield from _allowed(move, slot, f"{slot.label} became {now}")


def _allowed(move: Move, slot: Slot, what: str) -> Iterator[str]:
    # What was in force when it began: the event itself may be the one that ends it.
    world = move.after
    yes = {person for person, word in slot.words if word == "approve"}
    if slot.undoes:
        if not yes:
            yield f"{what} though nobody asked for it"
        return
    may = world.members if move.terms.approvers is None else move.terms.approvers
    if len(yes & may) < move.terms.needs or any(word == "reject" for _, word in slot.words):
        yield f"{what} with {len(yes & may)} of {move.terms.needs} approvals"
    if slot.stopped:
        yield f"{what} though a person had stopped it"
    if slot.replaced:
        yield f"{what} though it had been superseded"
    if world.is_strict and move.before.is_strict:
        yield f"{what} though the policy forbids it by now"
    since = slot.begun if slot.approved is None else slot.approved
    if (world.turn - since) * TURN_S >= PATIENCE_S:
        yield f"{what} after its time"


def _intents(move: Move) -> Iterator[str]:
    for slot in move.after.slots:
        was = _doc(move.before, slot)
        now = move.after.books.proposals[slot.id]
        begun = [e for e in _entries(move, slot) if e["type"] == "execution.intent"]
        if now["attempt"] == (0 if was is None else was["attempt"]):
            if begun:
                yield f"{slot.label} has an intent of no attempt"
            continue
        if [e["attempt"] for e in begun] != [now["attempt"]]:
            yield f"an attempt at {slot.label} has no intent in the log"
        if was is not None and was["state"] == "executing" and not move.terms.is_idempotent:
            yield f"{slot.label} is carried out a second time"
        yes = {person for person, word in slot.words if word == "approve"}
        if begun and not set(begun[0].get("approved_by", ())) <= yes:
            yield f"the intent of {slot.label} names people who did not approve"


def _effects(move: Move) -> Iterator[str]:
    for slot in move.after.slots:
        state = move.after.books.state(slot.id)
        before = move.before.named(slot.id)
        new = slot.sent[0 if before is None else len(before.sent) :]
        attempt = move.after.books.proposals[slot.id]["attempt"]
        if new and state != "executing":
            yield f"{slot.label} was sent while it was {state}"
        if new and new != (attempt,):
            yield f"attempt {new[0]} at {slot.label} was sent in the time of attempt {attempt}"
        if len(set(slot.sent)) != len(slot.sent):
            yield f"attempt {slot.sent[-1]} at {slot.label} was sent twice"
        if new and move.after.is_halted and not slot.undoes:
            yield f"{slot.label} was sent though a person had stopped it"
        if slot.happened > 1:
            yield f"{slot.label} happened twice"
        if state == "succeeded" and not slot.happened and not slot.redeemed:
            yield f"{slot.label} is called done, and it did not happen"
        if state in FINAL - {"succeeded"} and slot.happened:
            yield f"{slot.label} is called {state}, and it happened"


def _stops(move: Move) -> Iterator[str]:
    halts = move.after.books.halts.values()
    if move.after.is_halted != any(halt["resumed_at"] is None for halt in halts):
        yield "what people were told about a stop is not what the store says"
    new = [leaf.entry["type"] for leaf in _new(move)]
    if "halt.set" in new and "execution.intent" in new[new.index("halt.set") :]:
        yield "something was begun after a person had stopped it, in the same commit"
    if move.before.is_halted and move.after.is_halted:
        for slot, was, _ in _each(move):
            if not was and not slot.undoes:
                yield f"{slot.label} was taken on though a person had stopped its agent"


def _superseded(move: Move) -> Iterator[str]:
    for slot in move.after.slots:
        state = move.after.books.state(slot.id)
        if slot.replaced and state != "superseded":
            yield f"{slot.label} was replaced, and is still {state}"


def _undos(move: Move) -> Iterator[str]:
    slots = move.after.slots
    for slot, was, _ in _each(move):
        original = move.after.named(slot.undoes) if slot.undoes else None
        if was or original is None:
            continue
        if original.done is None:
            yield f"{original.label} is undone, and was not done"
        elif (move.after.turn - original.done) * TURN_S >= PATIENCE_S:
            yield f"{original.label} is undone after its window"
    for original in slots:
        undoing = [slot for slot in slots if slot.undoes == original.id]
        if sum(slot.happened for slot in undoing) > 1:
            yield f"{original.label} was undone twice"
        open_ = [s for s in undoing if move.after.books.state(s.id) in {"approved", "executing"}]
        if len(open_) > 1:
            yield f"{original.label} is being undone twice at once"


def _grants(move: Move) -> Iterator[str]:
    for slot in move.after.slots:
        if slot.redeemed > 1:
            yield f"the grant of {slot.label} was redeemed {slot.redeemed} times"
        if slot.redeemed and move.after.books.state(slot.id) in {"approved", "released"}:
            yield f"the grant of {slot.label} was redeemed, and the store does not know it"
        if slot.redeemed and move.after.books.state(slot.id) in {"expired", "revoked"}:
            yield f"the grant of {slot.label} was redeemed, and it is called unused"


def _work(move: Move) -> Iterator[str]:
    """Whatever has to go on has somebody whose work it is."""
    books = move.after.books
    waiting = {(w.subject, w.kind) for w in books.works if w.ready_at is not None}
    known = {(w.subject, w.kind) for w in books.works}
    for slot in move.after.slots:
        doc = books.proposals[slot.id]
        state = doc["state"]
        goes_on = doc["mode"] == "execute" and state in {"approved", "executing"}
        if goes_on and (slot.id, "execute") not in waiting:
            yield f"{slot.label} is {state}, and nobody has to carry it out"
        is_looked_up = state == "in_doubt" and move.terms.can_look_up and not slot.undoes
        if is_looked_up and (slot.id, "look_up") not in waiting:
            yield f"{slot.label} is in doubt, and nobody has to look"
        is_shown = bool(doc["deliveries"]) or doc["undeliverable"]
        if state == "pending" and not is_shown and (slot.id, "deliver") not in waiting:
            yield f"nobody has to show {slot.label} to anybody"
        posted = sum(e["type"] == "card.posted" for e in _all_entries(books, slot))
        if posted != len(doc["deliveries"]):
            yield f"{len(doc['deliveries'])} cards of {slot.label}, {posted} entries of the log"
    for name, halt in books.halts.items():
        if (name, "sweep") not in known or (not halt["swept"] and (name, "sweep") not in waiting):
            yield "nobody has to write what a stop has ended"


_LAWS: Final[tuple[Callable[[Move], Iterator[str]], ...]] = (
    *(_log, _states, _votes, _approvals, _intents, _effects),
    *(_stops, _superseded, _undos, _grants, _work),
)


def remembered_wrongly(books: Books, *, halts: Iterable[str], policy: str, pending: int) -> str:
    """Return how what the store would show a step differs from what its tables say."""
    open_ = {
        name
        for name, halt in books.halts.items()
        if halt["resumed_at"] is None or not halt["swept"]
    }
    if set(halts) != open_:
        return "the store remembers other stops than its tables say"
    if policy != books.policy:
        return "the store remembers another policy than its tables say"
    if pending != sum(doc["state"] == "pending" for doc in books.proposals.values()):
        return "the store counts another number of pending proposals than there are"
    return ""


def is_stoppable(books: Books, slot: Slot) -> bool:
    """Return whether a stop of its agent ends *slot* now."""
    return not slot.undoes and books.state(slot.id) not in FINAL | _BEGUN


def _each(move: Move) -> Iterator[tuple[Slot, str, str]]:
    for slot in move.after.slots:
        yield slot, move.before.books.state(slot.id), move.after.books.state(slot.id)


def _doc(world: World, slot: Slot) -> Mapping[str, Any] | None:
    return world.books.proposals.get(slot.id)


def _entries(move: Move, slot: Slot) -> list[Mapping[str, Any]]:
    """Return the new entries about *slot*."""
    return [entry for leaf in _new(move) if (entry := leaf.entry).get("proposal") == slot.id]


def _new(move: Move) -> Sequence[Leaf]:
    return move.after.books.leaves[len(move.before.books.leaves) :]


def _all_entries(books: Books, slot: Slot) -> list[Mapping[str, Any]]:
    name = slot.id.encode()
    return [leaf.entry for leaf in books.leaves if name in leaf.body]


@lru_cache(maxsize=65_536)
def _leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def _frontier(hashes: list[bytes]) -> bytes:
    """The size, and the roots of the full subtrees, largest first: RFC 9162, 2.1."""
    found, at = [], 0
    for bit in reversed(range(len(hashes).bit_length())):
        if len(hashes) >> bit & 1:
            found.append(_root(tuple(hashes[at : at + (1 << bit)])))
            at += 1 << bit
    return len(hashes).to_bytes(8, "big") + b"".join(found)


@lru_cache(maxsize=65_536)
def _root(hashes: tuple[bytes, ...]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    half = len(hashes) // 2
    return hashlib.sha256(b"\1" + _root(hashes[:half]) + _root(hashes[half:])).digest()
