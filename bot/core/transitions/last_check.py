"""Everything that allowed a proposal, checked again in the commit that makes use of it."""

from dataclasses import dataclass

from bot.core.approval import Membership, eligible, votes
from bot.core.ids import PersonId
from bot.core.policy import Policy
from bot.core.proposal import Proposal
from bot.core.step import Snapshot
from bot.core.transitions.decision import stakes_of
from bot.core.transitions.recheck import Stop, policy_in_force, stop_for
from bot.core.verbs import Verb


@dataclass(frozen=True, slots=True)
class StillAllowed:
    """``voters`` are the people whose approvals count now; nobody where nobody was asked."""

    voters: frozenset[PersonId]


def last_check(
    snapshot: Snapshot,
    proposal: Proposal,
    *,
    policy: Policy,
    verb: Verb | None,
    membership: Membership,
) -> StillAllowed | Stop:
    """Return whether halts, agent, policy and approvers still allow *proposal*; clocks are not
    looked at.

    Raises:
        PolicyChanged: *policy* is not the one in force.
    """
    policy_in_force(snapshot, policy)
    agent, approval = snapshot.agent, proposal.approval
    stop = stop_for(proposal, snapshot=snapshot, agent=agent, policy=policy, verb=verb)
    if stop is not None:
        return stop
    if approval is None or agent is None:
        return StillAllowed(frozenset())
    among = eligible(approval, stakes_of(proposal, owner=agent.owner), membership)
    voters = votes(proposal.decisions, digest=proposal.digest, among=among)
    if len(voters) < max(1, approval.count):
        return Stop("Somebody who approved it may no longer do so.")
    return StillAllowed(voters)
