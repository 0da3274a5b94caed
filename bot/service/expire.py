"""Both clocks: nobody decided in time, or nobody acted in time."""

from bot.core.ids import ProposalId
from bot.core.step import Ask
from bot.core.transitions import ending
from bot.ports.queries import Due
from bot.service.gate import Gate

_CHUNK = 100


class Expire:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def sweep(self) -> int:
        """End everything whose clock has passed; return how many were looked at."""
        due = await self._gate.store.read(Due(self._gate.clock.now(), limit=_CHUNK))
        for proposal in due:
            await self._expire(proposal.id)
        return len(due)

    async def _expire(self, proposal: ProposalId) -> None:
        await self._gate.commit(
            Ask(proposals=(proposal,)), lambda snapshot: ending.expire(snapshot, proposal)
        )
        self._gate.tally.count("expired")
