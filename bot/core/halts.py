"""Stop: which proposals a halt ends, which it refuses, and who may set it.

The halt's row is the commit. From then on every covered proposal reads as revoked, whether
or not its own row has been written yet, and a resume brings nothing back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from bot.core.actors import OPERATOR, Actor, Agent, Person, Role
from bot.core.ids import AgentId, HaltId, PersonId
from bot.core.proposal import Proposal
from bot.core.states import STOPPABLE, ActorKind


@unique
class HaltScope(StrEnum):
    AGENT_FOR_PRINCIPAL = "agent_for_principal"
    AGENT = "agent"
    CONNECTOR = "connector"
    ALL = "all"


_OF_AGENTS = frozenset({HaltScope.AGENT_FOR_PRINCIPAL, HaltScope.AGENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltTarget:
    """What is stopped; the fields that ``scope`` does not need are None."""

    scope: HaltScope
    agent: AgentId | None = None
    principal: PersonId | None = None
    connector: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """``swept`` says that every proposal it ended has been written as revoked."""

    id: HaltId
    target: HaltTarget
    set_by: Actor
    set_at: datetime
    reason: str
    resumed_by: Actor | None = None
    resumed_at: datetime | None = None
    resume_reason: str | None = None
    swept: bool = False

    @property
    def is_active(self) -> bool:
        return self.resumed_at is None


def covers(target: HaltTarget, *, agent: AgentId, principal: PersonId, connector: str) -> bool:
    """Return whether what *agent* does for *principal* through *connector* is stopped."""
    match target.scope:
        case HaltScope.ALL:
            return True
        case HaltScope.AGENT:
            return target.agent == agent
        case HaltScope.AGENT_FOR_PRINCIPAL:
            return target.agent == agent and target.principal == principal
        case HaltScope.CONNECTOR:
            return target.connector == connector


def halt_against(
    halts: Iterable[Halt], *, agent: AgentId, principal: PersonId, connector: str
) -> Halt | None:
    """Return an active halt that refuses new work, if there is one."""
    for halt in halts:
        if halt.is_active and covers(
            halt.target, agent=agent, principal=principal, connector=connector
        ):
            return halt
    return None


def stops(target: HaltTarget, proposal: Proposal) -> bool:
    """Return whether *target* covers *proposal*.

    A stop of an agent is when people take back what it did: an undo is not stopped by it.
    """
    if proposal.undoes is not None and target.scope in _OF_AGENTS:
        return False
    return covers(
        target,
        agent=proposal.agent,
        principal=proposal.principal,
        connector=proposal.connector,
    )


def stopped_by(halts: Iterable[Halt], proposal: Proposal) -> Halt | None:
    """Return an active halt that keeps *proposal* from being carried out, if there is one."""
    return next((halt for halt in halts if halt.is_active and stops(halt.target, proposal)), None)


def ended_by(halts: Iterable[Halt], proposal: Proposal) -> Halt | None:
    """Return the halt that ended *proposal*, though its row may not say so yet."""
    if proposal.state not in STOPPABLE:
        return None
    for halt in halts:
        is_in_time = halt.is_active or proposal.created_at <= halt.set_at
        if is_in_time and stops(halt.target, proposal):
            return halt
    return None


def may_halt(
    actor: Actor, target: HaltTarget, *, person: Person | None, agent: Agent | None
) -> bool:
    """Return whether *actor* may set or end a halt of *target*.

    A principal stops an agent for themselves, an owner their agent, an admin anything.
    """
    if actor == OPERATOR:
        return True
    if actor.kind is not ActorKind.PERSON or person is None or not person.active:
        return False
    if Role.ADMIN in person.roles:
        return True
    match target.scope:
        case HaltScope.AGENT_FOR_PRINCIPAL:
            return target.principal == person.id or _owns(person, agent)
        case HaltScope.AGENT:
            return _owns(person, agent)
        case HaltScope.CONNECTOR | HaltScope.ALL:
            return False


def widest_stop(agent: Agent, reader: Person) -> HaltTarget | None:
    """Return the widest target with *agent* alone that *reader* may stop."""
    if Role.ADMIN in reader.roles or agent.owner == reader.id:
        return HaltTarget(scope=HaltScope.AGENT, agent=agent.id)
    if reader.id in agent.principals:
        return HaltTarget(scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=agent.id, principal=reader.id)
    return None


def _owns(person: Person, agent: Agent | None) -> bool:
    return agent is not None and agent.owner == person.id
