"""A proposal as its agent sees it, in plain values.

:class:`bot.http.models.ProposalAnswer` is the definition; this writes it without a detour,
because every submit and every wake-up ends here.
"""

from bot.core.proposal import Outcome, Proposal
from bot.core.states import TERMINAL, State
from bot.core.status import WORDING, agent_message, is_unknown_since_restore
from bot.service.checkpoints import Checkpoints
from bot.service.reading import delivery_of

#: While it is here, nobody can tell the agent whether the effect happened.
_UNTOLD = frozenset({State.EXECUTING, State.REDEEMED, State.IN_DOUBT})


def status_of(proposal: Proposal) -> int:
    """Return 200 for what is final, 202 for what is still to be decided or done."""
    return 200 if proposal.state in TERMINAL else 202


def proposal_answer(proposal: Proposal) -> dict[str, object]:
    state = proposal.state
    is_untold = state in _UNTOLD or is_unknown_since_restore(proposal)
    return {
        "id": proposal.id,
        "state": state.value,
        "mode": proposal.mode.value,
        "audience": proposal.audience,
        "digest": proposal.digest,
        "action_digest": proposal.action_digest,
        "executed": None if is_untold else state is State.SUCCEEDED,
        "may_retry": WORDING[state].may_resubmit,
        "expires_at": proposal.expires_at,
        "use_by": proposal.use_by,
        "delivery": delivery_of(proposal).value,
        "message": agent_message(proposal),
        "reason": proposal.reason,
        "outcome": _outcome(proposal.outcome),
        "supersedes": proposal.supersedes,
        "superseded_by": proposal.superseded_by if state is State.SUPERSEDED else None,
        "successor": proposal.superseded_by if state is State.FAILED else None,
        "successor_of": proposal.successor_of,
        "correlation": proposal.correlation,
        "acknowledged_at": proposal.acknowledged_at,
        "created_at": proposal.created_at,
        "changed_at": proposal.changed_at,
    }


async def told(checkpoints: Checkpoints, proposal: Proposal) -> dict[str, object]:
    """Return the answer about *proposal*; what is final is under a signed head before it is told.

    Raises:
        StoreUnavailable: the head could not be read.
    """
    if proposal.state in TERMINAL:
        await checkpoints.sign()
    return proposal_answer(proposal)


def _outcome(outcome: Outcome | None) -> dict[str, object] | None:
    if outcome is None:
        return None
    return {
        "result": outcome.result.value,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "reference": outcome.reference,
        "claimed_by": None if outcome.claimed_by is None else outcome.claimed_by.kind.value,
        "at": outcome.at,
    }
