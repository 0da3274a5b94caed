"""Cards that their people cannot reach any more, so that these are asked in another chat."""

from logging import getLogger
from typing import Final

from bot.core.ids import ProposalId
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.step import Ask
from bot.core.transitions.delivery import is_lost, lost
from bot.ports.queries import Proposals
from bot.service.gate import Gate

log = getLogger(__name__)

_AT_ONCE: Final = 100


async def lost_cards(gate: Gate, chat: str, *, under: str) -> int:
    """Have what waits on cards of *chat* at places beginning with *under* shown elsewhere.

    The answer counts those cards.
    """
    count = 0
    before: ProposalId | None = None
    while True:
        page = await gate.store.read(
            Proposals(states=(State.PENDING,), before=before, limit=_AT_ONCE)
        )
        ids = tuple(proposal.id for proposal in page if _has_lost(proposal, chat, under))
        if ids:
            count += await _record(gate, ids, chat, under)
        if len(page) < _AT_ONCE:
            break
        before = page[-1].id
    if count:
        log.error("cards are reached no more", extra={"chat": chat, "cards": count})
    return count


async def _record(gate: Gate, ids: tuple[ProposalId, ...], chat: str, under: str) -> int:
    return await gate.commit_done(
        Ask(proposals=ids), lambda snapshot: lost(snapshot, ids, chat=chat, under=under)
    )


def _has_lost(proposal: Proposal, chat: str, under: str) -> bool:
    return any(is_lost(delivery, chat=chat, under=under) for delivery in proposal.deliveries)
