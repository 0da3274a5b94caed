"""The lives of proposals as the log tells them, held against the table of states."""

from collections.abc import Mapping
from typing import Any, Final

from bot.core.approval import AGENT_OWNER, GROUP_PREFIX, PERSON_PREFIX, PRINCIPAL, ApprovalMode
from bot.core.audit.entries import BEGINS, CARRIED_OVER, CARRIES_OVER, DECISIONS, OF_PROPOSALS
from bot.core.audit.problems import Fault, Problems
from bot.core.audit.register import Register
from bot.core.states import TERMINAL, TRANSITIONS, ActorKind, State

_STATES: Final[Mapping[str, State]] = {state.value: state for state in State}
_OVER: Final = frozenset(state.value for state in TERMINAL)
#: Plain strings and dictionaries, which are compared and looked up faster than enumerations.
_BEGINS: Final = {state.value: (state, asks) for state, asks in BEGINS.items()}
_KNOWN_TYPES: Final = frozenset(OF_PROPOSALS)
_PERSON: Final = f"{ActorKind.PERSON.value}:"
_AGENT: Final = f"{ActorKind.AGENT.value}:"
_FOUR_EYES: Final = ApprovalMode.FOUR_EYES.value

#: For each type of entry that may lead from one state to another: the kinds of actors that may
#: cause it; None for a state that it may keep.
_ALLOWED: Final[Mapping[tuple[str, str, str], frozenset[str] | None]] = {
    **{
        (type_, before.value, way.to.value): frozenset(
            actor.value
            for other in kind.moves
            if (found := ways.get(other)) is not None and found.to is way.to
            for actor in found.actors
        )
        for type_, kind in OF_PROPOSALS.items()
        for before, ways in TRANSITIONS.items()
        for event, way in ways.items()
        if event in kind.moves
    },
    **{
        (type_, kept.value, kept.value): None
        for type_, kind in OF_PROPOSALS.items()
        for kept in kind.keeps
    },
}
_NOBODY: Final[frozenset[str]] = frozenset({""})


class _Life:
    """One proposal so far; what can only matter while it is open is dropped at its end."""

    __slots__ = (
        "agent",
        "approval",
        "attempts",
        "cards",
        "connector",
        "digest",
        "name",
        "principal",
        "proposer",
        "state",
        "superseded_by",
        "supersedes",
        "undoes",
        "words",
    )

    def __init__(self, state: State, body: Mapping[str, Any]) -> None:
        self.state = state
        #: The state as entries name it.
        self.name = state.value
        self.digest: str = body["digest"]
        self.agent: str = body["agent"]
        self.principal: str = body["principal"]
        self.proposer: str = body["actor"]
        self.connector: str = body["connector"]
        self.approval: Mapping[str, Any] | None = body["approval"]
        self.supersedes: str | None = body.get("supersedes")
        self.undoes: str | None = body.get("undoes")
        self.superseded_by: str | None = None
        self.attempts: tuple[int, ...] = ()
        #: The last word of each person: whether it approves, and which digest.
        self.words: dict[str, tuple[bool, str]] = {}
        #: The digest of the card that was posted to a person in a chat.
        self.cards: dict[tuple[str, str], str] = {}

    def end(self) -> None:
        self.words = {}
        self.cards = {}


class Lives:
    """Follows every entry about a proposal, in the order of the log."""

    __slots__ = ("_lives", "_problems", "_register", "_whole")

    def __init__(self, problems: Problems, register: Register, *, whole: bool) -> None:
        self._problems = problems
        self._register = register
        self._whole = whole
        self._lives: dict[str, _Life] = {}

    def follow(self, index: int, type_: str, body: Mapping[str, Any]) -> None:
        """Read one entry about a proposal."""
        proposal = body["proposal"]
        if type_ == "proposal.submitted":
            self._begin(index, proposal, body)
            return
        if type_ == CARRIED_OVER:
            self._carry_over(index, proposal, body)
            return
        life = self._lives.get(proposal)
        if life is None:
            what = f"is about the proposal {proposal}, which was never submitted"
            self._add(index, Fault.UNKNOWN_PROPOSAL, what)
            return
        if body.get("digest", life.digest) != life.digest:
            self._add(index, Fault.WRONG_DIGEST, "names another digest than was proposed")
        before = life.name
        name = body.get("state", before)
        after = _STATES.get(name)
        if after is None:
            self._add(index, Fault.IMPOSSIBLE_STEP, f"names a state that is none: {name}")
            return
        match type_:
            case "decision.approve" | "decision.reject":
                self._hear(index, life, type_, after, body)
            case "card.posted":
                life.cards[body["to"], body["chat"]] = body["card_digest"]
            case "execution.intent":
                self._intend(index, life, after, body)
            case "execution.outcome" | "execution.late_report":
                self._report(index, life, type_, body)
            case "grant.released" | "grant.redeemed":
                self._require_permission(index, life, body)
            case "proposal.superseded":
                self._supersede(index, proposal, life, body)
            case _:
                pass
        self._move(index, life, type_, name, body)
        if name in _OVER and before not in _OVER:
            life.end()

    def state_of(self, proposal: str) -> State | None:
        life = self._lives.get(proposal)
        return None if life is None else life.state

    def close(self) -> None:
        """Check what only the end of the log can tell."""
        for proposal, life in self._lives.items():
            old = None if life.supersedes is None else self._lives.get(life.supersedes)
            denied = life.state is State.DENIED
            if old is not None and not denied and old.superseded_by not in (None, proposal):
                what = f"{proposal} supersedes {life.supersedes}, which names another"
                self._add(None, Fault.BROKEN_LINK, what)
            elif old is not None and not denied and old.superseded_by is None:
                what = f"{proposal} supersedes {life.supersedes}, which does not say so"
                self._add(None, Fault.BROKEN_LINK, what)

    def _begin(self, index: int, proposal: str, body: Mapping[str, Any]) -> None:
        if proposal in self._lives:
            what = f"submits the proposal {proposal} a second time"
            self._add(index, Fault.SUBMITTED_TWICE, what)
            return
        beginning = _BEGINS.get(body["state"])
        if beginning is None:
            self._add(index, Fault.IMPOSSIBLE_STEP, f"no proposal begins as {body['state']}")
            beginning = _BEGINS[State.DENIED]
        state, asks = beginning
        if asks is not None and asks is (body["approval"] is None):
            what = f"begins as {state} {'without' if asks else 'with'} an approval to ask for"
            self._add(index, Fault.IMPOSSIBLE_STEP, what)
        self._register.require_agent(index, body["agent"])
        self._register.require_person(index, body["principal"])
        self._lives[proposal] = life = _Life(state, body)
        self._check_links(index, life, body)

    def _carry_over(self, index: int, proposal: str, body: Mapping[str, Any]) -> None:
        """Take in a proposal that a restore knew from the database it replaced."""
        state = _STATES.get(body["state"])
        if self._whole and not self._register.is_reopened:
            self._add(index, Fault.IMPOSSIBLE_STEP, "is carried over, and no backup was restored")
        if proposal in self._lives:
            self._add(index, Fault.SUBMITTED_TWICE, f"carries over {proposal}, which is known")
        elif state is None or state not in CARRIES_OVER:
            what = f"carries over a proposal that is {body['state']}"
            self._add(index, Fault.IMPOSSIBLE_STEP, what)
        else:
            self._lives[proposal] = _Life(state, {**body, "actor": body["proposer"]})

    def _check_links(self, index: int, life: _Life, body: Mapping[str, Any]) -> None:
        if not self._whole:
            return
        for name in ("supersedes", "successor_of"):
            earlier = body.get(name)
            if earlier is None:
                continue
            found = self._lives.get(earlier)
            # Whoever may undo it may replace an undo that another of them was asked for.
            same = life.undoes is not None or (found and found.principal == life.principal)
            if found is None or found.agent != life.agent or not same:
                what = f"{name} {earlier} of this agent and person, and there is none"
                self._add(index, Fault.BROKEN_LINK, what)
            elif name == "successor_of" and found.state is not State.FAILED:
                what = f"succeeds {earlier}, which had not failed"
                self._add(index, Fault.BROKEN_LINK, what)
        if life.undoes is not None:
            self._check_undo(index, life, self._lives.get(life.undoes))

    def _check_undo(self, index: int, life: _Life, undone: _Life | None) -> None:
        """Check that an undo is of something done, and that no agent asked for it."""
        if undone is None or undone.agent != life.agent or undone.state is not State.SUCCEEDED:
            what = f"undoes {life.undoes}, and this agent has done nothing of that name"
            self._add(index, Fault.BROKEN_LINK, what)
        elif undone.undoes is not None:
            self._add(index, Fault.BROKEN_LINK, f"undoes {life.undoes}, which is an undo")
        if life.proposer.startswith(_AGENT):
            self._add(index, Fault.WRONG_ACTOR, f"an undo asked for by {life.proposer}")

    def _supersede(self, index: int, proposal: str, life: _Life, body: Mapping[str, Any]) -> None:
        life.superseded_by = body.get("superseded_by")
        newer = self._lives.get(life.superseded_by or "")
        if newer is None and not self._whole:
            return
        if newer is None or newer.supersedes != proposal:
            what = f"is superseded by {life.superseded_by}, which does not say so"
            self._add(index, Fault.BROKEN_LINK, what)

    def _hear(
        self, index: int, life: _Life, type_: str, after: State, body: Mapping[str, Any]
    ) -> None:
        """Take in a person's decision."""
        actor: str = body["actor"]
        person = actor.removeprefix(_PERSON)
        if person == actor:
            self._add(index, Fault.WRONG_ACTOR, f"a decision by {actor}")
        if life.state is not State.PENDING:
            return  # told by _move
        approves = type_ == "decision.approve"
        if body.get("digest") is None:
            self._add(index, Fault.WRONG_DIGEST, "a decision that names no digest")
        if approves and life.words.get(person) == (True, body.get("digest")):
            self._add(index, Fault.APPROVED_TWICE, f"{person} had approved before")
        shown = life.cards.get((person, body["chat"]))
        if shown is not None and shown != body["card_digest"]:
            what = f"{person} decided on another card than was posted to them in {body['chat']}"
            self._add(index, Fault.WRONG_CARD, what)
        life.words[person] = (approves, body.get("digest", ""))
        if after is State.APPROVED:
            have, need = len(_approving(life)), _needed(life)
            if have < need:
                what = f"approved by {have} of {need} people"
                self._add(index, Fault.APPROVED_WITHOUT_QUORUM, what)

    def _intend(self, index: int, life: _Life, after: State, body: Mapping[str, Any]) -> None:
        life.attempts = (*life.attempts, body["attempt"])
        if after is not State.EXECUTING or life.state is State.EXECUTING:
            return  # a take-over, or told by _move
        if life.state is State.APPROVED:
            self._require_permission(index, life, body)

    def _require_permission(self, index: int, life: _Life, body: Mapping[str, Any]) -> None:
        """Check that no halt and no missing approval stood against what begins here."""
        if life.undoes is not None or life.proposer.startswith(_AGENT):
            halt = self._register.halts_on(
                # An undo is not stopped by a stop of the agent.
                agent=life.agent if life.undoes is None else "",
                principal=life.principal,
                connector=life.connector,
            )
            if halt is not None:
                self._add(index, Fault.INTENT_WHILE_HALTED, f"begun while {halt} was in force")
        if life.approval is None:
            return
        named = body.get("approved_by", [])
        counted = _approving(life).intersection(named)
        for person in named:
            if person not in counted:
                what = f"counts {person}, whose last word does not approve this digest"
                self._add(index, Fault.INTENT_WITHOUT_QUORUM, what)
            elif not self._may_approve(life, person):
                what = f"counts {person}, who may not approve it"
                self._add(index, Fault.INTENT_WITHOUT_QUORUM, what)
        if len(counted) < _needed(life):
            what = f"approved by {len(counted)} of {_needed(life)} people"
            self._add(index, Fault.INTENT_WITHOUT_QUORUM, what)

    def _may_approve(self, life: _Life, person: str) -> bool:
        """Return whether the rule lets *person* approve, as far as the log can tell.

        Who is in a group is not in the log.
        """
        assert life.approval is not None  # only asked about a hold
        approvers, excluded = life.approval["approvers"], life.approval["exclude"]
        owner = self._register.owners.get(life.agent)
        terms = {PERSON_PREFIX + person}
        if person == life.principal:
            terms.add(PRINCIPAL)
        if person == owner:
            terms.add(AGENT_OWNER)
        if not terms.isdisjoint(excluded):
            return False
        if life.approval["mode"] == _FOUR_EYES and person in (life.principal, owner):
            return False
        if not terms.isdisjoint(approvers):
            return True
        return any(term.startswith(GROUP_PREFIX) for term in approvers)

    def _report(self, index: int, life: _Life, type_: str, body: Mapping[str, Any]) -> None:
        if type_ == "execution.outcome" and life.state is not State.EXECUTING:
            return  # told by _move
        if body["attempt"] in life.attempts[-1 if type_ == "execution.outcome" else 0 :]:
            return
        what = f"reports attempt {body['attempt']}, which was not begun"
        self._add(index, Fault.OUTCOME_WITHOUT_INTENT, what)

    def _move(
        self, index: int, life: _Life, type_: str, name: str, body: Mapping[str, Any]
    ) -> None:
        before, name_before = life.state, life.name
        after = _STATES[name]
        life.state, life.name = after, name
        if type_ not in _KNOWN_TYPES:
            self._register.note_unknown(type_)
            if after is not before:
                what = f"the unknown type {type_} changes {before} to {after}"
                self._add(index, Fault.IMPOSSIBLE_STEP, what)
            return
        actors = _ALLOWED.get((type_, name_before, name), _NOBODY)
        if actors is _NOBODY:
            self._add(index, _named(type_, before), f"{type_} changes {before} to {after}")
        elif actors is not None and body["actor"].partition(":")[0] not in actors:
            what = f"{type_} by {body['actor']} changes {before} to {after}"
            self._add(index, Fault.WRONG_ACTOR, what)

    def _add(self, index: int | None, fault: Fault, what: str) -> None:
        self._problems.add(index, fault, what)


def _named(type_: str, before: State) -> Fault:
    """Return the name of a step that the table does not have."""
    if type_ in DECISIONS and before is not State.PENDING:
        return Fault.DECISION_AFTER_END
    if type_ == "execution.intent" and before is State.PENDING:
        return Fault.INTENT_WITHOUT_APPROVAL
    if type_ == "execution.outcome" and before is not State.EXECUTING:
        return Fault.OUTCOME_WITHOUT_INTENT
    if type_ == "settlement" and before is not State.IN_DOUBT:
        return Fault.SETTLED_WITHOUT_DOUBT
    return Fault.IMPOSSIBLE_STEP


def _approving(life: _Life) -> set[str]:
    approves = (True, life.digest)
    return {person for person, word in life.words.items() if word == approves}


def _needed(life: _Life) -> int:
    return 1 if life.approval is None else max(1, int(life.approval["count"]))
