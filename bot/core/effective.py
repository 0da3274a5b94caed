"""What a proposal is now, though its row may not say so yet."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.core.halts import Halt, ended_by
from bot.core.proposal import Proposal
from bot.core.states import EXPIRABLE, State
from bot.core.transitions.ending import CLOCK


def effective(proposal: Proposal, *, halts: Iterable[Halt], now: datetime) -> Proposal:
    """Return *proposal* as every reader must see it: revoked by a halt, expired by a clock."""
    halt = ended_by(halts, proposal)
    if halt is not None:
        return replace(
            proposal, state=State.REVOKED, reason=halt.reason or None, reason_by=halt.set_by
        )
    if proposal.state in EXPIRABLE and proposal.due_at is not None and now >= proposal.due_at:
        return replace(proposal, state=State.EXPIRED, reason=None, reason_by=CLOCK)
    return proposal
