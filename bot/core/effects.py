"""What must be done next, written in the same commit as what it follows from."""

from datetime import datetime
from enum import StrEnum, unique

from bot.core.frozen import frozen
from bot.core.ids import EffectId, ProposalId, effect_id
from bot.core.proposal import Proposal
from bot.core.states import State


@unique
class EffectKind(StrEnum):
    DELIVER = "deliver"  #: show the card to everybody who may decide
    REFRESH = "refresh"  #: bring every shown card to the committed state
    EXECUTE = "execute"  #: claim, carry out, record the outcome
    LOOK_UP = "look_up"  #: ask the target whether a doubtful effect happened
    SWEEP = "sweep"  #: write as revoked, in chunks, what a halt has ended
    NOTIFY = "notify"  #: tell the agent, through its webhook, which state was entered
    ANNOUNCE = "announce"  #: tell one channel of a chat that something happened


@frozen
class Effect:
    """One piece of work. The same id asked for twice is done once.

    ``subject`` is a proposal's, halt's or notice route's id. ``due_at`` None means at once.
    """

    id: EffectId
    kind: EffectKind
    subject: str
    due_at: datetime | None = None


@frozen
class Lease:
    """The right to do one effect until ``until``; ``attempt`` fences off earlier holders."""

    effect: Effect
    attempt: int
    until: datetime


@frozen
class Renewed:
    """``lease`` must still be held, and is held until ``until`` from now on."""

    lease: Lease
    until: datetime


@frozen
class Postponed:
    """The effect of ``lease`` is given back, to be done at ``due_at``."""

    lease: Lease
    due_at: datetime


def deliver(proposal: ProposalId) -> Effect:
    return _effect(EffectKind.DELIVER, proposal, "once")


def deliver_again(proposal: ProposalId, lost: str) -> Effect:
    """*lost* names the cards in whose place others are to be shown."""
    return _effect(EffectKind.DELIVER, proposal, lost)


def refresh(proposal: ProposalId, occasion: str) -> Effect:
    """*occasion* names the change that the cards have to show."""
    return _effect(EffectKind.REFRESH, proposal, occasion)


def refresh_all(proposal: Proposal) -> tuple[Effect, ...]:
    """Return what brings every card that shows the state of *proposal* up to date.

    These are its own; those of what it undoes; and its own once more when it can no longer be
    undone.
    """
    follow = [refresh(proposal.id, proposal.state)]
    if proposal.undoes is not None:
        follow.append(refresh(proposal.undoes, f"{proposal.id}-{proposal.state}"))
    if proposal.undo_until is not None:
        follow.append(
            _effect(EffectKind.REFRESH, proposal.id, "undo-closed", due_at=proposal.undo_until)
        )
    return tuple(follow)


def execute(proposal: ProposalId) -> Effect:
    return _effect(EffectKind.EXECUTE, proposal, "once")


def look_up(proposal: ProposalId, *, due_at: datetime) -> Effect:
    return _effect(EffectKind.LOOK_UP, proposal, "once", due_at=due_at)


def sweep(halt: str) -> Effect:
    return _effect(EffectKind.SWEEP, halt, "once")


def notify(proposal: ProposalId, state: State) -> Effect:
    """Tell that *proposal* entered *state*, which no proposal enters twice."""
    return _effect(EffectKind.NOTIFY, proposal, state)


def announce(subject: str, occasion: str, route: str, *, due_at: datetime | None = None) -> Effect:
    """Tell *route* of *occasion*, which *subject* has once."""
    return _effect(EffectKind.ANNOUNCE, subject, f"{occasion}-{route}", due_at=due_at)


def _effect(
    kind: EffectKind, subject: str, occasion: str, *, due_at: datetime | None = None
) -> Effect:
    return Effect(id=effect_id(subject, kind, occasion), kind=kind, subject=subject, due_at=due_at)
