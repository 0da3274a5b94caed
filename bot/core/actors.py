"""Who acts: agents that propose, persons that decide, and Keyturn itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from fnmatch import fnmatchcase

from bot.core.ids import AgentId, PersonId, ResourceServerId, TokenId
from bot.core.states import ActorKind
from bot.core.tokens import TokenHash, TokenKind
from bot.core.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Actor:
    """``id`` is an agent's or person's id, or names the part of Keyturn that acted."""

    kind: ActorKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def agent_actor(agent: AgentId) -> Actor:
    return Actor(ActorKind.AGENT, agent)


def person_actor(person: PersonId) -> Actor:
    return Actor(ActorKind.PERSON, person)


def resource_actor(server: ResourceServerId) -> Actor:
    return Actor(ActorKind.RESOURCE, server)


def system_actor(part: str) -> Actor:
    return Actor(ActorKind.SYSTEM, part)


#: Whoever runs commands on the machine itself, proven by the rights on the admin socket.
OPERATOR = system_actor("operator")

#: What puts a backup back and makes it safe.
RESTORER = system_actor("restore")


@unique
class Role(StrEnum):
    ADMIN = "admin"  #: configures; never decides by this role
    AUDITOR = "auditor"  #: reads everything that was recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human. ``handle`` is how admins name them; nothing is ever granted by it in a chat.

    ``email`` serves nothing but to find their account in a chat that has verified the same
    address; no two active persons have one, whatever its case.
    """

    id: PersonId
    handle: str
    display_name: str
    roles: frozenset[Role] = frozenset()
    active: bool = True
    created_at: datetime
    email: str | None = None

    @property
    def found_by_email(self) -> str | None:
        """What nobody else who is active may have; None while they are found by no address."""
        return self.email.casefold() if self.active and self.email is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A registered program: its owner, its purpose, and what it may propose for whom.

    ``principals`` and ``verbs`` (globs) are exact limits: empty means nobody and nothing.
    """

    id: AgentId
    name: str
    owner: PersonId
    purpose: str
    principals: tuple[PersonId, ...]
    verbs: tuple[str, ...]
    active: bool = True
    created_at: datetime
    webhook: Webhook | None = None

    @property
    def is_told(self) -> bool:
        """Whether its webhook is called when something happens to its proposals."""
        return self.active and self.webhook is not None and self.webhook.stopped is None

    def may_propose(self, verb: str) -> bool:
        return any(fnmatchcase(verb, glob) for glob in self.verbs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceServer:
    """A program that redeems grants for ``audience``, the name that grants carry as ``aud``."""

    id: ResourceServerId
    name: str
    audience: str
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a bearer token; the token itself is never stored.

    ``holder`` is the id of the agent, person or resource server. ``ends_at`` is set by rotation
    and revocation.
    """

    id: TokenId
    kind: TokenKind
    hash: TokenHash
    holder: str
    created_at: datetime
    ends_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.ends_at is None or now < self.ends_at
