"""Claim, intent, outcome: an action is carried out at most once, and never unrecorded."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from bot.core import effects
from bot.core.actors import Actor, system_actor
from bot.core.approval import Membership
from bot.core.effects import Effect, Lease, Renewed
from bot.core.halts import stopped_by
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import LeafDraft
from bot.core.policy import Hold, Policy
from bot.core.proposal import Mode, Outcome, Proposal, Result
from bot.core.proposal_leaf import leaf_about
from bot.core.states import Event, State, next_state
from bot.core.step import Snapshot, Step, Transition
from bot.core.transitions.ending import expire_now, revoke_now
from bot.core.transitions.last_check import last_check
from bot.core.transitions.recheck import Stop
from bot.core.transitions.submission import (
    Draft,
    first_effects,
    new_proposal,
    submitted_leaf,
    verdict_on,
)
from bot.core.verbs import Verb

WORKER = system_actor("worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The intent is recorded: carry out ``proposal`` under ``key``, once."""

    proposal: Proposal
    key: str


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The proposal has ended, or somebody else carries it out; the effect is finished."""


Claim: TypeAlias = Claimed | NothingToDo


def execution_key(proposal: ProposalId) -> str:
    """Return the idempotency key that every attempt at one proposal sends."""
    return str(proposal)


def claim(
    snapshot: Snapshot,
    lease: Lease,
    *,
    policy: Policy,
    verb: Verb | None,
    membership: Membership,
    lease_s: float,
) -> Step[Claim]:
    """Record the intent to carry out, if everything that allowed it still holds.

    The lease is kept for *lease_s* seconds from here, in which the attempt has to end.
    """
    proposal = snapshot.proposals.get(ProposalId(lease.effect.subject))
    if proposal is None:
        return _finished(lease)
    if proposal.state is State.EXECUTING:
        return _take_over(snapshot, proposal, lease, verb, lease_s=lease_s)
    if proposal.state is not State.APPROVED or proposal.mode is not Mode.EXECUTE:
        return _finished(lease)
    checked = last_check(snapshot, proposal, policy=policy, verb=verb, membership=membership)
    if isinstance(checked, Stop):
        return _finished(lease, revoke_now(snapshot, proposal, reason=checked.reason))
    if proposal.use_by is not None and snapshot.now >= proposal.use_by:
        return _finished(lease, expire_now(snapshot, proposal))
    claimed = replace(
        proposal,
        state=next_state(proposal.state, Event.CLAIM, actor=WORKER.kind),
        attempt=lease.attempt,
        intents=1,
        claimed_at=snapshot.now,
        changed_at=snapshot.now,
    )
    return _intent(snapshot, claimed, checked.voters, lease=lease, lease_s=lease_s)


def outcome(
    snapshot: Snapshot,
    *,
    proposal_id: ProposalId,
    attempt: int,
    lease: Lease | None,
    found: Outcome,
    verb: Verb | None,
    successor: Draft | None = None,
    policy: Policy | None = None,
    deployment: str = "",
) -> Step[None]:
    """Record what came of one attempt.

    *lease* is None for a worker that lost its lease meanwhile: its word is still the truth
    while nobody else has begun another attempt, and is only noted after that. A failure after
    a take-over proves nothing about the attempt before it, so it leaves a doubt.
    """
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is not None and proposal.intents > 1 and found.result is Result.FAILED:
        found = replace(
            found,
            result=Result.IN_DOUBT,
            reason="earlier_attempt",
            detail=f"An earlier attempt was interrupted. {found.detail}",
        )
    if proposal is None or not _still_open(proposal, attempt, found):
        return _too_late(proposal, attempt, found)
    was_in_doubt = proposal.state is State.IN_DOUBT
    found = replace(found, at=snapshot.now)
    ended = replace(
        proposal,
        state=next_state(proposal.state, _event(found.result), actor=WORKER.kind),
        outcome=found,
        reason=found.reason,
        reason_by=WORKER,
        changed_at=snapshot.now,
    )
    type_ = "execution.late_report" if was_in_doubt else "execution.outcome"
    leaves: tuple[LeafDraft, ...] = (outcome_leaf(ended, type_, actor=WORKER),)
    follow: tuple[Effect, ...] = effects.refresh_all(ended)
    if found.result is Result.IN_DOUBT and verb is not None and verb.can_look_up:
        follow += (effects.look_up(ended.id, due_at=snapshot.now),)
    puts: tuple[Proposal, ...] = (ended,)
    again = _successor(snapshot, ended, successor, policy=policy, deployment=deployment)
    if again is not None:
        puts = (replace(ended, superseded_by=again.id), again)
        leaves += (submitted_leaf(again, verb=again.action.verb),)
        follow += first_effects(again)
    return Transition(
        value=None,
        puts=puts,
        leaves=leaves,
        effects=follow,
        done=() if lease is None else (lease,),
    )


def _still_open(proposal: Proposal, attempt: int, found: Outcome) -> bool:
    if proposal.attempt != attempt:
        return False
    if proposal.state is State.IN_DOUBT:
        return found.result is not Result.IN_DOUBT
    return proposal.state is State.EXECUTING


def _successor(
    snapshot: Snapshot,
    ended: Proposal,
    draft: Draft | None,
    *,
    policy: Policy | None,
    deployment: str,
) -> Proposal | None:
    """Return the proposal that asks anew about a changed target, where a person was asked."""
    if draft is None or policy is None or snapshot.policy_digest != policy.digest:
        return None
    if ended.state is not State.FAILED:
        return None
    verdict = verdict_on(draft, agent=draft.agent, policy=policy)
    if not isinstance(verdict, Hold) or stopped_by(snapshot.halts, ended) is not None:
        return None
    return new_proposal(
        draft, verdict=verdict, now=snapshot.now, policy=policy.digest, deployment=deployment
    )


def outcome_leaf(proposal: Proposal, type_: str, *, actor: Actor) -> LeafDraft:
    """Return the entry that says what came of the effect of *proposal*."""
    found = proposal.outcome
    assert found is not None  # only called with an outcome
    return leaf_about(
        proposal,
        type_,
        actor,
        clear={
            "attempt": proposal.attempt,
            "result": found.result.value,
            "reason": found.reason,
        },
        private={"detail": found.detail, "reference": found.reference},
    )


def _intent(
    snapshot: Snapshot,
    claimed: Proposal,
    voters: frozenset[PersonId],
    *,
    lease: Lease,
    lease_s: float,
) -> Transition[Claim]:
    key = execution_key(claimed.id)
    until = snapshot.now + timedelta(seconds=lease_s)
    return Transition(
        value=Claimed(proposal=claimed, key=key),
        puts=(claimed,),
        leaves=(
            leaf_about(
                claimed,
                "execution.intent",
                WORKER,
                clear={
                    "attempt": claimed.attempt,
                    "key": key,
                    "approved_by": sorted(voters),
                },
            ),
        ),
        renewed=(Renewed(lease=lease, until=until),),
    )


def _take_over(
    snapshot: Snapshot, proposal: Proposal, lease: Lease, verb: Verb | None, *, lease_s: float
) -> Transition[Claim]:
    """Go on for a worker that is gone: with the same key, or not at all."""
    # Under another configuration the same key might reach another target.
    may_repeat = verb is not None and verb.idempotent and verb.config_digest == proposal.verb_digest
    if may_repeat and stopped_by(snapshot.halts, proposal) is None:
        again = replace(
            proposal,
            attempt=lease.attempt,
            intents=proposal.intents + 1,
            changed_at=snapshot.now,
        )
        return _intent(snapshot, again, frozenset(), lease=lease, lease_s=lease_s)
    lost = replace(
        proposal,
        state=next_state(proposal.state, Event.LOSE, actor=WORKER.kind),
        outcome=Outcome(
            result=Result.IN_DOUBT,
            reason="worker_lost",
            detail="Keyturn stopped while it was carrying this out.",
            at=snapshot.now,
        ),
        reason="worker_lost",
        reason_by=WORKER,
        changed_at=snapshot.now,
    )
    follow: tuple[Effect, ...] = effects.refresh_all(lost)
    if verb is not None and verb.can_look_up:
        follow += (effects.look_up(lost.id, due_at=snapshot.now),)
    return Transition(
        value=NothingToDo(),
        puts=(lost,),
        leaves=(outcome_leaf(lost, "execution.outcome", actor=WORKER),),
        effects=follow,
        done=(lease,),
    )


def _too_late(proposal: Proposal | None, attempt: int, found: Outcome) -> Step[None]:
    leaves: tuple[LeafDraft, ...] = ()
    if proposal is not None:
        leaves = (
            LeafDraft(
                type="execution.late_report",
                actor=WORKER,
                proposal=proposal.id,
                agent=proposal.agent,
                principal=proposal.principal,
                clear={
                    "state": proposal.state.value,
                    "attempt": attempt,
                    "result": found.result.value,
                    "reason": found.reason,
                },
                private={"detail": found.detail, "reference": found.reference},
            ),
        )
    return Transition(value=None, leaves=leaves)


def _finished(lease: Lease, ended: Transition[None] | None = None) -> Transition[Claim]:
    if ended is None:
        return Transition(value=NothingToDo(), leaves=(), done=(lease,))
    return Transition(
        value=NothingToDo(),
        puts=ended.puts,
        leaves=ended.leaves,
        effects=ended.effects,
        done=(lease,),
    )


def _event(result: Result) -> Event:
    match result:
        case Result.SUCCEEDED:
            return Event.SUCCEED
        case Result.FAILED:
            return Event.FAIL
        case Result.IN_DOUBT:
            return Event.LOSE
