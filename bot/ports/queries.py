"""What can be asked of the store; each query names the type of its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.core.actors import Agent, Person, Token
from bot.core.effects import Effect
from bot.core.halts import Halt
from bot.core.ids import AgentId, PersonId, ProposalId, TokenId
from bot.core.leaf import Leaf
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.tokens import TokenHash

T = TypeVar("T")

#: The states in which a person may still be asked something about a proposal.
OPEN_STATES = (State.PENDING, State.IN_DOUBT)


class Query(Generic[T]):
    """Base of every query; ``T`` is the answer's type."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ProposalById(Query[Proposal | None]):
    id: ProposalId


@dataclass(frozen=True, slots=True)
class ProposalByKey(Query[Proposal | None]):
    """The proposal that *agent* submitted under *key*."""

    agent: AgentId
    key: str


@dataclass(frozen=True, slots=True)
class Proposals(Query[Sequence[Proposal]]):
    """Proposals that fit every given filter, newest first, those older than *before*."""

    agent: AgentId | None = None
    principal: PersonId | None = None
    states: tuple[State, ...] = ()
    before: ProposalId | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Due(Query[Sequence[Proposal]]):
    """Pending, approved and released proposals whose clock has ended, oldest first."""

    at: datetime
    limit: int = 100


@dataclass(frozen=True, slots=True)
class NextDue(Query[datetime | None]):
    """When the next clock of any proposal, or the next postponed effect or lease, ends."""


@dataclass(frozen=True, slots=True)
class Stoppable(Query[Sequence[Proposal]]):
    """Proposals that a halt could still end, created at or before *until*, oldest first.

    ``after`` continues behind an earlier answer's last id.
    """

    until: datetime
    agent: AgentId | None = None
    principal: PersonId | None = None
    connector: str | None = None
    after: ProposalId | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class TokenByHash(Query[Token | None]):
    hash: TokenHash


@dataclass(frozen=True, slots=True)
class TokenById(Query[Token | None]):
    id: TokenId


@dataclass(frozen=True, slots=True)
class TokensOf(Query[Sequence[Token]]):
    """Every token of one agent or person, newest first."""

    holder: str


@dataclass(frozen=True, slots=True)
class AgentById(Query[Agent | None]):
    id: AgentId


@dataclass(frozen=True, slots=True)
class AgentByName(Query[Agent | None]):
    name: str


@dataclass(frozen=True, slots=True)
class Agents(Query[Sequence[Agent]]):
    """Every agent, by name."""


@dataclass(frozen=True, slots=True)
class PersonById(Query[Person | None]):
    id: PersonId


@dataclass(frozen=True, slots=True)
class PersonByHandle(Query[Person | None]):
    handle: str


@dataclass(frozen=True, slots=True)
class People(Query[Sequence[Person]]):
    """Every person, by handle."""


@dataclass(frozen=True, slots=True)
class Halts(Query[Sequence[Halt]]):
    """Halts, newest first; only those active or not fully swept when *in_force*."""

    in_force: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ActivePolicy(Query[PolicyVersion | None]):
    """The policy that was activated last."""


@dataclass(frozen=True, slots=True)
class EffectsOf(Query[Sequence[Effect]]):
    """What is still to be done about one proposal or halt."""

    subject: str


@dataclass(frozen=True, slots=True)
class PendingCount(Query[int]):
    """How many proposals are pending, of one agent or principal where given."""

    agent: AgentId | None = None
    principal: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Leaves(Query[Sequence[Leaf]]):
    """Entries of the log from index *start* on, with their openings, in order."""

    start: int = 0
    limit: int = 1000
    proposal: ProposalId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """The log's size and RFC 6962 root hash."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Head(Query[LogHead]):
    """The committed head of the log."""
