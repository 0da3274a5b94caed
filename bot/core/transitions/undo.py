"""A person takes back what was done: with a proposal of their own, which they decide themselves.

Nothing but this makes a proposal that undoes another one. Why its rules are what they are is in
docs/adr/0011-undo.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import effects
from bot.core.actors import Actor, person_actor
from bot.core.approval import PERSON_PREFIX, Approval, Choice, Decision, standing
from bot.core.canonical import Digest
from bot.core.card import content_digest
from bot.core.effective import effective
from bot.core.errors import Halted, IllegalTransition, NotFound
from bot.core.halts import stopped_by
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import LeafDraft
from bot.core.pressed import NotRecorded, Pressed, Recorded
from bot.core.proposal import (
    Action,
    Mode,
    Proposal,
    Rationale,
    action_digest,
    binding_digest,
)
from bot.core.proposal_leaf import leaf_about
from bot.core.states import ActorKind, Event, State, next_state
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions.decision import decision_leaf, names
from bot.core.transitions.submission import submitted_leaf
from bot.core.verbs import Facts, Preview, Verb

#: How long a person who was asked by the operator may take.
ASKED_EXPIRES_S = 3600
USE_WITHIN_S = 900

_UNKNOWN = Digest("")
_STOPPED = "What would undo it is stopped. Somebody has to resume that first."
_UNDER_WAY = frozenset({State.APPROVED, State.EXECUTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDraft:
    """What would take ``original`` back: everything that is known before the store is asked.

    ``verb_then`` is how the original would be carried out today, ``verb`` how the undo is.
    """

    id: ProposalId
    salt: str
    original: ProposalId
    verb_then: Verb | None
    verb: Verb
    action: Action
    facts: Facts
    preview: Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPress:
    """One click on Undo; ``digest_prefix`` is of the original, as on every button of its card."""

    person: PersonId
    digest_prefix: str
    note: str
    chat: str
    max_chars: int


def may_undo(proposal: Proposal, person: PersonId) -> bool:
    """Return whether undoing *proposal* is for *person* to decide: its principal, and whoever
    approved it, each of them alone.
    """
    if proposal.undoes is not None:
        return False
    word = standing(proposal.decisions).get(person)
    return person == proposal.principal or (word is not None and word.choice is Choice.APPROVE)


def why_not(
    snapshot: Snapshot, original: Proposal, person: PersonId, *, verb_then: Verb | None
) -> NotRecorded | None:
    """Return why *person* cannot have *original* undone now, or None.

    An undo that is under way, or has been done, is no reason: see `under_way`.
    """
    if original.undoes is not None:
        return _not(original, "is_an_undo", "An undo cannot be undone.")
    if not may_undo(original, person):
        return _not(original, "not_yours", "This is not yours to undo.")
    if original.state is not State.SUCCEEDED:
        return _not(original, "not_done", "Only what has been done can be undone.")
    if original.undo_until is None:
        return _not(original, "no_undo", "Keyturn cannot undo this.")
    if snapshot.now >= original.undo_until:
        return _not(
            original, "undo_too_late", "The time in which Keyturn can undo this has passed."
        )
    if verb_then is None or verb_then.config_digest != original.verb_digest:
        return _not(
            original,
            "undo_changed",
            "How Keyturn carries this out has changed since it was done, so it cannot undo it. "
            "Undo it by hand.",
        )
    earlier = _earlier(snapshot, original)
    if earlier is not None and earlier.state is State.IN_DOUBT:
        return _not(
            original,
            "undo_in_doubt",
            "It is not known whether undoing it has happened. Look, and settle that first.",
        )
    return None


def under_way(snapshot: Snapshot, original: Proposal) -> str | None:
    """Return what is said about an undo of *original* that is not to be begun a second time."""
    if original.undone_by is None:
        return None
    earlier = _earlier(snapshot, original)
    if earlier is None or earlier.state in _UNDER_WAY:
        # Not asked for: somebody has begun it since the caller looked.
        return "It is being undone."
    return "It has been undone." if earlier.state is State.SUCCEEDED else None


def is_offered(proposal: Proposal, reader: PersonId, *, by: Proposal | None, now: datetime) -> bool:
    """Return whether the card of *proposal* offers Undo to *reader* now; *by* is the last undo."""
    until = proposal.undo_until
    if until is None or now >= until or not may_undo(proposal, reader):
        return False
    return by is None or by.state not in (State.SUCCEEDED, State.IN_DOUBT, *_UNDER_WAY)


def refuse(
    snapshot: Snapshot, original_id: ProposalId, pressed: UndoPress, *, verb_then: Verb | None
) -> Step[Pressed]:
    """Record a click on Undo that does not count, and say why it does not."""
    original = snapshot.proposals.get(original_id)
    if original is None:
        return Refusal(NotFound("There is no such proposal."))
    refused = why_not(snapshot, original, pressed.person, verb_then=verb_then)
    if refused is None:
        refused = _not(original, "card_out_of_date", "This has just changed. Look at it again.")
    return _refused_click(original, pressed, refused)


def press(
    snapshot: Snapshot,
    draft: UndoDraft,
    pressed: UndoPress,
    *,
    deployment: str,
) -> Step[Pressed]:
    """Return what a click on Undo leads to: the proposal and the decision about it in one."""
    original = snapshot.proposals.get(draft.original)
    person = snapshot.person
    if original is None or person is None or not person.active:
        return Refusal(NotFound("There is no such proposal."))
    refused = why_not(snapshot, original, person.id, verb_then=draft.verb_then)
    if refused is not None:
        return _refused_click(original, pressed, refused)
    said = under_way(snapshot, original)
    if said is not None:
        return Replay(Recorded(state=original.state, message=said))
    if not names(original.digest, pressed.digest_prefix):
        words = "This card is not up to date. Open it again, then press Undo."
        return _refused_click(original, pressed, _not(original, "card_out_of_date", words))
    by = person_actor(person.id)
    asked = _proposal(snapshot, draft, original, by=by, deployment=deployment)
    if stopped_by(snapshot.halts, asked) is not None:
        return _refused_click(original, pressed, _not(original, "undo_stopped", _STOPPED))
    decision = Decision(
        person=person.id,
        choice=Choice.APPROVE,
        digest=asked.digest,
        card_digest=content_digest(asked, max_chars=pressed.max_chars),
        reason=pressed.note,
        chat=pressed.chat,
        at=snapshot.now,
    )
    decided = replace(
        asked,
        state=next_state(asked.state, Event.APPROVE, actor=ActorKind.PERSON),
        decisions=(decision,),
        use_by=snapshot.now + timedelta(seconds=USE_WITHIN_S),
    )
    begun = _begin(snapshot, original, asked, by=by)
    return Transition(
        value=Recorded(state=original.state, message="It is being undone now."),
        puts=(*begun.puts, decided),
        leaves=(*begun.leaves, decision_leaf(decided, "decision.approve")),
        effects=(effects.execute(decided.id), *begun.effects),
    )


def ask(
    snapshot: Snapshot,
    draft: UndoDraft,
    *,
    actor: Actor,
    deployment: str,
) -> Step[Proposal]:
    """Ask the person of *snapshot* to decide on an undo; nothing is done before they have.

    An undo that has been asked for already, or is under way or done, is returned as it is.
    """
    original = snapshot.proposals.get(draft.original)
    person = snapshot.person
    if original is None or person is None or not person.active:
        return Refusal(NotFound("There is no such proposal."))
    refused = why_not(snapshot, original, person.id, verb_then=draft.verb_then)
    if refused is not None:
        return Refusal(IllegalTransition(refused.message))
    earlier = _earlier(snapshot, original)
    if earlier is not None and earlier.state in (State.PENDING, State.SUCCEEDED, *_UNDER_WAY):
        return Replay(earlier)
    if under_way(snapshot, original) is not None:
        return Refusal(IllegalTransition("It is being undone."))
    asked = _proposal(snapshot, draft, original, by=actor, deployment=deployment)
    if stopped_by(snapshot.halts, asked) is not None:
        return Refusal(Halted(_STOPPED))
    begun = _begin(snapshot, original, asked, by=actor)
    return Transition(
        value=asked,
        puts=(*begun.puts, asked),
        leaves=begun.leaves,
        effects=(effects.deliver(asked.id), *begun.effects),
    )


def _earlier(snapshot: Snapshot, original: Proposal) -> Proposal | None:
    if original.undone_by is None:
        return None
    earlier = snapshot.proposals.get(original.undone_by)
    if earlier is None:
        return None
    return effective(earlier, halts=snapshot.halts, now=snapshot.now)


def _waiting(snapshot: Snapshot, original: Proposal) -> Proposal | None:
    """Return the undo that somebody was asked for and has not decided about."""
    earlier = _earlier(snapshot, original)
    return earlier if earlier is not None and earlier.state is State.PENDING else None


def _proposal(
    snapshot: Snapshot,
    draft: UndoDraft,
    original: Proposal,
    *,
    by: Actor,
    deployment: str,
) -> Proposal:
    assert snapshot.person is not None  # whoever asks is known
    person = snapshot.person.id
    waiting = _waiting(snapshot, original)
    action = draft.action.canonical()
    proposal = Proposal(
        id=draft.id,
        agent=original.agent,
        proposer=by,
        principal=person,
        mode=Mode.EXECUTE,
        action_json=action.decode(),
        action_digest=action_digest(action),
        digest=_UNKNOWN,
        salt=draft.salt,
        connector=draft.verb.connector,
        kind=draft.verb.kind,
        verb_digest=draft.verb.config_digest,
        facts=draft.facts,
        preview=draft.preview,
        rationale=Rationale(),
        # With a blank in it, which no agent's key can have.
        idempotency_key=f"undo {draft.id}",
        request_digest=action_digest(action),
        policy_digest=snapshot.policy_digest or _UNKNOWN,
        approval=Approval(
            approvers=(f"{PERSON_PREFIX}{person}",),
            expires_s=ASKED_EXPIRES_S,
            use_within_s=USE_WITHIN_S,
        ),
        created_at=snapshot.now,
        expires_at=snapshot.now + timedelta(seconds=ASKED_EXPIRES_S),
        state=State.PENDING,
        supersedes=None if waiting is None else waiting.id,
        undoes=original.id,
        changed_at=snapshot.now,
    )
    return replace(proposal, digest=binding_digest(proposal, deployment=deployment))


def _begin(
    snapshot: Snapshot, original: Proposal, asked: Proposal, *, by: Actor
) -> Transition[None]:
    """Return what *asked* changes around it: the original, and an undo that still waits."""
    marked = replace(original, undone_by=asked.id, changed_at=snapshot.now)
    puts: tuple[Proposal, ...] = (marked,)
    leaves: tuple[LeafDraft, ...] = (submitted_leaf(asked, verb=asked.action.verb),)
    follow = [effects.refresh(original.id, f"undo-{asked.id}")]
    waiting = _waiting(snapshot, original)
    if waiting is not None:
        ended = replace(
            waiting,
            state=next_state(waiting.state, Event.SUPERSEDE, actor=by.kind),
            superseded_by=asked.id,
            changed_at=snapshot.now,
        )
        puts += (ended,)
        leaves += (leaf_about(ended, "proposal.superseded", by, clear={"superseded_by": asked.id}),)
        follow.append(effects.refresh(ended.id, ended.state))
    leaves += (leaf_about(original, "undo.requested", by, clear={"undone_by": asked.id}),)
    return Transition(value=None, puts=puts, leaves=leaves, effects=tuple(follow))


def _refused_click(
    original: Proposal, pressed: UndoPress, refused: NotRecorded
) -> Transition[Pressed]:
    clear = {"choice": "undo", "why": refused.code, "chat": pressed.chat}
    leaf = leaf_about(original, "click.refused", person_actor(pressed.person), clear=clear)
    return Transition(value=refused, leaves=(leaf,))


def _not(proposal: Proposal, code: str, message: str) -> NotRecorded:
    return NotRecorded(code=code, message=message, state=proposal.state)
