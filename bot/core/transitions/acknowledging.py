"""An agent says that it has taken note of how its proposal ended."""

from dataclasses import replace

from bot.core import effects
from bot.core.actors import agent_actor
from bot.core.effective import effective
from bot.core.errors import IllegalTransition, NotFound
from bot.core.halts import ended_by
from bot.core.ids import AgentId, ProposalId
from bot.core.leaf import LeafDraft
from bot.core.proposal import Proposal
from bot.core.proposal_leaf import leaf_about
from bot.core.states import TERMINAL, State
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.ending import expire_now, revoke_now


def acknowledge(snapshot: Snapshot, *, proposal_id: ProposalId, agent: AgentId) -> Step[Proposal]:
    """Record that *agent* knows the final state; once, and what was said before stays."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or not proposal.is_of(agent):
        return Refusal(NotFound("There is no such proposal."))
    if proposal.acknowledged_at is not None:
        return Replay(proposal)
    now_is = effective(proposal, halts=snapshot.halts, now=snapshot.now)
    if now_is.state not in TERMINAL:
        return Refusal(
            IllegalTransition(
                f"There is nothing to take note of yet: the proposal is {now_is.state}.",
                remedy="Wait until it has ended, then acknowledge it.",
            )
        )
    ended = _ended(snapshot, proposal, now_is.state)
    last = proposal if ended is None else _put(ended)
    noted = replace(last, acknowledged_at=snapshot.now, changed_at=snapshot.now)
    return Transition(
        value=noted,
        puts=(noted,),
        leaves=(*(() if ended is None else ended.leaves), _leaf(noted)),
        effects=(effects.refresh(noted.id, "acknowledged"),),
    )


def _ended(snapshot: Snapshot, proposal: Proposal, now_is: State) -> Transition[None] | None:
    """Return the end that a halt or a clock has brought, where the row does not say so yet."""
    if proposal.state is now_is:
        return None
    halt = ended_by(snapshot.halts, proposal)
    if halt is None:
        return expire_now(snapshot, proposal)
    return revoke_now(snapshot, proposal, reason=halt.reason, actor=halt.set_by)


def _put(step: Transition[None]) -> Proposal:
    ended = step.puts[0]
    assert isinstance(ended, Proposal)  # an ending puts the ended proposal alone
    return ended


def _leaf(noted: Proposal) -> LeafDraft:
    return leaf_about(noted, "proposal.acknowledged", agent_actor(noted.agent))
