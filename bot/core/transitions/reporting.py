"""What came of a redeemed grant: reported by those who were there, or doubtful.

Keyturn has not seen the effect. Whatever is reported stands in the outcome as a claim of whoever
reported it. A resource server says what it did itself; an agent can only say that it succeeded.
"""

from dataclasses import dataclass, replace

from bot.core import effects
from bot.core.actors import Actor
from bot.core.errors import IllegalTransition, NotFound, NotPermitted
from bot.core.ids import AgentId, ProposalId
from bot.core.proposal import Outcome, Proposal, Result
from bot.core.states import ActorKind, Event, State, next_state
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.ending import CLOCK
from bot.core.transitions.execution import outcome_leaf
from bot.core.untrusted import Untrusted, one_line

MAX_DETAIL_CHARS = 500

_WHO = {ActorKind.AGENT: "The agent", ActorKind.RESOURCE: "The resource server"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``result`` is never in doubt: whoever does not know waits, or says nothing."""

    by: Actor
    result: Result
    detail: str
    reference: str | None


def report(snapshot: Snapshot, proposal_id: ProposalId, claim: Report) -> Step[Proposal]:
    """Record *claim* about what came of a redeemed grant."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or not _is_known_to(proposal, claim.by):
        return Refusal(NotFound("There is no such proposal."))
    if claim.by.kind is ActorKind.AGENT and claim.result is not Result.SUCCEEDED:
        return Refusal(
            NotPermitted(
                "An agent cannot say that nothing happened.",
                remedy="The resource server reports it, or a person finds out.",
            )
        )
    if proposal.grant is None or proposal.grant.redeemed_at is None:
        return Refusal(IllegalTransition("There is nothing to report: no grant was redeemed."))
    if _has_been_said(proposal, claim):
        return Replay(proposal)
    settles = proposal.state is State.REDEEMED or (
        proposal.state is State.IN_DOUBT and claim.by.kind is ActorKind.RESOURCE
    )
    if not settles:
        return _noted(snapshot, proposal, claim)
    was_in_doubt = proposal.state is State.IN_DOUBT
    event = Event.SUCCEED if claim.result is Result.SUCCEEDED else Event.FAIL
    ended = replace(
        proposal,
        state=next_state(proposal.state, event, actor=claim.by.kind),
        outcome=_outcome(snapshot, claim),
        reason=_reason(claim),
        reason_by=claim.by,
        changed_at=snapshot.now,
    )
    type_ = "grant.late_report" if was_in_doubt else "grant.outcome"
    return Transition(
        value=ended,
        puts=(ended,),
        leaves=(outcome_leaf(ended, type_, actor=claim.by),),
        effects=(effects.refresh(ended.id, ended.state),),
    )


def unreported(snapshot: Snapshot, proposal_id: ProposalId) -> Step[None]:
    """Doubt what was redeemed and what nobody has reported in time."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or proposal.state is not State.REDEEMED:
        return Replay(None)
    if proposal.due_at is None or snapshot.now < proposal.due_at:
        return Replay(None)
    lost = replace(
        proposal,
        state=next_state(proposal.state, Event.LOSE, actor=CLOCK.kind),
        outcome=Outcome(
            result=Result.IN_DOUBT,
            reason="not_reported",
            detail="The grant was used, and nobody has reported what came of it.",
            at=snapshot.now,
        ),
        reason="not_reported",
        reason_by=CLOCK,
        changed_at=snapshot.now,
    )
    return Transition(
        value=None,
        puts=(lost,),
        leaves=(outcome_leaf(lost, "grant.outcome", actor=CLOCK),),
        effects=(effects.refresh(lost.id, lost.state),),
    )


def _is_known_to(proposal: Proposal, who: Actor) -> bool:
    if who.kind is ActorKind.AGENT:
        return proposal.is_of(AgentId(who.id))
    return proposal.grant is not None and proposal.grant.redeemed_by == who.id


def _has_been_said(proposal: Proposal, claim: Report) -> bool:
    found = proposal.outcome
    return found is not None and found.claimed_by == claim.by and found.result is claim.result


def _noted(snapshot: Snapshot, proposal: Proposal, claim: Report) -> Transition[Proposal]:
    """Return the entry about a report that comes too late to settle anything."""
    late = replace(proposal, outcome=_outcome(snapshot, claim))
    return Transition(
        value=proposal, leaves=(outcome_leaf(late, "grant.late_report", actor=claim.by),)
    )


def _outcome(snapshot: Snapshot, claim: Report) -> Outcome:
    who = _WHO[claim.by.kind]
    said = one_line(Untrusted(claim.detail), max_chars=MAX_DETAIL_CHARS)
    happened = "it was done" if claim.result is Result.SUCCEEDED else "it was not done"
    return Outcome(
        result=claim.result,
        reason=_reason(claim),
        detail=f"{who} says that {happened}." + (f" It adds: {said}" if said else ""),
        reference=claim.reference,
        claimed_by=claim.by,
        at=snapshot.now,
    )


def _reason(claim: Report) -> str:
    return f"reported_by_{claim.by.kind}"
