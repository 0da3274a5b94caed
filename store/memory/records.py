"""Everything a memory store remembers, and what one step may change in it."""

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar, assert_never

from bot.core.actors import Agent, Person, ResourceServer, Token
from bot.core.canonical import Digest
from bot.core.effects import Effect, EffectKind, Lease, Postponed, Renewed
from bot.core.erasure import Erasing
from bot.core.errors import Conflict
from bot.core.halts import Halt
from bot.core.identity import LinkedIdentity
from bot.core.ids import (
    AgentId,
    EffectId,
    HaltId,
    PersonId,
    ProposalId,
    ResourceServerId,
    TokenId,
)
from bot.core.leaf import Leaf
from bot.core.merkle import Frontier
from bot.core.notice import NoticeRoute
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.step import Gone, Record
from bot.core.tokens import TokenHash
from store import codec

K = TypeVar("K")
V = TypeVar("V")

TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One effect and who holds it.

    ``ready_at`` is when it may next be leased: the end of the lease while it is held, None
    once it is done.
    """

    effect: Effect
    ready_at: datetime | None
    attempt: int = 0
    held: bool = False


@dataclass(slots=True, kw_only=True)
class Records:
    """One consistent state; every change of it is undone when its step fails."""

    now: datetime
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    keys: dict[tuple[AgentId, str], ProposalId] = field(default_factory=dict)
    pending: dict[tuple[AgentId, PersonId], int] = field(default_factory=dict)
    agents: dict[AgentId, Agent] = field(default_factory=dict)
    agent_names: dict[str, AgentId] = field(default_factory=dict)
    people: dict[PersonId, Person] = field(default_factory=dict)
    handles: dict[str, PersonId] = field(default_factory=dict)
    emails: dict[str, PersonId] = field(default_factory=dict)
    identities: dict[str, LinkedIdentity] = field(default_factory=dict)
    routes: dict[str, NoticeRoute] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    resource_servers: dict[ResourceServerId, ResourceServer] = field(default_factory=dict)
    resource_server_names: dict[str, ResourceServerId] = field(default_factory=dict)
    tokens: dict[TokenId, Token] = field(default_factory=dict)
    hashes: dict[TokenHash, TokenId] = field(default_factory=dict)
    halts: dict[HaltId, Halt] = field(default_factory=dict)
    policies: dict[int, PolicyVersion] = field(default_factory=dict)
    work: dict[EffectId, Work] = field(default_factory=dict)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    frontier: Frontier = field(default_factory=Frontier)
    _undo: list[Callable[[], object]] = field(default_factory=list)

    @property
    def policy(self) -> PolicyVersion | None:
        return self.policies[len(self.policies) - 1] if self.policies else None

    @property
    def policy_digest(self) -> Digest | None:
        policy = self.policy
        return None if policy is None else policy.digest

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all changes of the block, or none if it raises."""
        frontier = self.frontier
        self._undo.clear()
        try:
            yield
        except BaseException:
            while self._undo:
                self._undo.pop()()
            self.frontier = frontier
            raise

    def forget_undo(self) -> None:
        """Keep nothing of what was there before the last change."""
        self._undo.clear()

    def tick(self, clock_now: datetime) -> datetime:
        """Return the time of a new step: the clock's, or just past the last one."""
        self.now = max(clock_now, self.now + TICK)
        return self.now

    def put(self, record: Record) -> None:
        """Keep *record*, in place of the one with its id.

        Raises:
            Conflict: another record has its key, name, handle or hash already.
            TypeError: it holds what cannot be stored.
        """
        match record:
            case Proposal():
                self._put_proposal(codec.PROPOSAL.copy(record))
            case Agent():
                if was := self.agents.get(record.id):
                    self._drop(self.agent_names, was.name)
                self._claim(self.agent_names, record.name, record.id)
                self._set(self.agents, record.id, codec.AGENT.copy(record))
            case Person():
                if has_been := self.people.get(record.id):
                    self._drop(self.handles, has_been.handle)
                    if has_been.found_by_email is not None:
                        self._drop(self.emails, has_been.found_by_email)
                self._claim(self.handles, record.handle, record.id)
                if record.found_by_email is not None:
                    self._claim(self.emails, record.found_by_email, record.id)
                self._set(self.people, record.id, codec.PERSON.copy(record))
            case ResourceServer():
                self._claim(self.resource_server_names, record.name, record.id)
                self._set(self.resource_servers, record.id, codec.RESOURCE_SERVER.copy(record))
            case Token():
                self._claim(self.hashes, record.hash, record.id)
                self._set(self.tokens, record.id, codec.TOKEN.copy(record))
            case Halt():
                self._set(self.halts, record.id, codec.HALT.copy(record))
            case PolicyVersion():
                self._set(self.policies, len(self.policies), codec.POLICY.copy(record))
            case LinkedIdentity():
                self._set(self.identities, record.identity.key, codec.IDENTITY.copy(record))
            case NoticeRoute():
                self._claim(self.places, (record.chat, record.place), record.id)
                self._set(self.routes, record.id, codec.NOTICE_ROUTE.copy(record))
            case Gone(LinkedIdentity() as gone):
                self._drop(self.identities, gone.identity.key)
            case Gone(NoticeRoute() as gone):
                self._drop(self.places, (gone.chat, gone.place))
                self._drop(self.routes, gone.id)
            case Gone():
                raise AssertionError(f"nothing else is ever gone: {record!r}")
            case _:
                assert_never(record)

    def erasing(self, person: PersonId) -> Erasing:
        """Return what an erasure of *person* finds now."""
        erasing = Erasing(person)
        for leaf in self.leaves.values():
            if leaf.openings:
                erasing.leaf(leaf.index, leaf.body, openings=len(leaf.openings))
        kept = (self.people, self.agents, self.tokens, self.halts, self.identities, self.proposals)
        for records in kept:
            for record in records.values():
                erasing.record(record)
        return erasing

    def close(self, indexes: Iterable[int]) -> None:
        """Forget what opens the leaves *indexes*."""
        for index in indexes:
            self._set(self.leaves, index, replace(self.leaves[index], openings=()))

    def _put_proposal(self, proposal: Proposal) -> None:
        if has_been := self.proposals.get(proposal.id):
            self._drop(self.keys, (has_been.agent, has_been.idempotency_key))
        self._claim(self.keys, (proposal.agent, proposal.idempotency_key), proposal.id)
        before = self.proposals.get(proposal.id)
        counted = before is not None and before.state is State.PENDING
        counts = proposal.state is State.PENDING
        if counted != counts:
            whose = (proposal.agent, proposal.principal)
            self._set(self.pending, whose, self.pending.get(whose, 0) + (1 if counts else -1))
        self._set(self.proposals, proposal.id, proposal)

    def append(self, leaf: Leaf) -> None:
        self._set(self.leaves, leaf.index, leaf)
        self.frontier = self.frontier.append(leaf.hash)

    def add(self, effects: Iterable[Effect], *, birth_lease_s: float) -> list[Lease]:
        """Add what is not known yet; return what is due and was leased at birth."""
        leases = []
        for effect in effects:
            if effect.id in self.work:
                continue
            ready_at = self.now if effect.due_at is None else effect.due_at
            self._set(self.work, effect.id, Work(effect=effect, ready_at=ready_at))
            if birth_lease_s > 0 and ready_at <= self.now:
                leases.append(self._lease(effect.id, birth_lease_s))
        return leases

    def lease(self, kinds: Iterable[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        wanted = frozenset(kinds)
        due = sorted(
            (work.ready_at, n, effect_id)
            for n, (effect_id, work) in enumerate(self.work.items())
            if work.effect.kind in wanted
            and work.ready_at is not None
            and work.ready_at <= self.now
        )
        return [self._lease(effect_id, for_s) for _, _, effect_id in due[:limit]]

    def finish(self, lease: Lease) -> None:
        """Mark the leased effect as done.

        Raises:
            Conflict: the lease is no longer held.
        """
        work = self._held(lease)
        self._set(self.work, lease.effect.id, replace(work, ready_at=None, held=False))

    def postpone(self, postponed: Postponed) -> None:
        """Give the leased effect back.

        Raises:
            Conflict: the lease is no longer held.
        """
        work = self._held(postponed.lease)
        effect = replace(work.effect, due_at=postponed.due_at)
        given_back = replace(work, effect=effect, ready_at=postponed.due_at, held=False)
        self._set(self.work, effect.id, given_back)

    def renew(self, renewed: Renewed) -> None:
        """Hold the lease for longer.

        Raises:
            Conflict: the lease is no longer held.
        """
        work = self._held(renewed.lease)
        self._set(self.work, work.effect.id, replace(work, ready_at=renewed.until))

    def _lease(self, effect_id: EffectId, for_s: float) -> Lease:
        work = self.work[effect_id]
        until = self.now + timedelta(seconds=for_s)
        attempt = work.attempt + 1
        self._set(self.work, effect_id, replace(work, ready_at=until, attempt=attempt, held=True))
        return Lease(effect=work.effect, attempt=attempt, until=until)

    def _held(self, lease: Lease) -> Work:
        work = self.work.get(lease.effect.id)
        if work is None or not work.held or work.attempt != lease.attempt:
            raise Conflict(f"The lease of {lease.effect.id} is no longer held.")
        return work

    def _claim(self, owners: MutableMapping[K, V], name: K, owner: V) -> None:
        if owners.get(name, owner) != owner:
            raise Conflict(f"Something else has {name!r} already.")
        self._set(owners, name, owner)

    def _drop(self, mapping: MutableMapping[K, V], key: K) -> None:
        dropped = mapping.pop(key)
        self._undo.append(lambda: mapping.__setitem__(key, dropped))

    def _set(self, mapping: MutableMapping[K, V], key: K, value: V) -> None:
        if key in mapping:
            before = mapping[key]
            self._undo.append(lambda: mapping.__setitem__(key, before))
        else:
            self._undo.append(lambda: mapping.pop(key))
        mapping[key] = value
