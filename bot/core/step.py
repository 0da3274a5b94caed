"""What one pure step sees, and what it may change: the two halves of the one write door.

A step is a function from :class:`Snapshot` to :data:`Step`. It may be run again on a newer
snapshot, so it reads nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from bot.core.actors import Agent, Person, ResourceServer, Token
from bot.core.canonical import Digest
from bot.core.effects import Effect, Lease, Postponed, Renewed
from bot.core.errors import KeyturnError
from bot.core.frozen import frozen
from bot.core.halts import Halt
from bot.core.identity import ChatIdentity, LinkedIdentity
from bot.core.ids import AgentId, PersonId, ProposalId, ResourceServerId
from bot.core.leaf import LeafDraft
from bot.core.notice import NoticeRoute
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal

T = TypeVar("T")


@frozen
class IdempotencyRef:
    agent: AgentId
    key: str


@frozen
class Ask:
    """The keys that a step needs; what is not asked for is not in the snapshot."""

    proposals: tuple[ProposalId, ...] = ()
    agent: AgentId | None = None
    person: PersonId | None = None
    resource_server: ResourceServerId | None = None
    identity: ChatIdentity | None = None
    idempotency: IdempotencyRef | None = None
    #: Count the pending proposals of this agent, and of this principal.
    pending_of_agent: AgentId | None = None
    pending_of_principal: PersonId | None = None


@frozen
class Snapshot:
    """A consistent view. ``now`` is the store's own time: it never repeats and never goes back.

    ``halts`` holds every halt that is active or not fully swept, ``told`` every agent whose
    webhook is called, ``routes`` every place that notices go to. ``identity`` is whose the
    identity is that was asked for, None while it is nobody's.
    """

    now: datetime
    proposals: Mapping[ProposalId, Proposal] = field(default_factory=dict)
    agent: Agent | None = None
    person: Person | None = None
    resource_server: ResourceServer | None = None
    identity: LinkedIdentity | None = None
    replayed: Proposal | None = None
    pending_of_agent: int = 0
    pending_of_principal: int = 0
    halts: Sequence[Halt] = ()
    told: frozenset[AgentId] = frozenset()
    routes: Sequence[NoticeRoute] = ()
    policy_digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """Put in place of *record*, which is kept no longer."""

    record: LinkedIdentity | NoticeRoute


Record: TypeAlias = (
    Proposal
    | Agent
    | Person
    | ResourceServer
    | Token
    | Halt
    | PolicyVersion
    | LinkedIdentity
    | NoticeRoute
    | Gone
)


@frozen
class Transition(Generic[T]):
    """Everything one step changes, committed together or not at all.

    ``done`` and ``postponed`` give leases back, ``renewed`` keeps them; a lease that was lost
    meanwhile refuses the whole transition.
    """

    value: T
    puts: tuple[Record, ...] = ()
    leaves: tuple[LeafDraft, ...]
    effects: tuple[Effect, ...] = ()
    done: tuple[Lease, ...] = ()
    postponed: tuple[Postponed, ...] = ()
    renewed: tuple[Renewed, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay(Generic[T]):
    """Nothing changes; *value* is what was decided before."""

    value: T


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing changes; the caller gets *error*."""

    error: KeyturnError


Step: TypeAlias = Transition[T] | Replay[T] | Refusal


@frozen
class Committed(Generic[T]):
    """What came of a step, once it is durable. ``leases`` are effects to begin with at once.

    ``first_leaf`` is the log index of the step's first leaf; None after a replay.
    """

    value: T
    leases: tuple[Lease, ...] = ()
    first_leaf: int | None = None
