"""One moment of a small world: what the store holds, and what those outside have seen."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tests.explorer.books import Books
from tests.explorer.vessel import Kept
from tests.faults.checker import FINAL

START: Final = datetime(2030, 1, 1, 12, tzinfo=UTC)
#: One turn of the clock outlasts a lease and the settling time; two outlast whatever else waits.
TURN_S: Final = 61
#: How long people may take, how long an approval may be used, a grant reported, a note erased.
PATIENCE_S: Final = 100
_START_US: Final = int(START.timestamp()) * 1_000_000
_TURN_US: Final = TURN_S * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One proposal as it was seen from outside; times are turns.

    ``words`` are the last words that people were told are recorded. ``flying`` is the turn in
    which a request was lost on its way, and may still arrive. ``stopped`` says that a person
    stopped it, ``replaced`` that its agent was told so, ``token`` is its grant.
    """

    label: str
    id: str
    begun: int
    undoes: str = ""
    words: tuple[tuple[str, str], ...] = ()
    approved: int | None = None
    done: int | None = None
    stopped: bool = False
    replaced: bool = False
    sent: tuple[int, ...] = ()
    happened: int = 0
    flying: int | None = None
    token: str = ""
    redeemed: int = 0

    def said(self, person: str, word: str) -> tuple[tuple[str, str], ...]:
        return tuple(sorted({**dict(self.words), person: word}.items()))

    def key(self, *, are_alike: bool) -> tuple[object, ...]:
        words = [word for _, word in self.words] if are_alike else self.words
        return (
            *(self.label, self.undoes, str(sorted(words))),
            *(self.begun, self.approved, self.done, self.stopped, self.replaced, self.sent),
            *(self.happened, self.flying, bool(self.token), self.redeemed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What one worker knows: the leases it took, and how far it has come with them."""

    leases: tuple[Any, ...] = ()
    claim: Any = None
    claimed: int = 0
    executed: Any = None

    @property
    def is_idle(self) -> bool:
        return not self.leases


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``hand`` holds leases that this process has and nobody has begun."""

    kept: Kept
    books: Books
    turn: int = 0
    crashes: int = 0
    slots: tuple[Slot, ...] = ()
    workers: tuple[Worker, ...] = ()
    hand: tuple[Any, ...] = ()
    members: frozenset[str] = frozenset()
    is_strict: bool = False
    halts: int = 0
    is_halted: bool = False
    wrong: str = ""
    policy: Any = field(default=None, compare=False)

    def slot(self, label: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.label == label), None)

    def named(self, proposal: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.id == proposal), None)


def is_over(world: World) -> bool:
    """Return whether everything has ended and nobody has anything to do with it any more."""
    return (
        bool(world.slots)
        and all(world.books.state(s.id) in FINAL and s.flying is None for s in world.slots)
        and all(worker.is_idle for worker in world.workers)
    )


def key_of(world: World, *, works: frozenset[str], are_alike: bool) -> object:
    """Return what tells *world* from others: nothing of order within a turn, of names or salts.

    A deadline is known by the first turn in which it has passed, for nothing else is asked of it.
    With *are_alike* it makes no difference which person said what.
    """
    labels = {slot.id: slot.label for slot in world.slots}
    books = world.books
    return (
        *(world.turn, world.crashes, world.members, world.is_strict, world.halts),
        tuple(sorted((slot.label, slot.key(are_alike=are_alike)) for slot in world.slots)),
        tuple(
            sorted(
                (labels[name], *_proposal(doc, labels, books.halts, are_alike=are_alike))
                for name, doc in books.proposals.items()
            )
        ),
        tuple(
            (doc["resumed_at"] is None, doc["swept"], doc["target"]["scope"])
            for doc in books.halts.values()
        ),
        tuple(
            sorted(
                (labels.get(w.subject, "halt"), w.kind, w.is_held, w.attempt, _ended(w.ready_at))
                for w in books.works
                if w.kind in works
            )
        ),
        frozenset(Counter(_worker(worker, labels) for worker in world.workers).items()),
        tuple(sorted(_lease(lease, labels) for lease in world.hand)),
        world.wrong,
    )


def turn_after(at: str | None) -> int | None:
    """Return the first turn in which *at* has passed."""
    if at is None:
        return None
    return _ended(round(datetime.fromisoformat(at).timestamp() * 1_000_000))


def _ended(at_us: int | None) -> int:
    # A second less, so that what is due at once is due in the turn that says so.
    return -1 if at_us is None else max(0, -((_START_US + 1_000_000 - at_us) // _TURN_US))


def _proposal(
    doc: Mapping[str, Any],
    labels: Mapping[str, str],
    halts: Mapping[str, Mapping[str, Any]],
    *,
    are_alike: bool,
) -> tuple[object, ...]:
    said: dict[str, list[str]] = {}
    for decision in doc["decisions"]:
        said.setdefault(decision["person"], []).append(decision["choice"])
    outcome, grant = doc["outcome"], doc["grant"]
    created_at = datetime.fromisoformat(doc["created_at"])
    return (
        *(doc["state"], doc["attempt"], doc["intents"], len(doc["deliveries"])),
        str(sorted(said.values() if are_alike else said.items())),
        str(outcome and (outcome["result"], turn_after(outcome["at"]), bool(outcome["reference"]))),
        str((turn_after(doc["expires_at"]), turn_after(doc["use_by"]))),
        str(
            grant
            and (
                *(turn_after(grant["expires_at"]), turn_after(grant["report_by"])),
                *(grant["redeem_key"], grant["redeemed_by"]),
            )
        ),
        *(
            str(labels.get(doc[other] or ""))
            for other in ("supersedes", "superseded_by", "undoes", "undone_by")
        ),
        *(created_at <= datetime.fromisoformat(halt["set_at"]) for halt in halts.values()),
    )


def _lease(lease: Any, labels: Mapping[str, str]) -> tuple[object, ...]:
    effect = lease.effect
    return (labels.get(effect.subject, "halt"), effect.kind.value, lease.attempt)


def _worker(worker: Worker, labels: Mapping[str, str]) -> tuple[object, ...]:
    executed = worker.executed
    return (
        tuple(_lease(lease, labels) for lease in worker.leases),
        worker.claimed if worker.claim is not None and executed is None else None,
        worker.claim is not None,
        None if executed is None else (type(executed).__name__, executed.detail),
    )
