"""Shows cards to the people who may decide, and keeps shown cards true."""

import asyncio
from collections.abc import Sequence
from logging import getLogger

from bot.core import effects
from bot.core.actors import Agent, Person
from bot.core.card import Card, build_card
from bot.core.effects import Lease
from bot.core.ids import PersonId, ProposalId
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.status import status_line
from bot.core.step import Ask
from bot.core.transitions.delivery import Delivered, Posted, delivered
from bot.ports.chat import CardRef, Chat, NotDeliveredNow, Standing, Undeliverable
from bot.ports.queries import AgentById, PersonById, ProposalById
from bot.service.approvers import approvers_of
from bot.service.gate import Gate
from bot.service.reading import as_they_are
from bot.service.undo import standing_of

log = getLogger(__name__)

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 300.0


class Deliver:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def deliver(self, leases: Sequence[Lease]) -> None:
        """Post the cards of *leases* and record all that came of it in one commit."""
        reports = await asyncio.gather(*(self._post(lease) for lease in leases))
        await self._gate.commit_done(
            Ask(proposals=tuple(ProposalId(lease.effect.subject) for lease in leases)),
            lambda snapshot: delivered(snapshot, reports),
        )
        for report in reports:
            self._gate.tally.count("delivered", "undeliverable" if report.undeliverable else "")

    async def refresh(self, leases: Sequence[Lease]) -> None:
        """Bring every posted card of *leases* to what is committed."""
        reports = await asyncio.gather(*(self._replace(lease) for lease in leases))
        await self._gate.commit_done(Ask(), lambda snapshot: delivered(snapshot, reports))

    async def _post(self, lease: Lease) -> Delivered:
        gate = self._gate
        proposal = await gate.store.read(ProposalById(ProposalId(lease.effect.subject)))
        if proposal is None:
            return Delivered(lease=lease)
        is_open = proposal.state is State.PENDING
        # Whoever had the lease before may have posted cards, and have ended before they were
        # recorded. They are found under their keys, and still show what was so then.
        is_second = lease.attempt > 1 and lease.effect.due_at is None
        if not is_open and not is_second:
            return Delivered(lease=lease)
        agent = await gate.store.read(AgentById(proposal.agent))
        if agent is None:
            return Delivered(lease=lease, undeliverable="Its agent is not registered.")
        reached = proposal.reached
        # Where a card was lost the same key would find that one again.
        key = "" if lease.effect.id == effects.deliver(proposal.id).id else f"/{lease.effect.id}"
        wanted = await approvers_of(gate, proposal, agent)
        shown_at = None if is_second else proposal.changed_at
        posted, later_s, failed = [], 0.0, []
        for person in sorted(wanted - reached):
            try:
                posted.append(await self._post_to(person, proposal, agent, key=f"{person}{key}"))
            except NotDeliveredNow as error:
                later_s = max(later_s, error.retry_after_s, _pause_s(lease.attempt))
            except Undeliverable as error:
                failed.append(str(error))
        if later_s:
            return Delivered(
                lease=lease,
                posted=tuple(posted),
                shown_at=shown_at,
                retry_in_s=later_s,
            )
        undeliverable = None
        if is_open and not posted and not reached:
            undeliverable = "; ".join(failed) or "Nobody may decide about it."
            log.warning("card not deliverable", extra={"proposal": proposal.id})
        return Delivered(
            lease=lease,
            posted=tuple(posted),
            shown_at=shown_at,
            undeliverable=undeliverable,
        )

    async def _post_to(
        self, person: PersonId, proposal: Proposal, agent: Agent, *, key: str
    ) -> Posted:
        reasons: list[str] = []
        for chat in self._gate.chats.values():
            card = await card_for(self._gate, proposal, agent=agent, reader=person, chat=chat)
            if card is None:
                raise Undeliverable("The person is no longer active.", reason="inactive")
            try:
                ref = await chat.post(card, person, key=f"{proposal.id}/{key}")
            except Undeliverable as error:
                reasons.append(str(error))
                continue
            return Posted(
                person=person, chat=chat.name, where=ref.where, card_digest=card.content_digest
            )
        raise Undeliverable("; ".join(reasons) or "No chat is configured.", reason="no_chat")

    async def _replace(self, lease: Lease) -> Delivered:
        gate = self._gate
        proposal = await gate.store.read(ProposalById(ProposalId(lease.effect.subject)))
        agent = None if proposal is None else await gate.store.read(AgentById(proposal.agent))
        if proposal is None or agent is None:
            return Delivered(lease=lease)
        proposal = (await as_they_are(gate, [proposal]))[0]
        later_s = 0.0
        for delivery in proposal.deliveries:
            chat = gate.chats.get(delivery.chat)
            if chat is None or delivery.lost_at is not None:
                continue
            if isinstance(chat, Standing):
                chat.look_again(delivery.person)
                continue
            card = await card_for(gate, proposal, agent=agent, reader=delivery.person, chat=chat)
            if card is None:
                continue
            ref = CardRef(chat=delivery.chat, person=delivery.person, where=delivery.where)
            try:
                await chat.replace(ref, card)
            except NotDeliveredNow as error:
                later_s = max(later_s, error.retry_after_s, _pause_s(lease.attempt))
            except Undeliverable:
                log.info("card is gone", extra={"proposal": proposal.id, "chat": chat.name})
        return Delivered(lease=lease, retry_in_s=later_s or None)


async def card_for(
    gate: Gate, proposal: Proposal, *, agent: Agent, reader: PersonId, chat: Chat
) -> Card | None:
    """Return the card of *proposal* for *reader* in *chat*; None when they are not active."""
    person = await gate.store.read(PersonById(reader))
    principal = await _principal(gate, proposal, person)
    if person is None or principal is None or not person.active:
        return None
    may_decide = reader in await approvers_of(gate, proposal, agent)
    return build_card(
        proposal,
        agent=agent,
        principal=principal,
        reader=reader,
        may_decide=may_decide,
        undo=await standing_of(gate, proposal, reader),
        status=status_line(proposal),
        max_chars=chat.max_chars,
    )


async def _principal(gate: Gate, proposal: Proposal, reader: Person | None) -> Person | None:
    if reader is not None and reader.id == proposal.principal:
        return reader
    return await gate.store.read(PersonById(proposal.principal))


def _pause_s(attempt: int) -> float:
    return float(min(_FIRST_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S))
