"""How a proposal ends without its effect: expired, withdrawn, revoked."""

from dataclasses import replace

from bot.core import effects
from bot.core.actors import Actor, system_actor
from bot.core.errors import IllegalTransition, NotFound
from bot.core.halts import ended_by
from bot.core.ids import AgentId, ProposalId
from bot.core.proposal import Proposal
from bot.core.proposal_leaf import leaf_about
from bot.core.states import EXPIRABLE, STOPPABLE, Event, State, next_state
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition

CLOCK = system_actor("clock")
GATE = system_actor("gate")


def expire(snapshot: Snapshot, proposal_id: ProposalId) -> Step[None]:
    """End a proposal whose clock has passed; anything else is left alone."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or not _is_over(proposal, snapshot):
        return Replay(None)
    halt = ended_by(snapshot.halts, proposal)
    if halt is not None:
        return revoke_now(snapshot, proposal, reason=halt.reason, actor=halt.set_by)
    return expire_now(snapshot, proposal)


def expire_now(snapshot: Snapshot, proposal: Proposal) -> Transition[None]:
    return _end(snapshot, proposal, Event.EXPIRE, actor=CLOCK, type_="proposal.expired")


def withdraw(
    snapshot: Snapshot, *, proposal_id: ProposalId, agent: AgentId, actor: Actor, reason: str
) -> Step[Proposal]:
    """Take a proposal back for its proposer."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or not proposal.is_of(agent):
        return Refusal(NotFound("There is no such proposal."))
    if proposal.state is State.WITHDRAWN:
        return Replay(proposal)
    halt = ended_by(snapshot.halts, proposal)
    if halt is not None:
        ended = revoke_now(snapshot, proposal, reason=halt.reason, actor=halt.set_by)
        return _with_proposal(ended)
    if _is_over(proposal, snapshot):
        return _with_proposal(expire_now(snapshot, proposal))
    if proposal.state not in (State.PENDING, State.APPROVED):
        return Refusal(
            IllegalTransition(f"It is too late to take it back: the proposal is {proposal.state}.")
        )
    return _with_proposal(
        _end(
            snapshot,
            proposal,
            Event.WITHDRAW,
            actor=actor,
            type_="proposal.withdrawn",
            reason=reason or None,
        )
    )


def sweep(snapshot: Snapshot, proposal_id: ProposalId) -> Step[None]:
    """Write as revoked what a halt has ended already."""
    proposal = snapshot.proposals.get(proposal_id)
    halt = None if proposal is None else ended_by(snapshot.halts, proposal)
    if proposal is None or halt is None:
        return Replay(None)
    return revoke_now(snapshot, proposal, reason=halt.reason, actor=halt.set_by)


def revoke_now(
    snapshot: Snapshot, proposal: Proposal, *, reason: str, actor: Actor = GATE
) -> Transition[None]:
    """Return the transition that stops *proposal*, which must be stoppable."""
    if proposal.state not in STOPPABLE:
        raise IllegalTransition(f"Cannot revoke a proposal that is {proposal.state}.")
    return _end(
        snapshot,
        proposal,
        Event.REVOKE,
        actor=actor,
        type_="proposal.revoked",
        reason=reason or None,
    )


def _is_over(proposal: Proposal, snapshot: Snapshot) -> bool:
    due_at = proposal.due_at
    return proposal.state in EXPIRABLE and due_at is not None and snapshot.now >= due_at


def _end(
    snapshot: Snapshot,
    proposal: Proposal,
    event: Event,
    *,
    actor: Actor,
    type_: str,
    reason: str | None = None,
) -> Transition[None]:
    ended = replace(
        proposal,
        state=next_state(proposal.state, event, actor=actor.kind),
        reason=reason,
        reason_by=actor,
        changed_at=snapshot.now,
    )
    return Transition(
        value=None,
        puts=(ended,),
        leaves=(leaf_about(ended, type_, actor, private={"reason": reason} if reason else {}),),
        effects=effects.refresh_all(ended),
    )


def _with_proposal(step: Transition[None]) -> Transition[Proposal]:
    ended = step.puts[0]
    assert isinstance(ended, Proposal)  # _end puts exactly the ended proposal
    return Transition(value=ended, puts=step.puts, leaves=step.leaves, effects=step.effects)
