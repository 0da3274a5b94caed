"""The life of one proposal, told from the log."""

import json
from collections.abc import Sequence

from bot.core.audit.words import SYSTEM_NAMES, what_of
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import Leaf
from bot.core.states import ActorKind
from bot.ports.desk import HistoryEntry
from bot.ports.queries import AgentById, Leaves, PersonById
from bot.ports.store import Store

_MOST = 500


async def history_of(store: Store, proposal: ProposalId) -> Sequence[HistoryEntry]:
    """Return every recorded step of *proposal* in words, in the order of the log."""
    leaves = await store.read(Leaves(proposal=proposal, limit=_MOST))
    return [
        HistoryEntry(
            at=leaf.at,
            what=what_of(json.loads(leaf.body)),
            who=await _who(store, leaf),
            leaf=leaf.index,
        )
        for leaf in leaves
    ]


async def _who(store: Store, leaf: Leaf) -> str:
    kind, _, id_ = json.loads(leaf.body)["actor"].partition(":")
    if kind == ActorKind.PERSON:
        person = await store.read(PersonById(PersonId(id_)))
        return person.display_name if person is not None else id_
    if kind == ActorKind.AGENT:
        agent = await store.read(AgentById(id_))
        return agent.name if agent is not None else id_
    return SYSTEM_NAMES.get(id_, "Keyturn")
