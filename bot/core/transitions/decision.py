"""A person's word: counted once, on exactly the digest they were shown, or refused with why."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core import effects
from bot.core.actors import person_actor
from bot.core.approval import (
    Choice,
    Decision,
    Membership,
    Stakes,
    eligible,
    quorum_met,
    standing,
    votes,
)
from bot.core.canonical import Digest
from bot.core.card import content_digest, is_cut
from bot.core.effective import effective
from bot.core.errors import NotFound
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import LeafDraft
from bot.core.policy import Policy
from bot.core.pressed import NotRecorded, Pressed, Recorded
from bot.core.proposal import Mode, Proposal, Viewed
from bot.core.proposal_leaf import leaf_about
from bot.core.states import TERMINAL, ActorKind, Event, State, next_state
from bot.core.status import WORDING, status_line
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.announcing import NOT_MINE
from bot.core.transitions.ending import expire_now, revoke_now
from bot.core.transitions.recheck import policy_in_force, stop_for
from bot.core.verbs import Verb

MIN_DIGEST_PREFIX = 16

_REJECTED = "Rejected. Nothing was done, and the agent is told."
_CARRIED_OUT_NOW = "Approved. It is carried out now."
_NOT_MINE = "Reported as not yours. Nothing was done, and the agent is told."


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One click on Approve or Reject; ``max_chars`` is what their card had room for.

    ``not_mine``: it is rejected because the person says that it is not theirs at all.
    """

    proposal: ProposalId
    person: PersonId
    choice: Choice
    digest_prefix: str
    reason: str
    chat: str
    max_chars: int
    not_mine: bool = False


def decide(
    snapshot: Snapshot,
    vote: Vote,
    *,
    policy: Policy,
    verb: Verb | None,
    membership: Membership,
) -> Step[Pressed]:
    """Return what *vote* leads to now. Nothing here raises for what a person can do."""
    proposal = snapshot.proposals.get(vote.proposal)
    person = snapshot.person
    if proposal is None or person is None or not person.active:
        return Refusal(NotFound("There is no such proposal."))
    agent = snapshot.agent
    among: frozenset[PersonId] = frozenset()
    if proposal.approval is not None and agent is not None:
        among = eligible(proposal.approval, stakes_of(proposal, owner=agent.owner), membership)

    if proposal.state is not State.PENDING:
        return _too_late(snapshot, proposal, vote)
    policy_in_force(snapshot, policy)
    stop = stop_for(proposal, snapshot=snapshot, agent=agent, policy=policy, verb=verb)
    if stop is not None:
        revoked = revoke_now(snapshot, proposal, reason=stop.reason)
        return replace_value(revoked, _not("revoked", stop.reason, State.REVOKED))
    if proposal.expires_at is not None and snapshot.now >= proposal.expires_at:
        expired = expire_now(snapshot, proposal)
        return replace_value(
            expired,
            _not(
                "expired",
                "Nobody answered in time, so it has ended. Nothing was done. "
                "The agent may ask again.",
                State.EXPIRED,
            ),
        )
    if vote.person not in among:
        return _refused_click(
            proposal, vote, _not("not_yours", "This decision is not yours to make.", proposal.state)
        )
    if not names(proposal.digest, vote.digest_prefix):
        return _refused_click(
            proposal,
            vote,
            _not(
                "card_out_of_date",
                "This card is not up to date. Open it again, then decide.",
                proposal.state,
            ),
        )
    earlier = standing(proposal.decisions).get(vote.person)
    if earlier is not None and earlier.choice is vote.choice:
        return Replay(Recorded(state=proposal.state, message=_waiting_for_others(proposal, among)))
    if vote.choice is Choice.REJECT:
        return _reject(snapshot, proposal, vote)
    if is_cut(proposal, max_chars=vote.max_chars) and not proposal.has_viewed(vote.person):
        return _refused_click(
            proposal,
            vote,
            _not(
                "full_view_first",
                "Some of it is not on the card. Read the full view to its end, then approve.",
                proposal.state,
            ),
        )
    return _approve(snapshot, proposal, vote, among)


def view(snapshot: Snapshot, *, proposal_id: ProposalId, person: PersonId, chat: str) -> Step[None]:
    """Record that *person* was served the last page of the full view."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None:
        return Refusal(NotFound("There is no such proposal."))
    if proposal.has_viewed(person) or proposal.state in TERMINAL:
        return Replay(None)
    seen = Viewed(person=person, digest=proposal.digest, chat=chat, at=snapshot.now)
    return Transition(
        value=None,
        puts=(replace(proposal, views=(*proposal.views, seen), changed_at=snapshot.now),),
        leaves=(leaf_about(proposal, "card.viewed", person_actor(person), clear={"chat": chat}),),
        # It may have been read elsewhere than where the card is, which may be approved only now.
        effects=(effects.refresh(proposal.id, f"viewed-{len(proposal.views) + 1}"),),
    )


def stakes_of(proposal: Proposal, *, owner: PersonId) -> Stakes:
    proposer = (
        PersonId(proposal.proposer.id) if proposal.proposer.kind is ActorKind.PERSON else None
    )
    return Stakes(principal=proposal.principal, owner=owner, proposer=proposer)


def replace_value(step: Transition[None], value: Pressed) -> Transition[Pressed]:
    return Transition(
        value=value,
        puts=step.puts,
        leaves=step.leaves,
        effects=step.effects,
        done=step.done,
        postponed=step.postponed,
    )


def _approve(
    snapshot: Snapshot, proposal: Proposal, vote: Vote, among: frozenset[PersonId]
) -> Transition[Pressed]:
    approval = proposal.approval
    assert approval is not None  # only a hold makes a proposal pending
    decided = replace(
        proposal,
        decisions=(*proposal.decisions, _decision(snapshot, proposal, vote)),
        changed_at=snapshot.now,
    )
    met = quorum_met(approval, decided.decisions, digest=proposal.digest, among=among)
    if met:
        decided = replace(
            decided,
            state=next_state(proposal.state, Event.APPROVE, actor=ActorKind.PERSON),
            use_by=snapshot.now + timedelta(seconds=approval.use_within_s),
        )
    occasion = f"vote-{len(decided.decisions)}"
    follow = (effects.refresh(proposal.id, occasion),)
    message = _approved(decided.mode) if met else _waiting_for_others(decided, among)
    return Transition(
        value=Recorded(state=decided.state, message=message),
        puts=(decided,),
        leaves=(decision_leaf(decided, "decision.approve"),),
        # A release waits for its agent to ask for the grant.
        effects=(
            (effects.execute(proposal.id), *follow)
            if met and proposal.mode is Mode.EXECUTE
            else follow
        ),
    )


def _reject(snapshot: Snapshot, proposal: Proposal, vote: Vote) -> Transition[Pressed]:
    decided = replace(
        proposal,
        decisions=(*proposal.decisions, _decision(snapshot, proposal, vote)),
        state=next_state(proposal.state, Event.REJECT, actor=ActorKind.PERSON),
        reason=vote.reason or None,
        reason_by=person_actor(vote.person),
        changed_at=snapshot.now,
    )
    leaf = decision_leaf(decided, "decision.reject")
    return Transition(
        value=Recorded(state=decided.state, message=_NOT_MINE if vote.not_mine else _REJECTED),
        puts=(decided,),
        leaves=(replace(leaf, clear={**leaf.clear, "why": NOT_MINE}) if vote.not_mine else leaf,),
        effects=effects.refresh_all(decided),
    )


def _decision(snapshot: Snapshot, proposal: Proposal, vote: Vote) -> Decision:
    return Decision(
        person=vote.person,
        choice=vote.choice,
        digest=proposal.digest,
        card_digest=content_digest(proposal, max_chars=vote.max_chars),
        reason=vote.reason,
        chat=vote.chat,
        at=snapshot.now,
    )


def decision_leaf(decided: Proposal, type_: str) -> LeafDraft:
    """Return the entry about the last decision of *decided*."""
    decision = decided.decisions[-1]
    return leaf_about(
        decided,
        type_,
        person_actor(decision.person),
        clear={"card_digest": decision.card_digest, "chat": decision.chat},
        private={"reason": decision.reason},
    )


def _too_late(snapshot: Snapshot, proposal: Proposal, vote: Vote) -> Step[Pressed]:
    # A halt or a clock may have ended what the row still calls approved.
    now_is = effective(proposal, halts=snapshot.halts, now=snapshot.now)
    earlier = standing(proposal.decisions).get(vote.person)
    if earlier is not None and earlier.choice is vote.choice:
        return Replay(Recorded(state=now_is.state, message=status_line(now_is)))
    last = proposal.decisions[-1] if proposal.decisions else None
    may_ask = last is None and WORDING[now_is.state].may_resubmit
    way_on = " The agent may ask again." if may_ask else ""
    return _refused_click(
        proposal,
        vote,
        NotRecorded(
            code="already_decided" if last is not None else "already_ended",
            message=f"Too late to change it. {status_line(now_is)}{way_on}",
            state=now_is.state,
            decided_by=last.person if last is not None else None,
        ),
    )


def _refused_click(proposal: Proposal, vote: Vote, refused: NotRecorded) -> Transition[Pressed]:
    return Transition(
        value=refused,
        leaves=(
            LeafDraft(
                type="click.refused",
                actor=person_actor(vote.person),
                proposal=proposal.id,
                agent=proposal.agent,
                principal=proposal.principal,
                clear={
                    "choice": vote.choice.value,
                    "why": refused.code,
                    "chat": vote.chat,
                    "state": proposal.state.value,
                },
            ),
        ),
    )


def _approved(mode: Mode) -> str:
    # It stays on the page while the card goes on: it must not be less than what came of it.
    return _CARRIED_OUT_NOW if mode is Mode.EXECUTE else WORDING[State.APPROVED].for_people


def _not(code: str, message: str, state: State) -> NotRecorded:
    return NotRecorded(code=code, message=message, state=state)


def names(digest: Digest, prefix: str) -> bool:
    """Return whether *prefix* is long enough, and begins *digest*."""
    hexadecimal = digest.removeprefix("sha256:")
    return len(prefix) >= MIN_DIGEST_PREFIX and hexadecimal.startswith(prefix)


def _waiting_for_others(proposal: Proposal, among: frozenset[PersonId]) -> str:
    approval = proposal.approval
    assert approval is not None  # only a hold makes a proposal pending
    have = len(votes(proposal.decisions, digest=proposal.digest, among=among))
    return f"Your approval is recorded. {have} of {approval.count} people have approved."
