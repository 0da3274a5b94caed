"""What is recorded about cards on their way to people."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import effects
from bot.core.actors import system_actor
from bot.core.canonical import Digest
from bot.core.effects import Effect, Lease, Postponed
from bot.core.frozen import frozen
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import LeafDraft
from bot.core.proposal import Delivery, Proposal
from bot.core.proposal_leaf import leaf_about
from bot.core.states import State
from bot.core.step import Record, Snapshot, Transition

COURIER = system_actor("courier")


@frozen
class Standing:
    """A chat in which a card of up to ``max_chars`` is shown by the commit itself."""

    chat: str
    max_chars: int
    where: Callable[[ProposalId], str]


@frozen
class Posted:
    person: PersonId
    chat: str
    where: str
    card_digest: Digest


@frozen
class Delivered:
    """What came of one delivery.

    ``shown_at`` is when the proposal on the posted cards had last changed. ``retry_in_s`` asks
    for another try for those not reached; ``undeliverable`` says why nobody could be reached at
    all.
    """

    lease: Lease
    posted: tuple[Posted, ...] = ()
    shown_at: datetime | None = None
    retry_in_s: float | None = None
    undeliverable: str | None = None


def delivered(snapshot: Snapshot, reports: Sequence[Delivered]) -> Transition[None]:
    """Record many deliveries at once."""
    puts: list[Record] = []
    leaves: list[LeafDraft] = []
    done: list[Lease] = []
    postponed: list[Postponed] = []
    follow: list[Effect] = []
    for report in reports:
        if report.retry_in_s is None:
            done.append(report.lease)
        else:
            due_at = snapshot.now + timedelta(seconds=report.retry_in_s)
            postponed.append(Postponed(lease=report.lease, due_at=due_at))
        proposal = snapshot.proposals.get(ProposalId(report.lease.effect.subject))
        if proposal is None or (not report.posted and report.undeliverable is None):
            continue
        puts.append(_with(snapshot, proposal, report))
        leaves += [posted_leaf(proposal, posted) for posted in report.posted]
        if report.posted and report.shown_at != proposal.changed_at:
            # Whoever brought the cards up to date meanwhile did not know of these.
            follow.append(effects.refresh(proposal.id, f"posted-{report.lease.attempt}"))
        if report.undeliverable is not None and proposal.state is State.PENDING:
            leaves.append(_undeliverable_leaf(proposal, report.undeliverable))
    return Transition(
        value=None,
        puts=tuple(puts),
        leaves=tuple(leaves),
        effects=tuple(follow),
        done=tuple(done),
        postponed=tuple(postponed),
    )


def _with(snapshot: Snapshot, proposal: Proposal, report: Delivered) -> Proposal:
    new = tuple(
        Delivery(person=p.person, chat=p.chat, where=p.where, at=snapshot.now)
        for p in report.posted
    )
    return replace(
        proposal,
        deliveries=(*proposal.deliveries, *new),
        undeliverable=None if new else report.undeliverable,
        changed_at=snapshot.now,
    )


def posted_leaf(proposal: Proposal, posted: Posted) -> LeafDraft:
    return leaf_about(
        proposal,
        "card.posted",
        COURIER,
        clear={"to": posted.person, "chat": posted.chat, "card_digest": posted.card_digest},
    )


def _undeliverable_leaf(proposal: Proposal, why: str) -> LeafDraft:
    return leaf_about(proposal, "card.undeliverable", COURIER, private={"why": why})
