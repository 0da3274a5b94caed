"""Every order in which two people, an agent, the clocks and two workers can act on one proposal.

The state is small and immutable; each move runs one of the real, pure steps on it, and applies
what the step returns as a store would. Breadth first, so that the first fault found has the
shortest story.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from bot.core import effects
from bot.core.actors import Agent, Person, agent_actor, person_actor
from bot.core.approval import Approval, ApprovalMode, Choice, Membership, eligible, votes
from bot.core.effects import Effect, EffectKind, Lease
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.ids import HaltId
from bot.core.policy import Policy
from bot.core.policy_file import parse_policy
from bot.core.proposal import Outcome, Proposal, Result
from bot.core.states import TERMINAL, State
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.transitions import decision, ending, execution, settlement
from bot.core.transitions.decision import Vote, stakes_of
from bot.core.transitions.execution import Claimed
from bot.core.verbs import Kind, Verb
from bot.testing.proposals import NOW, a_person, a_proposal, an_agent
from tests.faults.checker import MAY_FOLLOW

DANA, EVE, FINN = a_person("Dana"), a_person("Eve"), a_person("Finn")
AGENT: Final[Agent] = an_agent("writer", owner=DANA.id)
MEMBERSHIP: Final[Membership] = {"security": frozenset({EVE.id, FINN.id})}
POLICY: Final[Policy] = parse_policy("""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {mode: four_eyes, approvers: ["group:security"], count: 2}}
""")
APPROVAL: Final = Approval(
    mode=ApprovalMode.FOUR_EYES,
    approvers=("group:security",),
    count=2,
    expires_s=100,
    use_within_s=100,
)
#: One turn of the clock outlasts a lease and the settling time, two also the wait for people.
TURN_S: Final = 61
TURNS: Final = 2
LEASE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """An effect as the store keeps it. ``until`` is the turn in which its lease has ended."""

    is_held: bool = False
    attempt: int = 0
    until: int = 0
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Worker:
    """What one worker knows; ``attempt`` is that of its lease, ``said`` what the target said."""

    attempt: int = 0
    until: int = 0
    is_claimed: bool = False
    has_sent: bool = False
    said: Result | None = None


@dataclass(frozen=True, slots=True)
class World:
    """``flying`` is the turn in which a request was lost on its way, and may still arrive."""

    proposal: Proposal
    turn: int = 0
    halts: tuple[Halt, ...] = ()
    execute: Work | None = None
    look_up: Work | None = None
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    happened: int = 0
    flying: int | None = None
    sent: tuple[int, ...] = ()
    had_quorum: bool = False
    wrong: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        p = self.proposal
        # Who of the two said what makes no difference, and neither does which worker did what.
        words = {
            d.person: tuple(w.choice for w in p.decisions if w.person == d.person)
            for d in p.decisions
        }
        decided = tuple(sorted(words.values()))
        result = None if p.outcome is None else (p.outcome.result, p.outcome.at)
        return (
            *(p.state, p.attempt, p.intents, decided, result, p.use_by),
            *(self.turn, self.halts, self.execute, self.look_up),
            *(frozenset(Counter(self.workers).items()), self.happened, self.flying, self.sent),
            self.wrong,
        )

    @property
    def is_quiet(self) -> bool:
        """Whether all has ended, and nobody has anything to do with it any more."""
        return (
            self.proposal.state in TERMINAL
            and self.flying is None
            and (self.execute is None or self.execute.is_done)
            and not any(worker.attempt for worker in self.workers)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The steps to be tried, so that a fault can be planted in one of them."""

    decide: Callable[..., Step[Any]] = decision.decide
    claim: Callable[..., Step[Any]] = execution.claim
    outcome: Callable[..., Step[Any]] = execution.outcome
    expire: Callable[..., Step[Any]] = ending.expire
    withdraw: Callable[..., Step[Any]] = ending.withdraw
    sweep: Callable[..., Step[Any]] = ending.sweep
    absent: Callable[..., Step[Any]] = settlement.absent_in_look_up
    found: Callable[..., Step[Any]] = settlement.found_by_look_up
    by_person: Callable[..., Step[Any]] = settlement.by_person
    #: A worker sends nothing once its lease has ended, or a halt covers what it would do.
    keeps_its_deadline: bool = True
    reads_halts_again: bool = True


Move = tuple[str, World]


@dataclass(slots=True)
class Explorer:
    """Explores the life of a proposal whose verb is *idempotent* or not."""

    is_idempotent: bool
    rules: Rules = field(default_factory=Rules)
    states: int = 0

    @property
    def verb(self) -> Verb:
        return Verb(
            name="note.write",
            connector="forum",
            kind=Kind.WRITE,
            summary="Write a note",
            params_schema={},
            idempotent=self.is_idempotent,
            can_look_up=True,
            settles_after_s=60,
            config_digest=_FIRST.verb_digest,
        )

    def first_fault(self) -> tuple[str, Sequence[str]] | None:
        """Return what is wrong and the moves that lead there, or None when nothing ever is."""
        first = World(_FIRST)
        came: dict[object, tuple[object, str] | None] = {first.key: None}
        ahead = deque([first])
        while ahead:
            world = ahead.popleft()
            for name, after in self.moves(world):
                key = after.key
                if key in came:
                    continue
                came[key] = (world.key, name)
                self.states = len(came)
                if wrong := after.wrong or _wrong(after):
                    return wrong, _story(came, key)
                if not (world.is_quiet and after.is_quiet):
                    ahead.append(after)
        return None

    def moves(self, world: World) -> Iterator[Move]:
        rules = self.rules
        if world.turn < TURNS:
            yield "time passes", replace(world, turn=world.turn + 1)
        for person in (EVE, FINN):
            for choice in Choice:
                yield (
                    f"{person.handle} presses {choice}",
                    self._take(world, partial(self._vote, person=person, choice=choice)),
                )
        yield (
            "the agent takes it back",
            self._take(
                world,
                lambda s: rules.withdraw(
                    s, proposal_id=_ID, agent=AGENT.id, actor=agent_actor(AGENT.id), reason=""
                ),
            ),
        )
        yield "the clock ends it", self._take(world, lambda s: rules.expire(s, _ID))
        if not world.halts:
            yield "a person stops the agent", replace(world, halts=(_halt(world),))
        elif world.halts[0].is_active:
            resumed = replace(world.halts[0], resumed_at=_now(world), resumed_by=_HALTER)
            yield "a person lets it go on", replace(world, halts=(resumed,))
        if world.halts:
            yield "the halt is swept", self._take(world, lambda s: rules.sweep(s, _ID))
        if world.flying is not None:
            yield "the lost request is dropped", replace(world, flying=None)
            if world.turn == world.flying:
                yield "the lost request arrives", self._arrive(replace(world, flying=None))
        for place in range(len(world.workers)):
            yield from self._work(world, place)
        yield from self._settle(world)

    def _vote(self, snapshot: Snapshot, *, person: Person, choice: Choice) -> Step[Any]:
        vote = Vote(
            proposal=_ID,
            person=person.id,
            choice=choice,
            digest_prefix=_FIRST.digest.removeprefix("sha256:")[:32],
            reason="",
            chat="board",
            max_chars=4000,
        )
        return self.rules.decide(
            replace(snapshot, person=person),
            vote,
            policy=POLICY,
            verb=self.verb,
            membership=MEMBERSHIP,
        )

    def _work(self, world: World, place: int) -> Iterator[Move]:
        worker, who = world.workers[place], f"worker {place + 1}"
        if worker.attempt == 0:
            if _is_due(world.execute, world.turn):
                assert world.execute is not None
                held = replace(
                    world.execute,
                    is_held=True,
                    attempt=world.execute.attempt + 1,
                    until=world.turn + 1,
                )
                leased = Worker(attempt=held.attempt, until=held.until)
                yield f"{who} takes the work", _with(replace(world, execute=held), place, leased)
            return
        yield f"{who} dies", _with(world, place, Worker())
        if not worker.is_claimed:
            yield f"{who} claims", self._claim(world, place, worker)
        elif worker.said is None:
            if worker.until > world.turn or not self.rules.keeps_its_deadline:
                yield from self._send(world, place, worker)
        else:
            yield f"{who} reports {worker.said}", self._report(world, place, worker)

    def _claim(self, world: World, place: int, worker: Worker) -> World:
        idle = _with(world, place, Worker())
        value, after = self._run(
            world,
            lambda s: self.rules.claim(
                s,
                _lease(world, worker),
                policy=POLICY,
                verb=self.verb,
                membership=MEMBERSHIP,
                lease_s=LEASE_S,
            ),
        )
        if after is None:
            return idle
        if not isinstance(value, Claimed):
            return _with(after, place, Worker())
        if world.proposal.state is State.APPROVED:
            after = replace(after, had_quorum=_has_quorum(world.proposal))
        until = world.turn + 1
        return _with(after, place, replace(worker, is_claimed=True, until=until))

    def _send(self, world: World, place: int, worker: Worker) -> Iterator[Move]:
        who = f"worker {place + 1}"
        is_halted = any(h.is_active for h in world.halts)
        if is_halted and self.rules.reads_halts_again:
            stopped = replace(worker, said=Result.FAILED)
            yield f"{who} sees the halt", _with(world, place, stopped)
            return
        wrong = ""
        if worker.attempt in world.sent:
            wrong = f"attempt {worker.attempt} was sent twice"
        elif world.proposal.state is not State.EXECUTING:
            wrong = f"it was sent while {world.proposal.state}"
        elif is_halted:
            wrong = "it was sent though a person had stopped it"
        sent = replace(world, sent=(*world.sent, worker.attempt), wrong=wrong)
        done = replace(worker, has_sent=True)
        arrived = self._arrive(sent)
        yield f"{who} sends: done", _with(arrived, place, replace(done, said=Result.SUCCEEDED))
        yield (
            f"{who} sends: answer lost",
            _with(arrived, place, replace(done, said=Result.IN_DOUBT)),
        )
        yield f"{who} sends: refused", _with(sent, place, replace(done, said=Result.FAILED))
        lost = replace(sent, flying=sent.turn)
        yield (
            f"{who} sends: lost on its way",
            _with(lost, place, replace(done, said=Result.IN_DOUBT)),
        )

    def _arrive(self, world: World) -> World:
        known = self.is_idempotent and world.happened > 0
        return world if known else replace(world, happened=world.happened + 1)

    def _report(self, world: World, place: int, worker: Worker) -> World:
        assert worker.said is not None
        found = Outcome(result=worker.said, reason="said", detail="It said so.", at=NOW)
        for lease in (_lease(world, worker), None):
            step = partial(
                self.rules.outcome,
                proposal_id=_ID,
                attempt=worker.attempt,
                lease=lease,
                found=found,
                verb=self.verb,
            )
            _, after = self._run(world, step)
            if after is not None:
                return _with(after, place, Worker())
        raise AssertionError("a report without a lease cannot be in conflict")

    def _settle(self, world: World) -> Iterator[Move]:
        if world.proposal.state is not State.IN_DOUBT:
            return
        result = Result.SUCCEEDED if world.happened else Result.FAILED
        if world.flying is None:
            yield (
                "a person looks and settles it",
                self._take(
                    world,
                    lambda s: self.rules.by_person(
                        s, proposal_id=_ID, person=DANA.id, result=result, note="I looked"
                    ),
                ),
            )
        if world.look_up is None or world.look_up.is_done:
            return
        asked = Lease(effect=effects.look_up(_ID, due_at=NOW), attempt=1, until=NOW)
        if world.happened:
            step = lambda s: self.rules.found(s, asked, reference=None)  # noqa: E731 - a move
        else:
            step = lambda s: self.rules.absent(s, asked, verb=self.verb)  # noqa: E731 - a move
        yield "the target is looked at", self._take(world, step)

    def _take(self, world: World, step: Callable[[Snapshot], Step[Any]]) -> World:
        return self._run(world, step)[1] or world

    def _run(self, world: World, step: Callable[[Snapshot], Step[Any]]) -> tuple[Any, World | None]:
        """Return what *step* came to, and the world after it; None after a conflict."""
        made = step(_snapshot(world))
        match made:
            case Refusal():
                return None, world
            case Replay(value):
                return value, world
            case Transition():
                return made.value, _applied(world, made)


def _applied(world: World, made: Transition[Any]) -> World | None:
    """Return the world after *made* is committed; None where a lease is no longer held."""
    execute, look_up = world.execute, world.look_up
    for lease, is_over in (
        *((lease, True) for lease in made.done),
        *((renewed.lease, False) for renewed in made.renewed),
    ):
        if lease.effect.kind is EffectKind.LOOK_UP:
            look_up = replace(look_up or Work(), is_done=is_over)
        elif execute is None or not execute.is_held or execute.attempt != lease.attempt:
            return None
        else:
            until = execute.until if is_over else world.turn + 1
            execute = replace(execute, is_done=is_over, is_held=not is_over, until=until)
    for effect in made.effects:
        execute, look_up = _begun(effect, execute, look_up)
    after = replace(world, execute=execute, look_up=look_up)
    for record in made.puts:
        assert isinstance(record, Proposal)
        wrong = _wrong_step(world.proposal, record, made)
        after = replace(after, proposal=record, wrong=after.wrong or wrong)
    return after


def _begun(
    effect: Effect, execute: Work | None, look_up: Work | None
) -> tuple[Work | None, Work | None]:
    if effect.kind is EffectKind.EXECUTE:
        return execute or Work(), look_up
    if effect.kind is EffectKind.LOOK_UP:
        return execute, look_up or Work()
    return execute, look_up


def _wrong_step(before: Proposal, after: Proposal, made: Transition[Any]) -> str:
    was, now = before.state.value, after.state.value
    if was == now != "executing":
        return ""
    intents = [leaf for leaf in made.leaves if leaf.type == "execution.intent"]
    if now == "executing":
        if was not in {"approved", "executing"}:
            return f"it was carried out while {was}"
        return "" if intents else "it is carried out without an intent"
    if now not in MAY_FOLLOW.get(was, frozenset()):
        return f"it went from {was} to {now}"
    return "" if any(leaf.clear.get("state") == now for leaf in made.leaves) else f"{now} unsaid"


def _wrong(world: World) -> str:
    state = world.proposal.state
    if world.happened > 1:
        return "it happened twice"
    if world.happened and not world.had_quorum:
        return "it happened without a quorum"
    if state is State.SUCCEEDED and not world.happened:
        return "it is called done, and nothing happened"
    if state in TERMINAL - {State.SUCCEEDED} and world.happened:
        return f"it is called {state}, and it happened"
    return ""


def _has_quorum(proposal: Proposal) -> bool:
    among = eligible(APPROVAL, stakes_of(proposal, owner=AGENT.owner), MEMBERSHIP)
    return len(votes(proposal.decisions, digest=_FIRST.digest, among=among)) >= APPROVAL.count


def _now(world: World) -> Any:
    return NOW + timedelta(seconds=1 + world.turn * TURN_S)


def _snapshot(world: World) -> Snapshot:
    return Snapshot(
        now=_now(world),
        proposals={_ID: world.proposal},
        agent=AGENT,
        person=EVE,
        halts=world.halts,
        policy_digest=POLICY.digest,
    )


def _lease(world: World, worker: Worker) -> Lease:
    until = NOW + timedelta(seconds=1 + worker.until * TURN_S)
    return Lease(effect=effects.execute(_ID), attempt=worker.attempt, until=until)


def _is_due(work: Work | None, turn: int) -> bool:
    return work is not None and not work.is_done and (not work.is_held or work.until <= turn)


def _with(world: World, place: int, worker: Worker) -> World:
    first, second = world.workers
    return replace(world, workers=(worker, second) if place == 0 else (first, worker))


def _halt(world: World) -> Halt:
    target = HaltTarget(scope=HaltScope.AGENT, agent=AGENT.id)
    halted_at = _now(world)
    return Halt(id=HaltId("hlt_1"), target=target, set_by=_HALTER, set_at=halted_at, reason="Stop")


def _story(came: dict[object, tuple[object, str] | None], key: object) -> Sequence[str]:
    story: list[str] = []
    while (step := came[key]) is not None:
        key, name = step
        story.append(name)
    return story[::-1]


_HALTER = person_actor(DANA.id)
_FIRST: Final = a_proposal(
    1,
    agent=AGENT.id,
    principal=DANA.id,
    params={"text": "hello"},
    verb="note.write",
    approval=APPROVAL,
    expires_at=NOW + timedelta(seconds=100),
)
_ID: Final = _FIRST.id
