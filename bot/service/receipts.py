"""Receipts: the entries of one proposal, with their place in the signed log."""

from typing import Any

from bot.core.actors import Agent
from bot.core.errors import NotFound
from bot.core.ids import ProposalId
from bot.core.proposal import Proposal
from bot.core.receipt import Proven, Receipt, everything, state_after, told_to_agents
from bot.ports.queries import Leaves, ProposalById
from bot.ports.store import Store
from bot.service.checkpoints import Checkpoints

#: More entries than any proposal has; a chat that refuses many clicks makes the most of them.
_MOST = 10_000


class Receipts:
    def __init__(self, store: Store, checkpoints: Checkpoints) -> None:
        self._store = store
        self._checkpoints = checkpoints

    async def for_agent(self, agent: Agent, proposal: ProposalId) -> dict[str, Any]:
        """Return the receipt of *proposal* as its agent may see it.

        Raises:
            NotFound: there is none, or it is another agent's.
        """
        found = await self._store.read(ProposalById(proposal))
        if found is None or not found.is_of(agent.id):
            raise NotFound("There is no such proposal of this agent.")
        return (await self._receipt(found)).value(may_see=told_to_agents)

    async def whole(self, proposal: ProposalId) -> dict[str, Any]:
        """Return the receipt of *proposal* with everything that is kept.

        Raises:
            NotFound: there is none.
        """
        found = await self._store.read(ProposalById(proposal))
        if found is None:
            raise NotFound("There is no such proposal.")
        return (await self._receipt(found)).value(may_see=everything)

    async def _receipt(self, proposal: Proposal) -> Receipt:
        leaves = await self._store.read(Leaves(proposal=proposal.id, limit=_MOST))
        # Read before it was signed: so every one of them is under the head.
        signed = await self._checkpoints.sign()
        size = signed.checkpoint.size
        indexes = [leaf.index for leaf in leaves]
        proofs = await self._checkpoints.inclusion_proofs(indexes, size)
        # What the row says may be newer or older than these leaves: they have the last word here.
        return Receipt(
            proposal=proposal.id,
            state=state_after(leaves) or proposal.state,
            note=signed.note,
            keys=self._checkpoints.keys,
            entries=[
                Proven(leaf=leaf, proof=proof) for leaf, proof in zip(leaves, proofs, strict=True)
            ],
        )
