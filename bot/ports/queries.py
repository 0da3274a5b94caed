"""What can be asked of the store; each query names the type of its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.core.actors import Agent, Person, ResourceServer, Token
from bot.core.effects import Effect
from bot.core.erasure import Erased
from bot.core.halts import Halt
from bot.core.identity import ChatIdentity, LinkedIdentity
from bot.core.ids import AgentId, PersonId, ProposalId, ResourceServerId, TokenId
from bot.core.leaf import Leaf
from bot.core.news import News
from bot.core.notice import NoticeRoute
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
    """Proposals that fit every given filter, newest first, those older than *before*.

    ``concerning``: only those of other principals that this person may be asked about, because
    somebody besides the principal may decide them. ``oldest_first`` turns the order round;
    ``skip`` leaves out so many at its beginning.
    """

    agent: AgentId | None = None
    principal: PersonId | None = None
    states: tuple[State, ...] = ()
    before: ProposalId | None = None
    limit: int = 50
    concerning: PersonId | None = None
    oldest_first: bool = False
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Due(Query[Sequence[Proposal]]):
    """Proposals whose clock has ended (`Proposal.due_at`), oldest first."""

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
    """Every token of one agent, person or resource server, newest first."""

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
class PersonByEmail(Query[Person | None]):
    """The active person an admin gave *email*, whatever its case."""

    email: str

    @property
    def folded(self) -> str:
        return self.email.casefold()


@dataclass(frozen=True, slots=True)
class LinkOf(Query[LinkedIdentity | None]):
    """Whose *identity* is; None while it is nobody's. The person may no longer be active."""

    identity: ChatIdentity

    @property
    def key(self) -> str:
        return self.identity.key


@dataclass(frozen=True, slots=True)
class LinksOfPerson(Query[Sequence[LinkedIdentity]]):
    """Every identity of *person*, the one linked last first."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class NoticeRoutes(Query[Sequence[NoticeRoute]]):
    """Every place that notices go to, in the order in which they were first set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What entries of the log have in common; ``state`` is the one they say a proposal is in."""

    type: str
    agent: AgentId | None
    state: State | None


@dataclass(frozen=True, slots=True)
class Happenings(Query[Mapping[Happened, int]]):
    """How many entries of each kind were written at or after *since* and before *until*."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ResourceServerById(Query[ResourceServer | None]):
    id: ResourceServerId


@dataclass(frozen=True, slots=True)
class ResourceServerByName(Query[ResourceServer | None]):
    name: str


@dataclass(frozen=True, slots=True)
class ResourceServers(Query[Sequence[ResourceServer]]):
    """Every resource server, by name."""


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


@dataclass(frozen=True, slots=True)
class NewsOfProposal(Query[Sequence[News]]):
    """Every state that *proposal* entered behind the leaf *after*, in order."""

    proposal: ProposalId
    after: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPage:
    """``looked_to`` is the leaf behind which to go on; ``is_last`` that there was no more."""

    news: Sequence[News]
    looked_to: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class NewsOfAgent(Query[NewsPage]):
    """States that the proposals of *agent* entered behind the leaf *after*, in order.

    It looks at *leaves* entries of the log at most, whoever they are about, so that one page costs
    no more than that however busy others are: a page may be empty and not the last.
    """

    agent: AgentId
    after: int = -1
    limit: int = 100
    leaves: int = 10_000


@dataclass(frozen=True, slots=True)
class LeafHashes(Query[Sequence[bytes]]):
    """The RFC 6962 hashes of entries of the log from index *start* on, in order."""

    start: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """The log's size and RFC 6962 root hash."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Head(Query[LogHead]):
    """The committed head of the log."""


@dataclass(frozen=True, slots=True)
class ErasureScope(Query[Erased]):
    """How much an erasure of *person* would remove now, and what has to end before."""

    person: PersonId
