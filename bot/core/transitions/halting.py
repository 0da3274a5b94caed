"""Setting and ending a halt: one row each, in force with its commit."""

from dataclasses import replace

from bot.core import effects
from bot.core.actors import Actor
from bot.core.errors import InvalidInput, NotFound, NotPermitted
from bot.core.halts import Halt, HaltTarget, may_halt
from bot.core.ids import HaltId
from bot.core.leaf import LeafDraft
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition


def set_halt(
    snapshot: Snapshot, *, halt_id: HaltId, target: HaltTarget, actor: Actor, reason: str, via: str
) -> Step[Halt]:
    """Stop *target*; doing it again is the same halt."""
    if not may_halt(actor, target, person=snapshot.person, agent=snapshot.agent):
        return Refusal(
            NotPermitted(
                "This is not yours to stop.",
                remedy="You may stop an agent for yourself, or an agent that you own.",
            )
        )
    for earlier in snapshot.halts:
        if earlier.is_active and earlier.target == target:
            return Replay(earlier)
    halt = Halt(id=halt_id, target=target, set_by=actor, set_at=snapshot.now, reason=reason)
    return Transition(
        value=halt,
        puts=(halt,),
        leaves=(_leaf("halt.set", halt, actor, reason, via=via),),
        effects=(effects.sweep(halt.id),),
    )


def end_halt(
    snapshot: Snapshot, *, halt: HaltId, actor: Actor, reason: str, via: str
) -> Step[Halt]:
    """Let new work begin again. What was stopped stays stopped."""
    if not reason.strip():
        return Refusal(
            InvalidInput("Say why it may go on.", field="/reason", remedy="Give a reason.")
        )
    found = next((h for h in snapshot.halts if h.id == halt and h.is_active), None)
    if found is None:
        return Refusal(NotFound("There is no such stop, or it has been ended already."))
    if not may_halt(actor, found.target, person=snapshot.person, agent=snapshot.agent):
        return Refusal(NotPermitted("This is not yours to resume."))
    ended = replace(found, resumed_by=actor, resumed_at=snapshot.now, resume_reason=reason.strip())
    return Transition(
        value=ended, puts=(ended,), leaves=(_leaf("halt.ended", ended, actor, reason, via=via),)
    )


def swept(snapshot: Snapshot, *, halt: HaltId, lease: effects.Lease) -> Step[None]:
    """Note that everything the halt ended has been written."""
    found = next((h for h in snapshot.halts if h.id == halt), None)
    puts = () if found is None else (replace(found, swept=True),)
    return Transition(value=None, puts=puts, leaves=(), done=(lease,))


def _leaf(type_: str, halt: Halt, actor: Actor, reason: str, *, via: str) -> LeafDraft:
    target = halt.target
    return LeafDraft(
        type=type_,
        actor=actor,
        agent=target.agent,
        principal=target.principal,
        clear={
            "halt": halt.id,
            "scope": target.scope.value,
            "connector": target.connector,
            "via": via,
        },
        private={"reason": reason},
    )
