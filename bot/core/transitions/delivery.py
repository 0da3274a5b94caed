"""What is recorded about cards on their way to people."""

from collections.abc import Callable, Collection, Sequence
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


def lost(
    snapshot: Snapshot, proposals: Collection[ProposalId], *, chat: str, under: str
) -> Transition[int]:
    """Record that cards of *chat* at places beginning with *under* are reached no more.

    Whoever was to decide by them is shown another. The value counts them.
    """
    puts: list[Record] = []
    leaves: list[LeafDraft] = []
    follow: list[Effect] = []
    for id_ in proposals:
        proposal = snapshot.proposals.get(id_)
        if proposal is None or proposal.state is not State.PENDING:
            continue
        gone = [d for d in proposal.deliveries if is_lost(d, chat=chat, under=under)]
        if not gone:
            continue
        kept = tuple(
            replace(d, lost_at=snapshot.now) if d in gone else d for d in proposal.deliveries
        )
        puts.append(replace(proposal, deliveries=kept, changed_at=snapshot.now))
        leaves += [_lost_leaf(proposal, delivery) for delivery in gone]
        follow.append(effects.deliver_again(id_, " ".join(delivery.where for delivery in gone)))
    return Transition(
        value=len(leaves), puts=tuple(puts), leaves=tuple(leaves), effects=tuple(follow)
    )


def is_lost(delivery: Delivery, *, chat: str, under: str) -> bool:
    """Return whether *delivery* was reached until now, and is at such a place."""
    is_there = delivery.chat == chat and delivery.where.startswith(under)
    return is_there and delivery.lost_at is None


def posted_leaf(proposal: Proposal, posted: Posted) -> LeafDraft:
    return leaf_about(
        proposal,
        "card.posted",
        COURIER,
        clear={"to": posted.person, "chat": posted.chat, "card_digest": posted.card_digest},
    )


def _lost_leaf(proposal: Proposal, delivery: Delivery) -> LeafDraft:
    clear = {"to": delivery.person, "chat": delivery.chat}
    return leaf_about(proposal, "card.lost", COURIER, clear=clear)


def _undeliverable_leaf(proposal: Proposal, why: str) -> LeafDraft:
    return leaf_about(proposal, "card.undeliverable", COURIER, private={"why": why})
