"""The first step of a proposal's life: replayed, refused, denied, held or allowed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.core import effects
from bot.core.actors import Actor, Agent
from bot.core.approval import Approval
from bot.core.canonical import Digest
from bot.core.card import content_digest
from bot.core.effects import Effect
from bot.core.errors import (
    Halted,
    IllegalTransition,
    KeyReused,
    NotFound,
    NotPermitted,
    TooMany,
)
from bot.core.frozen import frozen
from bot.core.halts import halt_against
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import LeafDraft, timestamp
from bot.core.policy import Allow, Deny, Hold, Policy, Question, Verdict, evaluate
from bot.core.proposal import (
    Action,
    Delivery,
    Mode,
    Proposal,
    Rationale,
    action_digest,
    binding_digest,
    facts_value,
    rationale_value,
)
from bot.core.proposal_leaf import leaf_about
from bot.core.states import Event, State, next_state
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.delivery import Posted, Standing, posted_leaf
from bot.core.transitions.recheck import may_be_done, policy_in_force
from bot.core.verbs import Facts, Preview, Verb

#: How long an allowed action that nobody held may wait for its execution.
ALLOWED_USE_WITHIN_S = 900
_UNUSED_DIGEST = Digest("")


@frozen
class Judged:
    """The word of *policy* on a draft as its agent was then."""

    policy: Policy
    verdict: Verdict


@frozen
class Draft:
    """Everything about a proposal that is known before the store is asked."""

    id: ProposalId
    salt: str
    agent: Agent
    proposer: Actor
    principal: PersonId
    mode: Mode
    audience: str | None = None
    action: Action
    action_bytes: bytes
    verb: Verb
    facts: Facts
    preview: Preview
    rationale: Rationale
    etag: str | None
    correlation: str | None
    idempotency_key: str
    request_digest: Digest
    expires_in_s: int | None
    supersedes: ProposalId | None
    successor_of: ProposalId | None = None
    judged: Judged | None = None
    standing: Standing | None = None


@frozen
class PendingCaps:
    """How many proposals may wait at once."""

    per_agent: int
    per_principal: int


@frozen
class Submitted:
    proposal: Proposal
    replayed: bool


def submit(
    snapshot: Snapshot,
    draft: Draft,
    *,
    policy: Policy,
    deployment: str,
    caps: PendingCaps,
) -> Step[Submitted]:
    """Return what *draft* leads to now."""
    if snapshot.replayed is not None:
        return replay(snapshot.replayed, draft.request_digest)
    agent, person = snapshot.agent, snapshot.person
    if agent is None or not agent.active:
        return Refusal(NotPermitted("This agent is no longer active."))
    if draft.principal not in agent.principals:
        return Refusal(NotPermitted("This agent may not act for this person."))
    if person is None or not person.active:
        return Refusal(NotPermitted("The person this agent acts for is no longer active."))
    halt = halt_against(
        snapshot.halts, agent=agent.id, principal=draft.principal, connector=draft.verb.connector
    )
    if halt is not None:
        return Refusal(Halted("A person has stopped this. Nothing was kept."))
    policy_in_force(snapshot, policy)

    superseded = None
    if draft.supersedes is not None:
        superseded = snapshot.proposals.get(draft.supersedes)
        if superseded is None or not superseded.is_of(agent.id):
            return Refusal(NotFound("There is no such proposal to supersede."))
        if superseded.principal != draft.principal or superseded.state is not State.PENDING:
            return Refusal(
                IllegalTransition(f"A proposal that is {superseded.state} cannot be superseded.")
            )
    judged = draft.judged
    if judged is not None and judged.policy is policy and draft.agent == agent:
        verdict = judged.verdict
    else:
        verdict = verdict_on(draft, agent=agent, policy=policy)
    proposal = new_proposal(
        draft, verdict=verdict, now=snapshot.now, policy=policy.digest, deployment=deployment
    )
    if proposal.state is State.PENDING:
        full = _full_cap(snapshot, caps, replacing=superseded is not None)
        if full is not None:
            return Refusal(full)
    puts: tuple[Proposal, ...] = (proposal,)
    leaves: tuple[LeafDraft, ...] = (
        submitted_leaf(proposal, verb=draft.verb.name),
        *_shown(proposal, draft.standing),
    )
    follow = first_effects(proposal)
    if superseded is not None and proposal.state is not State.DENIED:
        ended = replace(
            superseded,
            state=next_state(superseded.state, Event.SUPERSEDE, actor=draft.proposer.kind),
            superseded_by=proposal.id,
            changed_at=snapshot.now,
        )
        puts += (ended,)
        leaves += (_superseded_leaf(ended, draft.proposer),)
        follow += (effects.refresh(ended.id, ended.state),)
    return Transition(
        value=Submitted(proposal=proposal, replayed=False),
        puts=puts,
        leaves=leaves,
        effects=follow,
    )


def replay(earlier: Proposal, request_digest: Digest) -> Step[Submitted]:
    """Return the earlier proposal of the same key, if it was for the same request."""
    if earlier.request_digest != request_digest:
        return Refusal(KeyReused("This Idempotency-Key belongs to a proposal with another body."))
    return Replay(Submitted(proposal=earlier, replayed=True))


def verdict_on(draft: Draft, *, agent: Agent, policy: Policy) -> Verdict:
    """Return the policy's word on *draft*."""
    verdict = evaluate(policy, question_of(draft, agent))
    match verdict:
        case Allow() | Hold() if not may_be_done(verdict, mode=draft.mode, audience=draft.audience):
            return Deny(reason=f"no rule releases this to {draft.audience}", rules=verdict.rules)
        case _:
            return verdict


def question_of(draft: Draft, agent: Agent) -> Question:
    return Question(
        agent=agent.name,
        agent_id=agent.id,
        principal=draft.principal,
        verb=draft.action.verb,
        resource=draft.action.resource,
        kind=draft.verb.kind,
        params=draft.action.params,
    )


def new_proposal(
    draft: Draft, *, verdict: Verdict, now: datetime, policy: Digest, deployment: str
) -> Proposal:
    """Return the proposal that *verdict* makes of *draft*, with its digest."""
    approval: Approval | None = None
    reason: str | None = None
    expires_at = use_by = None
    match verdict:
        case Allow():
            state = State.APPROVED
            use_by = now + timedelta(seconds=ALLOWED_USE_WITHIN_S)
        case Hold(approval=approval):
            state = State.PENDING
            wait_s = min(approval.expires_s, draft.expires_in_s or approval.expires_s)
            expires_at = now + timedelta(seconds=wait_s)
        case Deny(reason=reason):
            state = State.DENIED
        case _:
            assert_never(verdict)
    principal_alone = approval is not None and approval.is_of_principal_alone
    proposal = Proposal(
        id=draft.id,
        agent=draft.agent.id,
        proposer=draft.proposer,
        principal=draft.principal,
        mode=draft.mode,
        audience=draft.audience,
        action_json=draft.action_bytes.decode(),
        action_digest=action_digest(draft.action_bytes),
        digest=_UNUSED_DIGEST,
        salt=draft.salt,
        connector=draft.verb.connector,
        kind=draft.verb.kind,
        verb_digest=draft.verb.config_digest,
        facts=draft.facts,
        preview=draft.preview,
        rationale=draft.rationale,
        etag=draft.etag,
        correlation=draft.correlation,
        idempotency_key=draft.idempotency_key,
        request_digest=draft.request_digest,
        policy_digest=policy,
        rules=verdict.rules,
        approval=approval,
        created_at=now,
        expires_at=expires_at,
        use_by=use_by,
        state=state,
        reason=reason,
        deliveries=_delivered(draft, at=now) if principal_alone else (),
        supersedes=draft.supersedes,
        successor_of=draft.successor_of,
        undo_window_s=None if draft.verb.undo is None else draft.verb.undo.window_s,
        changed_at=now,
    )
    return replace(proposal, digest=binding_digest(proposal, deployment=deployment))


def _delivered(draft: Draft, *, at: datetime) -> tuple[Delivery, ...]:
    """Return that the principal is shown the card by the commit itself, where that is so."""
    standing = draft.standing
    if standing is None:
        return ()
    where = standing.where(draft.id)
    return (Delivery(person=draft.principal, chat=standing.chat, where=where, at=at),)


def _shown(proposal: Proposal, standing: Standing | None) -> tuple[LeafDraft, ...]:
    if standing is None or not proposal.deliveries:
        return ()
    digest = content_digest(proposal, max_chars=standing.max_chars)
    return tuple(
        posted_leaf(
            proposal,
            Posted(person=shown.person, chat=shown.chat, where=shown.where, card_digest=digest),
        )
        for shown in proposal.deliveries
    )


def first_effects(proposal: Proposal) -> tuple[Effect, ...]:
    if proposal.state is State.PENDING and not proposal.deliveries:
        return (effects.deliver(proposal.id),)
    if proposal.state is State.APPROVED and proposal.mode is Mode.EXECUTE:
        return (effects.execute(proposal.id),)
    return ()


def submitted_leaf(proposal: Proposal, *, verb: str) -> LeafDraft:
    """Return the entry that a proposal begins with."""
    approval = proposal.approval
    preview = proposal.preview
    return leaf_about(
        proposal,
        "proposal.submitted",
        proposal.proposer,
        clear={
            "verb": verb,
            "connector": proposal.connector,
            "kind": proposal.kind.value,
            "mode": proposal.mode.value,
            "audience": proposal.audience,
            "verb_config": proposal.verb_digest,
            "rules": list(proposal.rules),
            "approval": None
            if approval is None
            else {
                "mode": approval.mode.value,
                "count": approval.count,
                "approvers": list(approval.approvers),
                "exclude": list(approval.exclude),
            },
            "expires_at": None if proposal.expires_at is None else timestamp(proposal.expires_at),
            "supersedes": proposal.supersedes,
            "successor_of": proposal.successor_of,
            "undoes": proposal.undoes,
        },
        private={
            "action": proposal.action_json,
            "binding": {"salt": proposal.salt, "action_digest": proposal.action_digest},
            "claims": {
                "rationale": rationale_value(proposal.rationale),
                "correlation": proposal.correlation,
            },
            "observed": {
                "facts": facts_value(proposal.facts),
                "effect": preview.effect,
                "target": preview.target,
                "reversible": preview.reversible,
            },
        },
    )


def _superseded_leaf(ended: Proposal, by: Actor) -> LeafDraft:
    return leaf_about(
        ended, "proposal.superseded", by, clear={"superseded_by": ended.superseded_by}
    )


def _full_cap(snapshot: Snapshot, caps: PendingCaps, *, replacing: bool) -> TooMany | None:
    freed = 1 if replacing else 0
    if snapshot.pending_of_agent - freed >= caps.per_agent:
        return TooMany(
            "Too many proposals of this agent wait for a decision.",
            cap="pending_per_agent",
            retry_after_s=60,
        )
    if snapshot.pending_of_principal - freed >= caps.per_principal:
        return TooMany(
            "Too many proposals wait for this person's decision.",
            cap="pending_per_principal",
            retry_after_s=60,
        )
    return None
