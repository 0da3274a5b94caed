"""Erasure: what goes of everything that is kept about one person, and what stays.

What goes: the openings of every entry of the log that names the person, the content of what was
proposed on their behalf, their own words elsewhere, their name. What stays: ids, digests that
nobody can guess a content for, states, times, and every entry of the log, byte for byte; so the
log's root stays too, and verifies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

import orjson

from bot.core import effects
from bot.core.actors import Actor, Agent, Person, ResourceServer, Token, person_actor
from bot.core.approval import Decision
from bot.core.canonical import Digest, Json, digest_of
from bot.core.effects import Effect
from bot.core.errors import Conflict, NotFound
from bot.core.halts import Halt
from bot.core.identity import LinkedIdentity
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import LeafDraft, timestamp
from bot.core.news import with_news
from bot.core.notice import NoticeRoute
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Action, Outcome, Proposal, Rationale
from bot.core.proposal_leaf import leaf_about
from bot.core.states import STOPPABLE, TERMINAL, Event, State, next_state
from bot.core.step import Gone, Record, Refusal, Replay, Snapshot, Step, Transition
from bot.core.verbs import Audience, Facts, Preview

#: The type of the entry that covers what is missing.
PERSON_ERASED: Final = "person.erased"

#: Stands where a content was.
ERASED: Final = "Erased"

ENDED_BECAUSE: Final = "Everything about the person it was for is being erased."
SETTLED_BY_PERSON: Final = "A person found out and recorded it."

#: What an unsalted digest of a content that could be guessed becomes.
NO_DIGEST: Final = Digest("sha256:" + "0" * 64)

_NAMES_A_PERSON: Final = ("principal", "person", "owner", "to")
_NAME_CHARS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """*actor* wants everything about ``person`` gone; ``reason`` is the actor's own text."""

    person: PersonId
    actor: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much goes, or went. ``obstacles`` are sentences about what has to end before.

    ``ended`` counts the proposals that were still open and end with it.
    """

    person: PersonId
    entries: int = 0
    openings: int = 0
    proposals: int = 0
    ended: int = 0
    agents: int = 0
    halts: int = 0
    tokens: int = 0
    identities: int = 0
    obstacles: tuple[str, ...] = ()


def concerns(body: Mapping[str, Json], person: PersonId) -> bool:
    """Return whether an erasure of *person* removes what opens the entry *body*.

    That somebody else erased them is not theirs: the reason for it stays.
    """
    if body.get("actor") == str(person_actor(person)):
        return True
    if body.get("type") == PERSON_ERASED:
        return False
    return any(body.get(name) == person for name in _NAMES_A_PERSON)


class Erasing:
    """One pass over everything that is kept. Whatever does not mention the person may be left out.

    A store gives every leaf that has openings to :meth:`leaf` and every record to
    :meth:`record`, then runs :meth:`step`, all in one commit.
    """

    def __init__(self, person: PersonId) -> None:
        self._person = person
        self._openings = 0
        self._is_active = False
        self._replaced: list[Record] = []
        self._open: list[Proposal] = []
        self._obstacles: list[str] = []
        #: The entries whose openings go, in the order of the log.
        self.indexes: list[int] = []

    def leaf(self, index: int, body: bytes, *, openings: int) -> None:
        if concerns(orjson.loads(body), self._person):
            self.indexes.append(index)
            self._openings += openings

    def record(self, record: Record) -> None:
        match record:
            case Proposal():
                self._proposal(record)
            case Agent():
                self._agent(record)
            case Halt():
                self._replace(record, _halt_without(record, person_actor(self._person)))
            case Token():
                if record.holder == self._person and record.ends_at is None:
                    self._replaced.append(record)
            case Person():
                if record.id == self._person:
                    self._is_active = record.active
                    self._replace(record, _nobody(record))
            case LinkedIdentity():
                if record.person == self._person:
                    self._replaced.append(Gone(record))
            case ResourceServer() | PolicyVersion() | NoticeRoute() | Gone():
                pass
            case _:
                assert_never(record)

    @property
    def found(self) -> Erased:
        """What would go."""
        return Erased(
            person=self._person,
            entries=len(self.indexes),
            openings=self._openings,
            proposals=self._count(Proposal),
            ended=len(self._open),
            agents=self._count(Agent),
            halts=self._count(Halt),
            tokens=self._count(Token),
            identities=self._count(Gone),
            obstacles=tuple(self._obstacles),
        )

    def step(self, snapshot: Snapshot, erasure: Erasure) -> Step[Erased]:
        """Return the transition that leaves nothing; the openings themselves the store removes."""
        if snapshot.person is None:
            return Refusal(NotFound("There is no such person."))
        found = self.found
        if self._obstacles:
            return Refusal(Conflict(_blocked(self._obstacles), remedy=_END_FIRST))
        if not self.indexes and not self._replaced:
            return Replay(found)
        ended = [_ended(proposal, erasure.actor, snapshot.now) for proposal in self._open]
        over = {proposal.id: proposal for proposal in ended}
        puts = tuple(_put(record, over, now=snapshot.now) for record in self._replaced)
        covering = LeafDraft(
            type=PERSON_ERASED,
            actor=erasure.actor,
            clear={
                "person": self._person,
                "entries": found.entries,
                "openings": found.openings,
                "covers": digest_of(self.indexes),
                "proposals": found.proposals,
                "active_before": self._is_active,
            },
            private={"reason": erasure.reason},
        )
        made = Transition(
            value=found,
            puts=puts,
            leaves=(*(_ended_leaf(one, erasure.actor) for one in ended), covering),
            effects=tuple(_shown_anew(puts)),
        )
        # Only what ends is news.
        same = {p.id: p for p in puts if isinstance(p, Proposal) and p.id not in over}
        return with_news(replace(snapshot, proposals=same), made)

    def _proposal(self, proposal: Proposal) -> None:
        is_theirs = _is_theirs(proposal, self._person)
        if is_theirs and proposal.state in STOPPABLE:
            self._open.append(proposal)
        elif is_theirs and proposal.state not in TERMINAL:
            self._obstacles.append(_IN_THE_WAY[proposal.state].format(proposal.id))
        without = _content_erased(proposal) if is_theirs else _words_erased(proposal, self._person)
        self._replace(proposal, without)

    def _agent(self, agent: Agent) -> None:
        if agent.owner != self._person:
            return
        if agent.active:
            self._obstacles.append(f"The agent {agent.name} is theirs and still active.")
        name = f"erased-{agent.id[-_NAME_CHARS:]}"
        self._replace(agent, replace(agent, name=name, purpose=ERASED, webhook=None))

    def _replace(self, before: Record, after: Record) -> None:
        if after != before:
            self._replaced.append(after)

    def _count(self, kind: type[Record]) -> int:
        return sum(isinstance(record, kind) for record in self._replaced)


def _is_theirs(proposal: Proposal, person: PersonId) -> bool:
    return proposal.principal == person or proposal.proposer == person_actor(person)


def _content_erased(proposal: Proposal) -> Proposal:
    """Return *proposal* with nothing but ids, states, times and digests that cannot be guessed."""
    verb = proposal.action.verb
    action = Action(verb=verb, resource=ERASED.lower(), params={})
    reach = proposal.facts.audience.reach
    return replace(
        proposal,
        action_json=action.canonical().decode(),
        # Without its salt, the digest that was approved says nothing about the content any more.
        salt="",
        action_digest=NO_DIGEST,
        request_digest=NO_DIGEST,
        facts=Facts(audience=Audience(reach=reach, who=ERASED)),
        preview=Preview(effect=ERASED, target=ERASED, reversible=ERASED),
        rationale=Rationale(),
        etag=None,
        correlation=None,
        # Nobody can propose for them any more, so no retry needs it.
        idempotency_key=f"erased {proposal.id}",
        reason=None,
        undeliverable=None if proposal.undeliverable is None else ERASED,
        decisions=tuple(replace(decision, reason="") for decision in proposal.decisions),
        outcome=None if proposal.outcome is None else _outcome_erased(proposal.outcome),
        # What was written is not known any more, so it cannot be taken back.
        undo_window_s=None,
        erased=True,
    )


def _words_erased(proposal: Proposal, person: PersonId) -> Proposal:
    """Return another person's *proposal* without what *person* wrote about it."""
    outcome = proposal.outcome
    if outcome is not None and outcome.settled_by == person:
        outcome = replace(outcome, detail=SETTLED_BY_PERSON)
    return replace(
        proposal,
        reason=None if _is_word_of(person, proposal) else proposal.reason,
        decisions=tuple(_word_erased(decision, person) for decision in proposal.decisions),
        outcome=outcome,
    )


def _is_word_of(person: PersonId, proposal: Proposal) -> bool:
    # A settlement's reason is a code.
    return proposal.reason_by == person_actor(person) and proposal.outcome is None


def _word_erased(decision: Decision, person: PersonId) -> Decision:
    return replace(decision, reason="") if decision.person == person else decision


def _outcome_erased(outcome: Outcome) -> Outcome:
    return replace(outcome, detail="", reference=None)


def _halt_without(halt: Halt, who: Actor) -> Halt:
    is_about = halt.target.principal == who.id
    return replace(
        halt,
        reason=ERASED if is_about or halt.set_by == who else halt.reason,
        resume_reason=(
            ERASED
            if halt.resume_reason is not None and (is_about or halt.resumed_by == who)
            else halt.resume_reason
        ),
    )


def _nobody(person: Person) -> Person:
    return replace(
        person,
        handle=f"erased-{person.id[-_NAME_CHARS:]}",
        display_name="Erased person",
        roles=frozenset(),
        active=False,
        email=None,
    )


def _put(record: Record, over: Mapping[ProposalId, Proposal], *, now: datetime) -> Record:
    match record:
        case Token():
            return replace(record, ends_at=now)
        case Proposal():
            how = over.get(record.id)
            if how is None:
                return replace(record, changed_at=now)
            return replace(record, state=how.state, reason_by=how.reason_by, changed_at=now)
        case _:
            return record


def _ended(proposal: Proposal, actor: Actor, now: datetime) -> Proposal:
    state = next_state(proposal.state, Event.REVOKE, actor=actor.kind)
    return replace(proposal, state=state, reason=None, reason_by=actor, changed_at=now)


def _ended_leaf(ended: Proposal, actor: Actor) -> LeafDraft:
    return leaf_about(ended, "proposal.revoked", actor, clear={"why": ENDED_BECAUSE})


def _shown_anew(puts: Iterable[Record]) -> Iterable[Effect]:
    for record in puts:
        if isinstance(record, Proposal) and record.deliveries:
            yield effects.refresh(record.id, f"erased-{timestamp(record.changed_at)}")


def _blocked(obstacles: list[str]) -> str:
    told = " ".join(obstacles[:_MOST_TOLD])
    more = len(obstacles) - _MOST_TOLD
    return f"Something has to end first. {told}" + (f" And {more} more." if more > 0 else "")


_MOST_TOLD: Final = 5
_END_FIRST: Final = (
    "Wait for what is being carried out, settle what is in doubt in the inbox (afterwards nobody "
    "could tell any more what it was), and revoke agents with `keyturn agent revoke`. Then do it "
    "again."
)
_IN_THE_WAY: Final = {
    State.EXECUTING: "The proposal {} is being carried out.",
    State.REDEEMED: "The outcome of the proposal {} is not reported yet.",
    State.IN_DOUBT: "The proposal {} is in doubt.",
}
