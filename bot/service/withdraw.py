"""An agent takes a proposal back."""

from bot.core.actors import Agent, agent_actor
from bot.core.ids import ProposalId
from bot.core.proposal import Proposal
from bot.core.step import Ask
from bot.core.transitions import ending
from bot.service.gate import Gate


class Withdraw:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def withdraw(self, agent: Agent, proposal: ProposalId, *, reason: str) -> Proposal:
        """End *proposal* before anything is done.

        Raises:
            NotFound: there is none, or it is another agent's.
            IllegalTransition: it is carried out already, or has ended otherwise.
        """
        return await self._gate.commit(
            Ask(proposals=(proposal,)),
            lambda snapshot: ending.withdraw(
                snapshot,
                proposal_id=proposal,
                agent=agent.id,
                actor=agent_actor(agent.id),
                reason=reason,
            ),
        )
