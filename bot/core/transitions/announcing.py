"""Which channels are to be told of what a step records, and what came of telling them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from bot.core import effects
from bot.core.effects import Effect, Lease, Postponed
from bot.core.leaf import LeafDraft
from bot.core.notice import NoticeRoute, Topic
from bot.core.states import State
from bot.core.step import Snapshot, Step, Transition

T = TypeVar("T")

HALT_ENDED: Final = "halt-ended"

#: Of what a route is told beside the digest: the topic of each occasion that a subject has once.
OCCASIONS: Final[Mapping[str, Topic]] = MappingProxyType(
    {
        "undeliverable": Topic.UNDELIVERABLE,
        "halt-set": Topic.HALT,
        HALT_ENDED: Topic.HALT,
        "in-doubt": Topic.IN_DOUBT,
        "not-mine": Topic.NOT_MINE,
    }
)

_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 600.0
#: With these pauses about a day. What happened stands in the log and in the inbox all the same.
MOST_TRIES: Final = 150

#: What the entry of a rejection says where a person reported that it is not theirs.
NOT_MINE: Final = "not_mine"

_OF_HALTS: Final = MappingProxyType({"halt.set": "halt-set", "halt.ended": HALT_ENDED})
_OUTCOMES: Final = frozenset({"execution.outcome", "grant.outcome"})


def with_notices(snapshot: Snapshot, step: Step[T]) -> Step[T]:
    """Return *step* with the work of telling every route what it records, in the same commit."""
    if not snapshot.routes or not isinstance(step, Transition) or not step.leaves:
        return step
    told = tuple(effect for leaf in step.leaves for effect in _told_of(leaf, snapshot.routes))
    return replace(step, effects=(*step.effects, *told)) if told else step


def occasion_of(leaf: LeafDraft) -> tuple[str, str] | None:
    """Return the subject and the occasion that *leaf* records, where channels are told of it."""
    if leaf.type in _OF_HALTS:
        return str(leaf.clear["halt"]), _OF_HALTS[leaf.type]
    if leaf.proposal is None:
        return None
    if leaf.type == "card.undeliverable":
        return leaf.proposal, "undeliverable"
    if leaf.type == "decision.reject" and leaf.clear.get("why") == NOT_MINE:
        return leaf.proposal, "not-mine"
    if leaf.type in _OUTCOMES and leaf.clear.get("state") == State.IN_DOUBT:
        return leaf.proposal, "in-doubt"
    return None


def announcement(subject: str, occasion: str, route: NoticeRoute) -> Effect:
    """Return the work of telling *route* of *occasion*; the same each time it is asked for."""
    return effects.announce(subject, occasion, route.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What came of one try: over, or to be tried again. ``follow`` comes once it is over."""

    follow: tuple[Effect, ...] = ()
    retry_after_s: float | None = None


def announced(snapshot: Snapshot, lease: Lease, came: Announced) -> Step[bool]:
    """Record what *came* of one try; the value says whether it is given up."""
    if came.retry_after_s is None:
        return Transition(value=False, leaves=(), effects=came.follow, done=(lease,))
    if lease.attempt >= MOST_TRIES:
        return Transition(value=True, leaves=(), effects=came.follow, done=(lease,))
    grown_s = min(_FIRST_PAUSE_S * 2.0 ** min(lease.attempt - 1, 10), _LONGEST_PAUSE_S)
    due_at = snapshot.now + timedelta(seconds=max(grown_s, came.retry_after_s))
    return Transition(value=False, leaves=(), postponed=(Postponed(lease=lease, due_at=due_at),))


def _told_of(leaf: LeafDraft, routes: Sequence[NoticeRoute]) -> Iterator[Effect]:
    found = occasion_of(leaf)
    if found is None:
        return
    subject, occasion = found
    for route in routes:
        if OCCASIONS[occasion] in route.topics:
            yield announcement(subject, occasion, route)
