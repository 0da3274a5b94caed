"""Ends doubts: asks the target, or takes the word of a named person."""

from typing import assert_never

from bot.core.effects import Lease
from bot.core.ids import PersonId, ProposalId
from bot.core.pressed import Pressed
from bot.core.proposal import Result
from bot.core.step import Ask, Snapshot, Step
from bot.core.transitions import settlement
from bot.core.transitions.execution import execution_key
from bot.ports.connector import Absent, Found, LookedUp, Unknown
from bot.ports.queries import ProposalById
from bot.service.gate import Gate


class Settle:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def by_person(
        self, person: PersonId, proposal: ProposalId, *, result: Result, note: str
    ) -> Pressed:
        """Record what *person* found out.

        Raises:
            NotFound: there is no such proposal.
        """
        return await self._gate.commit(
            Ask(proposals=(proposal,)),
            lambda snapshot: settlement.by_person(
                snapshot, proposal_id=proposal, person=person, result=result, note=note
            ),
        )

    async def look_up(self, lease: Lease) -> None:
        """Ask the target whether the effect of *lease*'s proposal happened."""
        gate = self._gate
        proposal_id = ProposalId(lease.effect.subject)
        proposal = await gate.store.read(ProposalById(proposal_id))
        verb = None if proposal is None else gate.connectors.verbs.get(proposal.action.verb)
        connector = None if proposal is None else gate.connectors.named(proposal.connector)
        answer: LookedUp = Unknown(detail="Its connector is not configured.")
        if proposal is not None and connector is not None and verb is not None:
            answer = await connector.lookup(proposal.action, key=execution_key(proposal_id))

        def step(snapshot: Snapshot) -> Step[None]:
            match answer:
                case Found(reference=reference):
                    return settlement.found_by_look_up(snapshot, lease, reference=reference)
                case Absent() if verb is not None:
                    return settlement.absent_in_look_up(snapshot, lease, verb=verb)
                case Absent() | Unknown():
                    return settlement.unknown_in_look_up(snapshot, lease)
                case _:
                    assert_never(answer)

        await gate.commit(Ask(proposals=(proposal_id,)), step)
