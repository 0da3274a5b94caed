"""An agent reads its own proposals, and waits for them."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum, unique

from bot.core.actors import Agent
from bot.core.effective import effective
from bot.core.errors import NotFound
from bot.core.ids import ProposalId
from bot.core.proposal import Mode, Proposal
from bot.core.states import TERMINAL, State
from bot.ports.queries import Halts, ProposalById, Proposals
from bot.service.gate import Gate
from bot.service.waiting import Waiters


def is_answered(proposal: Proposal) -> bool:
    """Return whether a waiting agent is answered at once: it is over, or the agent's turn."""
    if proposal.mode is Mode.RELEASE and proposal.state is State.APPROVED:
        return True
    return proposal.state in TERMINAL or proposal.state is State.RELEASED


@unique
class DeliveryState(StrEnum):
    """Whether the person has been shown the card."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    NOT_NEEDED = "not_needed"


class Reading:
    def __init__(self, gate: Gate, waiters: Waiters) -> None:
        self._gate = gate
        self._waiters = waiters

    async def proposal(self, agent: Agent, proposal: ProposalId) -> Proposal:
        """Return *proposal* as it is now.

        Raises:
            NotFound: there is none, or it is another agent's.
        """
        found = await self._gate.store.read(ProposalById(proposal))
        if found is None or not found.is_of(agent.id):
            raise NotFound("There is no such proposal of this agent.")
        return (await as_they_are(self._gate, [found]))[0]

    async def wait(self, agent: Agent, proposal: ProposalId, *, timeout_s: float) -> Proposal:
        """Return *proposal* when it is final or released, or when *timeout_s* has passed.

        Raises:
            NotFound: as for :meth:`proposal`.
            TooMany: too many wait already.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        with self._waiters.enter(agent.id, proposal) as ticket:
            while True:
                found = await self.proposal(agent, proposal)
                left_s = ends_at - loop.time()
                if is_answered(found) or left_s <= 0:
                    return found
                await ticket.changed(timeout_s=left_s)

    async def proposals(
        self,
        agent: Agent,
        *,
        states: Sequence[State] = (),
        before: ProposalId | None = None,
        limit: int = 50,
    ) -> Sequence[Proposal]:
        """Return the agent's own proposals, newest first."""
        own: list[Proposal] = []
        while len(own) < limit:
            query = Proposals(agent=agent.id, states=tuple(states), before=before, limit=limit)
            found = await self._gate.store.read(query)
            own += [proposal for proposal in found if proposal.is_of(agent.id)]
            if len(found) < limit:
                break
            before = found[-1].id
        return await as_they_are(self._gate, own[:limit])


async def as_they_are(gate: Gate, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return *proposals* with halts and clocks applied that their rows do not show yet."""
    halts = await gate.store.read(Halts(in_force=True))
    now = gate.clock.now()
    return [effective(proposal, halts=halts, now=now) for proposal in proposals]


def delivery_of(proposal: Proposal) -> DeliveryState:
    """Return whether the person has been shown the card of *proposal*."""
    if proposal.approval is None:
        return DeliveryState.NOT_NEEDED
    if proposal.reached:
        return DeliveryState.DELIVERED
    if proposal.undeliverable is not None:
        return DeliveryState.UNDELIVERABLE
    return DeliveryState.QUEUED
