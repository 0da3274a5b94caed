"""Agents as a person sees them: those that act for them or are theirs, and for an admin all."""

from collections.abc import Sequence

from bot.core.actors import Agent, Person, Role
from bot.core.halts import Halt, HaltScope, covers, widest_stop
from bot.core.ids import PersonId
from bot.ports.desk import AgentEntry
from bot.ports.queries import Agents, PendingCount, PersonById
from bot.service.gate import Gate
from bot.service.halt import Halts


async def agents_seen(gate: Gate, halts: Halts, reader: Person) -> Sequence[AgentEntry]:
    """Return an entry for each agent that *reader* may know of, by name."""
    in_force = await halts.list(active_only=True)
    return [
        await _entry(gate, agent, reader, in_force)
        for agent in await gate.store.read(Agents())
        if Role.ADMIN in reader.roles or reader.id in (agent.owner, *agent.principals)
    ]


async def _entry(gate: Gate, agent: Agent, reader: Person, in_force: Sequence[Halt]) -> AgentEntry:
    owner = await gate.store.read(PersonById(agent.owner))
    sees_all = Role.ADMIN in reader.roles or agent.owner == reader.id
    return AgentEntry(
        id=agent.id,
        name=agent.name,
        purpose=agent.purpose,
        owner_name=agent.owner if owner is None else owner.display_name,
        active=agent.active,
        acts_for_reader=reader.id in agent.principals,
        pending=await gate.store.read(PendingCount(agent=agent.id, principal=reader.id)),
        halts=[halt for halt in in_force if _concerns(halt, agent, reader.id, sees_all=sees_all)],
        may_stop=widest_stop(agent, reader) if agent.active else None,
    )


def _concerns(halt: Halt, agent: Agent, reader: PersonId, *, sees_all: bool) -> bool:
    """Return whether *halt* stops something of *agent* that *reader* may know of."""
    target = halt.target
    if target.scope is HaltScope.CONNECTOR:
        # Which connectors an agent uses, its verbs say; that one is stopped concerns everybody.
        return True
    if sees_all and target.agent == agent.id:
        return True
    return covers(target, agent=agent.id, principal=reader, connector="")
