"""How a doubt ends: by a look-up or by a named person."""

from dataclasses import replace
from datetime import timedelta

from bot.core import effects
from bot.core.actors import Actor, person_actor
from bot.core.effects import Lease, Postponed
from bot.core.errors import NotFound
from bot.core.ids import PersonId, ProposalId
from bot.core.pressed import NotRecorded, Pressed, Recorded
from bot.core.proposal import Outcome, Proposal, Result
from bot.core.states import Event, State, next_state
from bot.core.status import status_line
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.execution import WORKER, outcome_leaf
from bot.core.verbs import Verb

#: Look-ups wait longer each time, up to this, and go on until a person or a look-up settles it.
MAX_LOOK_UP_PAUSE_S = 3600.0


def by_person(
    snapshot: Snapshot,
    *,
    proposal_id: ProposalId,
    person: PersonId,
    result: Result,
    note: str,
) -> Step[Pressed]:
    """Record what a named person found out about a doubtful effect."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None:
        return Refusal(NotFound("There is no such proposal."))
    if proposal.state is not State.IN_DOUBT:
        settled = proposal.outcome
        if settled is not None and settled.settled_by == person and settled.result is result:
            return Replay(Recorded(state=proposal.state, message=status_line(proposal)))
        return Replay(
            NotRecorded(
                code="not_in_doubt",
                message=f"There is no doubt to settle. {status_line(proposal)}",
                state=proposal.state,
            )
        )
    found = Outcome(
        result=result,
        reason="settled_by_person",
        detail="A person found out and recorded it." if not note else f"A person found: {note}",
        reference=proposal.outcome.reference if proposal.outcome else None,
        settled_by=person,
        at=snapshot.now,
    )
    settled_proposal = _settled(snapshot, proposal, found, actor=person_actor(person))
    return Transition(
        value=Recorded(state=settled_proposal.state, message=status_line(settled_proposal)),
        puts=(settled_proposal,),
        leaves=(outcome_leaf(settled_proposal, "settlement", actor=person_actor(person)),),
        effects=effects.refresh_all(settled_proposal),
    )


def found_by_look_up(snapshot: Snapshot, lease: Lease, *, reference: str | None) -> Step[None]:
    """The target has it: it happened."""
    return _look_up(
        snapshot,
        lease,
        Outcome(
            result=Result.SUCCEEDED,
            reason="found_by_look_up",
            detail="The target was asked and has it.",
            reference=reference,
            at=snapshot.now,
        ),
    )


def absent_in_look_up(snapshot: Snapshot, lease: Lease, *, verb: Verb) -> Step[None]:
    """The target does not have it: that proves something only after the settling time."""
    proposal = snapshot.proposals.get(ProposalId(lease.effect.subject))
    if proposal is None or proposal.state is not State.IN_DOUBT:
        return _nothing(lease)
    if verb.config_digest != proposal.verb_digest:
        # Another address or request may have been asked than the one that was written to.
        return unknown_in_look_up(snapshot, lease)
    # The last that was sent may have been under way until the doubt was recorded.
    since = proposal.outcome.at if proposal.outcome is not None else proposal.changed_at
    settled_at = since + timedelta(seconds=verb.settles_after_s)
    if snapshot.now < settled_at:
        return _later(snapshot, lease, pause_s=(settled_at - snapshot.now).total_seconds())
    return _look_up(
        snapshot,
        lease,
        Outcome(
            result=Result.FAILED,
            reason="absent_in_look_up",
            detail="The target was asked and does not have it.",
            at=snapshot.now,
        ),
    )


def unknown_in_look_up(snapshot: Snapshot, lease: Lease) -> Step[None]:
    """The target could not tell: ask again later, unless somebody settled it meanwhile."""
    proposal = snapshot.proposals.get(ProposalId(lease.effect.subject))
    if proposal is None or proposal.state is not State.IN_DOUBT:
        return _nothing(lease)
    return _later(snapshot, lease, pause_s=min(2.0**lease.attempt, MAX_LOOK_UP_PAUSE_S))


def _look_up(snapshot: Snapshot, lease: Lease, found: Outcome) -> Step[None]:
    proposal = snapshot.proposals.get(ProposalId(lease.effect.subject))
    if proposal is None or proposal.state is not State.IN_DOUBT:
        return _nothing(lease)
    settled = _settled(snapshot, proposal, found, actor=WORKER)
    return Transition(
        value=None,
        puts=(settled,),
        leaves=(outcome_leaf(settled, "settlement", actor=WORKER),),
        effects=effects.refresh_all(settled),
        done=(lease,),
    )


def _settled(snapshot: Snapshot, proposal: Proposal, found: Outcome, *, actor: Actor) -> Proposal:
    event = Event.SUCCEED if found.result is Result.SUCCEEDED else Event.FAIL
    return replace(
        proposal,
        state=next_state(proposal.state, event, actor=actor.kind),
        outcome=found,
        reason=found.reason,
        reason_by=actor,
        changed_at=snapshot.now,
    )


def _nothing(lease: Lease) -> Transition[None]:
    return Transition(value=None, leaves=(), done=(lease,))


def _later(snapshot: Snapshot, lease: Lease, *, pause_s: float) -> Transition[None]:
    due_at = snapshot.now + timedelta(seconds=pause_s)
    return Transition(value=None, leaves=(), postponed=(Postponed(lease=lease, due_at=due_at),))
