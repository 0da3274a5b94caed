"""The life of one proposal, told from the log."""

import json
from collections.abc import Mapping, Sequence

from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import Leaf
from bot.core.states import ActorKind
from bot.ports.desk import HistoryEntry
from bot.ports.queries import AgentById, Leaves, PersonById
from bot.ports.store import Store

_MOST = 500
_WHAT: Mapping[str, str] = {
    "proposal.submitted": "Proposed",
    "proposal.superseded": "Replaced by a newer proposal",
    "proposal.withdrawn": "Taken back",
    "proposal.expired": "Ended: its time was over",
    "proposal.revoked": "Stopped",
    "card.posted": "Card shown",
    "card.undeliverable": "Card could not be shown to anybody",
    "card.viewed": "Full view read to its end",
    "click.refused": "A click that did not count",
    "decision.approve": "Approved",
    "decision.reject": "Rejected",
    "execution.intent": "Began to carry it out",
    "execution.outcome": "Carried out",
    "execution.late_report": "A late report came in",
    "settlement": "Doubt settled",
}
_SYSTEM_NAMES = {
    "clock": "Keyturn's clock",
    "gate": "Keyturn",
    "worker": "Keyturn",
    "courier": "Keyturn",
    "operator": "The operator",
    "successor": "Keyturn",
}


async def history_of(store: Store, proposal: ProposalId) -> Sequence[HistoryEntry]:
    """Return every recorded step of *proposal* in words, in the order of the log."""
    leaves = await store.read(Leaves(proposal=proposal, limit=_MOST))
    return [
        HistoryEntry(at=leaf.at, what=_what(leaf), who=await _who(store, leaf), leaf=leaf.index)
        for leaf in leaves
    ]


def _what(leaf: Leaf) -> str:
    body = json.loads(leaf.body)
    what = _WHAT.get(leaf.type, leaf.type)
    if leaf.type == "proposal.submitted" and body["state"] != "pending":
        return f"{what}, and {'allowed' if body['state'] == 'approved' else 'refused'} by a rule"
    if leaf.type in ("execution.outcome", "settlement", "execution.late_report"):
        return f"{what}: {_RESULTS.get(body['result'], body['result'])}"
    if leaf.type in ("card.posted", "decision.approve", "decision.reject"):
        return f"{what} in {body['chat']}"
    return what


_RESULTS = {
    "succeeded": "it happened",
    "failed": "it did not happen",
    "in_doubt": "not known whether it happened",
}


async def _who(store: Store, leaf: Leaf) -> str:
    kind, _, id_ = json.loads(leaf.body)["actor"].partition(":")
    if kind == ActorKind.PERSON:
        person = await store.read(PersonById(PersonId(id_)))
        return person.display_name if person is not None else id_
    if kind == ActorKind.AGENT:
        agent = await store.read(AgentById(id_))
        return agent.name if agent is not None else id_
    return _SYSTEM_NAMES.get(id_, "Keyturn")
