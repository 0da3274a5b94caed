"""Who may decide about a proposal, asked of the directory now."""

from bot.core.actors import Agent
from bot.core.approval import Membership, eligible
from bot.core.ids import PersonId
from bot.core.proposal import Proposal
from bot.core.transitions.decision import stakes_of
from bot.service.gate import Gate


async def membership_for(gate: Gate, proposal: Proposal) -> Membership:
    """Return the groups that the approval of *proposal* names, as they are now."""
    if proposal.approval is None:
        return {}
    groups = proposal.approval.groups()
    return await gate.directory.members(groups) if groups else {}


async def approvers_of(gate: Gate, proposal: Proposal, agent: Agent) -> frozenset[PersonId]:
    """Return everybody who may decide about *proposal* now."""
    if proposal.approval is None:
        return frozenset()
    membership = await membership_for(gate, proposal)
    return eligible(proposal.approval, stakes_of(proposal, owner=agent.owner), membership)
