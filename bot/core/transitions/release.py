"""Release mode: a grant is handed out, redeemed once, and its outcome reported.

A refusal of a grant changes no state, but is an entry of the log wherever it is known about which
proposal it is.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.core import effects
from bot.core.actors import Actor, agent_actor, resource_actor
from bot.core.approval import Membership
from bot.core.errors import (
    ActionChanged,
    GrantElsewhere,
    GrantExpired,
    GrantNotGenuine,
    GrantRefused,
    GrantRevoked,
    GrantUsed,
    IllegalTransition,
    KeyturnError,
    NotAuthenticated,
    NotFound,
)
from bot.core.grant_claims import Presented, claims_of
from bot.core.grants import MAX_GRANT_S, MAX_REFUSALS_RECORDED, Grant
from bot.core.ids import AgentId, GrantId, ProposalId, ResourceServerId
from bot.core.leaf import LeafDraft, timestamp
from bot.core.policy import Policy
from bot.core.proposal import Mode, Proposal
from bot.core.proposal_leaf import leaf_about
from bot.core.states import ActorKind, Event, State, next_state
from bot.core.status import status_line
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.ending import GATE, expire_now, revoke_now
from bot.core.transitions.last_check import last_check
from bot.core.transitions.recheck import Stop
from bot.core.verbs import Verb


@dataclass(frozen=True, slots=True)
class Granted:
    """The grant of ``proposal`` may be handed to its agent."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Ended:
    """There is no grant: ``proposal`` has just ended, and says why."""

    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """``replayed`` is the answer to the same request, told again."""

    proposal: Proposal
    replayed: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The grant permits nothing; ``error`` is what its bearer is told."""

    error: KeyturnError


Grants: TypeAlias = Granted | Ended
Redemption: TypeAlias = Redeemed | Refused


def grant(
    snapshot: Snapshot,
    *,
    proposal_id: ProposalId,
    agent: AgentId,
    policy: Policy,
    verb: Verb | None,
    membership: Membership,
    new: GrantId,
    key: str,
) -> Step[Grants]:
    """Release an approved proposal to its agent; what is released already is handed out again.

    *new* names a grant that is made now, *key* the key that signs it.
    """
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or not proposal.is_of(agent):
        return Refusal(NotFound("There is no such proposal."))
    if proposal.mode is not Mode.RELEASE:
        return Refusal(
            IllegalTransition(
                "Keyturn carries this out itself, so there is no grant.",
                remedy="Wait for the outcome. Do not do it yourself.",
            )
        )
    if proposal.state not in (State.APPROVED, State.RELEASED):
        return Refusal(IllegalTransition(f"There is no grant. {status_line(proposal)}"))
    checked = last_check(snapshot, proposal, policy=policy, verb=verb, membership=membership)
    if isinstance(checked, Stop):
        return _ended(revoke_now(snapshot, proposal, reason=checked.reason))
    if proposal.due_at is not None and snapshot.now >= proposal.due_at:
        return _ended(expire_now(snapshot, proposal))
    if proposal.state is State.RELEASED:
        return Replay(Granted(proposal))
    issued_at = snapshot.now.replace(microsecond=0)
    expires_at = _expiry(proposal, issued_at=issued_at)
    if expires_at <= snapshot.now:
        return _ended(expire_now(snapshot, proposal))
    released = replace(
        proposal,
        state=next_state(proposal.state, Event.GRANT, actor=ActorKind.AGENT),
        grant=Grant(id=new, key=key, issued_at=issued_at, expires_at=expires_at),
        changed_at=snapshot.now,
    )
    return Transition(
        value=Granted(released),
        puts=(released,),
        leaves=(
            leaf_about(
                released,
                "grant.released",
                agent_actor(agent),
                clear={
                    "audience": released.audience,
                    "grant": new,
                    "key": key,
                    "expires_at": timestamp(expires_at),
                    "approved_by": sorted(checked.voters),
                },
            ),
        ),
        effects=(effects.refresh(released.id, released.state),),
    )


def redeem(
    snapshot: Snapshot,
    shown: Presented,
    *,
    server: ResourceServerId,
    action_digest: str,
    redeem_key: str | None,
    deployment: str,
    policy: Policy,
    verb: Verb | None,
    membership: Membership,
) -> Step[Redemption]:
    """Take a grant for what *server* is about to do: once, and only while it is still allowed."""
    known = snapshot.resource_server
    if known is None or not known.active:
        return Refusal(NotAuthenticated("This resource server's credential has been revoked."))
    actor = resource_actor(server)
    proposal = None if shown.proposal is None else snapshot.proposals.get(shown.proposal)
    if proposal is None or proposal.grant is None or proposal.grant.id != shown.grant:
        return _unknown(actor)
    if shown.claims is None or shown.claims != claims_of(proposal, deployment=deployment):
        refused = GrantNotGenuine("Its signature or its claims are not those of a grant.")
        return _refuse(proposal, refused, actor)
    if proposal.audience != known.audience:
        return _refuse(
            proposal, GrantElsewhere("This resource server has another audience."), actor
        )
    if proposal.action_digest != action_digest:
        return _refuse(
            proposal, ActionChanged("What is about to be done is not what was approved."), actor
        )
    if proposal.grant.redeemed_at is not None:
        same = redeem_key is not None and redeem_key == proposal.grant.redeem_key
        if same and proposal.grant.redeemed_by == server:
            return Replay(Redeemed(proposal=proposal, replayed=True))
        return _refuse(proposal, GrantUsed("It has been redeemed once."), actor)
    if proposal.state is not State.RELEASED:
        return _refuse(proposal, _over(proposal), actor)
    checked = last_check(snapshot, proposal, policy=policy, verb=verb, membership=membership)
    if isinstance(checked, Stop):
        ended = revoke_now(snapshot, proposal, reason=checked.reason)
        return _refuse(proposal, GrantRevoked(checked.reason), actor, ended=ended)
    if snapshot.now >= proposal.grant.expires_at:
        ended = expire_now(snapshot, proposal)
        return _refuse(proposal, GrantExpired("It was not redeemed in time."), actor, ended=ended)
    assert verb is not None  # the check above has compared it
    assert verb.release is not None  # the same
    redeemed = replace(
        proposal,
        state=next_state(proposal.state, Event.REDEEM, actor=ActorKind.RESOURCE),
        grant=replace(
            proposal.grant,
            redeemed_by=server,
            redeemed_at=snapshot.now,
            redeem_key=redeem_key,
            report_by=snapshot.now + timedelta(seconds=verb.release.report_within_s),
        ),
        changed_at=snapshot.now,
    )
    return Transition(
        value=Redeemed(proposal=redeemed, replayed=False),
        puts=(redeemed,),
        leaves=(
            leaf_about(
                redeemed,
                "grant.redeemed",
                actor,
                clear={
                    "grant": shown.grant,
                    "audience": redeemed.audience,
                    "action_digest": redeemed.action_digest,
                    "approved_by": sorted(checked.voters),
                },
            ),
        ),
        effects=(effects.refresh(redeemed.id, redeemed.state),),
    )


def wrong_credential(snapshot: Snapshot, shown: Presented, *, deployment: str) -> Step[None]:
    """Record that somebody without a resource server's credential holds a genuine grant."""
    proposal = None if shown.proposal is None else snapshot.proposals.get(shown.proposal)
    if proposal is None or proposal.grant is None or proposal.grant.id != shown.grant:
        return Replay(None)
    if shown.claims != claims_of(proposal, deployment=deployment):
        return Replay(None)
    error = NotAuthenticated("No resource server's credential came with it.")
    step = _refuse(proposal, error, GATE)
    if not isinstance(step, Transition):
        return Replay(None)
    return Transition(value=None, puts=step.puts, leaves=step.leaves)


def _expiry(proposal: Proposal, *, issued_at: datetime) -> datetime:
    """Return when a grant of *issued_at* ends: in whole seconds, and never after ``use_by``."""
    latest = issued_at + timedelta(seconds=MAX_GRANT_S)
    if proposal.use_by is None:
        return latest
    return min(latest, proposal.use_by.replace(microsecond=0))


def _over(proposal: Proposal) -> GrantRefused:
    if proposal.state is State.EXPIRED:
        return GrantExpired("It was not redeemed in time.")
    return GrantRevoked(proposal.reason or "It was stopped.")


def _unknown(actor: Actor) -> Transition[Redemption]:
    error = GrantNotGenuine("This deployment knows no such grant.")
    return Transition(
        value=Refused(error),
        leaves=(LeafDraft(type="grant.refused", actor=actor, clear={"why": error.code}),),
    )


def _refuse(
    proposal: Proposal, error: KeyturnError, actor: Actor, *, ended: Transition[None] | None = None
) -> Step[Redemption]:
    """Return the refusal with its entry; *ended* is what has just ended the proposal."""
    now_is = proposal if ended is None else ended.puts[0]
    assert isinstance(now_is, Proposal)  # an ending puts the ended proposal alone
    grant = now_is.grant
    assert grant is not None  # only grants are refused
    if ended is None and grant.refusals >= MAX_REFUSALS_RECORDED:
        return Refusal(error)
    noted = replace(now_is, grant=replace(grant, refusals=grant.refusals + 1))
    refusal = leaf_about(
        noted, "grant.refused", actor, clear={"grant": grant.id, "why": error.code}
    )
    return Transition(
        value=Refused(error),
        puts=(noted,),
        leaves=(*(() if ended is None else ended.leaves), refusal),
        effects=() if ended is None else ended.effects,
    )


def _ended(step: Transition[None]) -> Transition[Grants]:
    ended = step.puts[0]
    assert isinstance(ended, Proposal)  # an ending puts the ended proposal alone
    return Transition(value=Ended(ended), puts=step.puts, leaves=step.leaves, effects=step.effects)
