"""An agent takes note of how its proposal ended."""

from bot.core.actors import Agent
from bot.core.ids import ProposalId
from bot.core.proposal import Proposal
from bot.core.step import Ask
from bot.core.transitions import acknowledging
from bot.service.gate import Gate


class Acknowledge:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def acknowledge(self, agent: Agent, proposal: ProposalId) -> Proposal:
        """Record that *agent* knows how *proposal* ended; people see that it does.

        Raises:
            NotFound: there is none, or it is another agent's.
            IllegalTransition: it has not ended yet.
        """
        return await self._gate.commit(
            Ask(proposals=(proposal,)),
            lambda snapshot: acknowledging.acknowledge(
                snapshot, proposal_id=proposal, agent=agent.id
            ),
        )
