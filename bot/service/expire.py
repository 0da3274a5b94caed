"""Every clock: nobody decided in time, nobody acted in time, nobody reported in time."""

from bot.core.ids import ProposalId
from bot.core.states import State
from bot.core.step import Ask, Snapshot, Step
from bot.core.transitions import ending, reporting
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
        def step(snapshot: Snapshot) -> Step[None]:
            found = snapshot.proposals.get(proposal)
            if found is not None and found.state is State.REDEEMED:
                return reporting.unreported(snapshot, proposal)
            return ending.expire(snapshot, proposal)

        await self._gate.commit(Ask(proposals=(proposal,)), step)
        self._gate.tally.count("expired")
