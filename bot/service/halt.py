"""People stop things, and let them go on."""

from collections.abc import Sequence

from bot.core.actors import Actor
from bot.core.effects import Lease
from bot.core.halts import Halt, HaltTarget
from bot.core.ids import ID_ENTROPY_BYTES, HaltId, PersonId, ProposalId, halt_id
from bot.core.states import ActorKind
from bot.core.step import Ask
from bot.core.transitions import ending, halting
from bot.ports.queries import Halts as HaltsQuery
from bot.ports.queries import Stoppable
from bot.service.gate import Gate

#: Where a halt was set or ended, when it was in no chat.
ADMIN_INTERFACE = "admin"

_SWEEP_CHUNK = 100
_ALL = 1000


class Halts:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def halt(
        self, actor: Actor, target: HaltTarget, *, reason: str, via: str = ADMIN_INTERFACE
    ) -> Halt:
        """Stop *target*; in force when this returns.

        Raises:
            NotPermitted: it is not theirs to stop.
        """
        new = halt_id(self._gate.entropy(ID_ENTROPY_BYTES))
        halt = await self._gate.commit(
            Ask(person=_person(actor), agent=target.agent),
            lambda snapshot: halting.set_halt(
                snapshot, halt_id=new, target=target, actor=actor, reason=reason, via=via
            ),
        )
        self._gate.tally.count("halts", target.scope)
        return halt

    async def resume(
        self, actor: Actor, halt: HaltId, *, reason: str, via: str = ADMIN_INTERFACE
    ) -> Halt:
        """Let new work begin again; nothing that was stopped comes back.

        Raises:
            NotPermitted: it is not theirs to end.
            NotFound: there is no such halt, or it was ended before.
            InvalidInput: the reason is empty.
        """
        known = {h.id: h for h in await self.list(active_only=True)}
        target = known[halt].target if halt in known else None
        return await self._gate.commit(
            Ask(person=_person(actor), agent=None if target is None else target.agent),
            lambda snapshot: halting.end_halt(
                snapshot, halt=halt, actor=actor, reason=reason, via=via
            ),
        )

    async def list(self, *, active_only: bool) -> Sequence[Halt]:
        halts = await self._gate.store.read(HaltsQuery(in_force=active_only, limit=_ALL))
        return [halt for halt in halts if halt.is_active] if active_only else halts

    async def sweep(self, lease: Lease) -> None:
        """Write as revoked, in chunks, what the halt of *lease* has ended."""
        gate = self._gate
        everything = await gate.store.read(HaltsQuery(limit=_ALL))
        halt = next((h for h in everything if h.id == lease.effect.subject), None)
        after: ProposalId | None = None
        while halt is not None:
            chunk = await gate.store.read(
                Stoppable(
                    until=halt.set_at,
                    agent=halt.target.agent,
                    principal=halt.target.principal,
                    connector=halt.target.connector,
                    after=after,
                    limit=_SWEEP_CHUNK,
                )
            )
            for proposal in chunk:
                await self._revoke(proposal.id)
            if len(chunk) < _SWEEP_CHUNK:
                break
            after = chunk[-1].id
        await gate.commit(
            Ask(),
            lambda snapshot: halting.swept(
                snapshot, halt=HaltId(lease.effect.subject), lease=lease
            ),
        )

    async def _revoke(self, proposal: ProposalId) -> None:
        await self._gate.commit(
            Ask(proposals=(proposal,)), lambda snapshot: ending.sweep(snapshot, proposal)
        )


def _person(actor: Actor) -> PersonId | None:
    return PersonId(actor.id) if actor.kind is ActorKind.PERSON else None
