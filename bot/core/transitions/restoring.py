"""After a backup was put back: a new log, everything stopped, and nothing left that could be done.

The backup cannot know what was done after it was made. So nothing that was not final in it may
ever be carried out: what nobody had begun is revoked, what may have had its effect is in doubt.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.core import effects
from bot.core.actors import RESTORER, Agent, Person, Token
from bot.core.audit.entries import CARRIED_OVER, LOG_OPENED
from bot.core.errors import IllegalTransition
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.identity import LinkedIdentity
from bot.core.ids import HaltId, ProposalId
from bot.core.leaf import LeafDraft, timestamp
from bot.core.news import with_news
from bot.core.proposal import Outcome, Proposal, Result
from bot.core.states import STOPPABLE, TERMINAL, Event, State, next_state
from bot.core.step import Gone, Record, Replay, Snapshot, Step, Transition
from bot.core.transitions.ending import revoke_now
from bot.core.transitions.execution import outcome_leaf
from bot.core.transitions.linking import identity_leaf
from bot.core.transitions.submission import submitted_leaf

IN_DOUBT_SINCE: Final = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd:
    """A log of ``origin`` had ``size`` entries under ``root``."""

    origin: str
    epoch: int
    size: int
    root: bytes

    def plain(self) -> dict[str, str | int]:
        return {
            "origin": self.origin,
            "epoch": self.epoch,
            "size": self.size,
            "root": self.root.hex(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """The log goes on as ``origin`` where ``before`` ended in the backup of ``made_at``.

    ``known`` is how far the log had come since, as far as anybody knows.
    """

    origin: str
    epoch: int
    before: LogEnd
    known: LogEnd | None
    made_at: datetime

    @property
    def reason(self) -> str:
        return f"Restored from the backup of {timestamp(self.made_at)[:19]}Z."


def open_log(snapshot: Snapshot, reopened: Reopened, *, halt_id: HaltId) -> Step[Halt]:
    """Begin the new log with where it comes from, and stop everything."""
    halt = Halt(
        id=halt_id,
        target=HaltTarget(scope=HaltScope.ALL),
        set_by=RESTORER,
        set_at=snapshot.now,
        reason=reopened.reason,
    )
    opened = LeafDraft(
        type=LOG_OPENED,
        actor=RESTORER,
        clear={
            "origin": reopened.origin,
            "epoch": reopened.epoch,
            "before": reopened.before.plain(),
            "known": None if reopened.known is None else reopened.known.plain(),
            "backup_made_at": timestamp(reopened.made_at),
        },
    )
    stopped = LeafDraft(
        type="halt.set",
        actor=RESTORER,
        clear={"halt": halt.id, "scope": halt.target.scope.value, "connector": None, "via": "cli"},
        private={"reason": halt.reason},
    )
    return Transition(
        value=halt, puts=(halt,), leaves=(opened, stopped), effects=(effects.sweep(halt.id),)
    )


def end_open(
    snapshot: Snapshot, proposal_id: ProposalId, *, reason: str, since: Proposal | None
) -> Step[None]:
    """End what is open without its effect, or doubt it; *since* is what is known of it later."""
    proposal = snapshot.proposals.get(proposal_id)
    if proposal is None or proposal.state in TERMINAL or proposal.state is State.IN_DOUBT:
        return Replay(None)
    told = _told(reason, since)
    if proposal.state in STOPPABLE:
        return with_news(snapshot, revoke_now(snapshot, proposal, reason=told, actor=RESTORER))
    return with_news(snapshot, _doubt(snapshot, proposal, detail=told))


def carry_over(snapshot: Snapshot, since: Proposal, *, reason: str) -> Step[None]:
    """Keep a proposal that the backup does not know, so that its key is answered and not used anew.

    It comes from the database that was replaced. What was open there is ended as in
    :func:`end_open`.
    """
    if snapshot.replayed is not None or since.id in snapshot.proposals or snapshot.agent is None:
        return Replay(None)
    kept = since
    if since.state in STOPPABLE:
        state = next_state(since.state, Event.REVOKE, actor=RESTORER.kind)
        told = _told(reason, since)
        kept = replace(since, state=state, reason=told, reason_by=RESTORER)
    elif since.state not in TERMINAL and since.state is not State.IN_DOUBT:
        kept = _doubted(snapshot, since, detail=_told(reason, since))
    kept = replace(kept, changed_at=snapshot.now)
    leaf = submitted_leaf(kept, verb=kept.action.verb)
    clear = {
        **leaf.clear,
        "proposer": str(kept.proposer),
        "was": since.state.value,
        # What it was linked to may be in the backup, and know nothing of it.
        "supersedes": None,
        "successor_of": None,
    }
    return Transition(
        value=None,
        puts=(kept,),
        leaves=(replace(leaf, type=CARRIED_OVER, actor=RESTORER, clear=clear),),
    )


def narrowed(record: Record, since: Record) -> Record:
    """Return *record* without the rights that it had lost in *since*, the same record later."""
    match record, since:
        case Token(), Token() if since.ends_at is not None:
            ends = since.ends_at if record.ends_at is None else min(record.ends_at, since.ends_at)
            return replace(record, ends_at=ends)
        case Agent(), Agent():
            return replace(
                record,
                active=record.active and since.active,
                principals=tuple(p for p in record.principals if p in since.principals),
                verbs=tuple(v for v in record.verbs if v in since.verbs),
            )
        case Person(), Person():
            return replace(
                record,
                active=record.active and since.active,
                roles=record.roles & since.roles,
                email=record.email if record.email == since.email else None,
            )
        case _:
            return record


def part(linked: LinkedIdentity, since: LinkedIdentity | None) -> Step[None]:
    """Unlink again what was unlinked after the backup; *since* is whose it was later."""
    if since is not None and since.person == linked.person:
        return Replay(None)
    return Transition(
        value=None,
        puts=(Gone(linked),),
        leaves=(identity_leaf("identity.unlinked", linked, RESTORER),),
    )


def narrow(record: Record, since: Record) -> Step[None]:
    """Take away again what was taken away after the backup."""
    after = narrowed(record, since)
    if after == record:
        return Replay(None)
    match after:
        case Token():
            leaf = LeafDraft(type="token.ended", actor=RESTORER, clear={"token": after.id})
        case Agent():
            leaf = LeafDraft(
                type="agent.limits_changed",
                actor=RESTORER,
                agent=after.id,
                clear={
                    "owner": after.owner,
                    "principals": list(after.principals),
                    "verbs": list(after.verbs),
                    "active": after.active,
                },
            )
        case Person() if isinstance(record, Person) and after == replace(record, email=None):
            leaf = LeafDraft(
                type="person.email_set",
                actor=RESTORER,
                clear={"person": after.id, "removed": True},
            )
        case Person():
            leaf = LeafDraft(
                type="person.roles_changed" if after.active else "person.deactivated",
                actor=RESTORER,
                clear={
                    "person": after.id,
                    "roles": sorted(after.roles),
                    "active": after.active,
                },
            )
        case _:
            raise IllegalTransition("Only tokens, agents and people can lose rights.")
    return Transition(value=None, puts=(after,), leaves=(leaf,))


def _doubt(snapshot: Snapshot, proposal: Proposal, *, detail: str) -> Transition[None]:
    lost = _doubted(snapshot, proposal, detail=detail)
    type_ = "grant.outcome" if proposal.state is State.REDEEMED else "execution.outcome"
    return Transition(
        value=None,
        puts=(lost,),
        leaves=(outcome_leaf(lost, type_, actor=RESTORER),),
        effects=(effects.refresh(lost.id, lost.state),),
    )


def _doubted(snapshot: Snapshot, proposal: Proposal, *, detail: str) -> Proposal:
    return replace(
        proposal,
        state=next_state(proposal.state, Event.LOSE, actor=RESTORER.kind),
        outcome=Outcome(
            result=Result.IN_DOUBT, reason=IN_DOUBT_SINCE, detail=detail, at=snapshot.now
        ),
        reason=IN_DOUBT_SINCE,
        reason_by=RESTORER,
        changed_at=snapshot.now,
    )


def _told(reason: str, since: Proposal | None) -> str:
    if since is None:
        return f"{reason} What became of it after that is not known here."
    state = since.state.value.replace("_", " ")
    return f"{reason} The database that it replaced says: {state}."
