"""One plain sentence for each state: for people on the card, for the model in the answer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from bot.core.actors import RESTORER
from bot.core.proposal import Mode, Proposal
from bot.core.states import State


class Wording(NamedTuple):
    """``consent`` is whether a person has agreed; ``may_resubmit`` whether asking anew is fair."""

    for_people: str
    for_agents: str
    consent: bool
    may_resubmit: bool


WORDING: Mapping[State, Wording] = MappingProxyType(
    {
        State.PENDING: Wording(
            "Waiting for a decision.",
            "A person has been asked. Nothing was done. Do not attempt this another way.",
            consent=False,
            may_resubmit=False,
        ),
        State.APPROVED: Wording(
            "Approved. It has not been carried out yet.",
            "Approved. Keyturn will carry it out. Do not do it yourself.",
            consent=True,
            may_resubmit=False,
        ),
        State.EXECUTING: Wording(
            "Approved. It is being carried out now.",
            "Keyturn is carrying it out. Do not do it yourself.",
            consent=True,
            may_resubmit=False,
        ),
        State.RELEASED: Wording(
            "Approved. A single-use grant was handed out.",
            "A single-use grant was handed out for exactly this action.",
            consent=True,
            may_resubmit=False,
        ),
        State.REDEEMED: Wording(
            "The grant was used. The outcome is not known yet.",
            "The grant was used. Report the outcome.",
            consent=True,
            may_resubmit=False,
        ),
        State.IN_DOUBT: Wording(
            "It is not known whether this happened.",
            "It is not known whether this happened. Do not repeat it. A person will find out.",
            consent=True,
            may_resubmit=False,
        ),
        State.SUCCEEDED: Wording(
            "Done.",
            "Done. Keyturn carried it out once.",
            consent=True,
            may_resubmit=False,
        ),
        State.FAILED: Wording(
            "Not done: it failed before it had an effect.",
            "It failed and had no effect. The reason says why.",
            consent=True,
            may_resubmit=True,
        ),
        State.DENIED: Wording(
            "Refused by a rule. Nobody was asked.",
            "A rule of this deployment refuses this. Do not attempt it another way.",
            consent=False,
            may_resubmit=False,
        ),
        State.REJECTED: Wording(
            "Rejected.",
            "A person said no. Do not attempt this another way.",
            consent=False,
            may_resubmit=False,
        ),
        State.EXPIRED: Wording(
            "Nobody answered in time. Nothing was done.",
            "Nobody answered in time. You do not have permission. "
            "Do not attempt this another way; you may ask again.",
            consent=False,
            may_resubmit=True,
        ),
        State.WITHDRAWN: Wording(
            "Taken back. Nothing was done.",
            "Taken back. Nothing was done.",
            consent=False,
            may_resubmit=True,
        ),
        State.SUPERSEDED: Wording(
            "Replaced by a newer proposal. Nothing was done.",
            "Replaced by a newer proposal. Nothing was done.",
            consent=False,
            may_resubmit=False,
        ),
        State.REVOKED: Wording(
            "Stopped before anything was done.",
            "Stopped before anything was done. Do not attempt this another way.",
            consent=False,
            may_resubmit=False,
        ),
    }
)

#: Ends that a rule or a person gave a reason for, in their own words.
_SAYS_WHY = frozenset({State.DENIED, State.REJECTED, State.WITHDRAWN, State.REVOKED})

_EXPIRED_UNUSED = "Approved, but not carried out in time. Nothing was done."
_EXPIRED_GRANT = "Approved and released, but the grant was not used in time."
_TAKE_THE_GRANT = (
    "Approved. Take the grant, which works once and for a short time, and present it to the "
    "resource server. Do exactly what was approved, once."
)
_TAKEN_BACK = (
    "Keyturn carried it out once. Since then a person has asked to take it back. Do not repeat it."
)

_SINCE_RESTORE = (
    "Ended, because a backup was put back. It may have been carried out after the backup was made."
)
_SINCE_RESTORE_FOR_AGENTS = (
    "Ended, because a backup was put back. It is not known whether this happened. Do not repeat it."
)
_CONTENT_ERASED = "Its content was erased."
_ACKNOWLEDGED = "The agent has taken note."


def status_line(proposal: Proposal) -> str:
    """Return what people are told about *proposal* now."""
    sentences = [_told(proposal).strip()]
    if proposal.acknowledged_at is not None:
        sentences.append(_ACKNOWLEDGED)
    if proposal.erased:
        sentences.append(_CONTENT_ERASED)
    return " ".join(sentences)


def _told(proposal: Proposal) -> str:
    if proposal.state is State.EXPIRED and proposal.use_by is not None:
        return _EXPIRED_UNUSED if proposal.grant is None else _EXPIRED_GRANT
    if proposal.outcome is not None and proposal.outcome.claimed_by is not None:
        return f"Keyturn did not do this itself. {proposal.outcome.detail}"
    if proposal.outcome is not None and proposal.state in (
        State.SUCCEEDED,
        State.FAILED,
        State.IN_DOUBT,
    ):
        return f"{WORDING[proposal.state].for_people} {proposal.outcome.detail}".strip()
    if is_unknown_since_restore(proposal):
        return f"{_SINCE_RESTORE} {proposal.reason or ''}".strip()
    told = WORDING[proposal.state].for_people
    if proposal.reason and proposal.state in _SAYS_WHY:
        return f"{told} The reason: {proposal.reason}"
    return told


def is_unknown_since_restore(proposal: Proposal) -> bool:
    """Return whether a restore ended *proposal*: it may have been carried out after the backup."""
    return proposal.state is State.REVOKED and proposal.reason_by == RESTORER


def agent_message(proposal: Proposal) -> str:
    """Return the sentence that a model reads; it never invites a way round."""
    if is_unknown_since_restore(proposal):
        return _SINCE_RESTORE_FOR_AGENTS
    if proposal.state is State.EXPIRED and proposal.use_by is not None:
        return (
            "It was approved but could not be carried out in time. Nothing was done. "
            "Do not attempt this another way; you may ask again."
        )
    if proposal.mode is Mode.RELEASE:
        if proposal.state is State.APPROVED:
            return _TAKE_THE_GRANT
        if proposal.outcome is not None and proposal.outcome.claimed_by is not None:
            return f"{proposal.outcome.detail} Do not repeat it."
    if proposal.state is State.SUCCEEDED and proposal.undone_by is not None:
        return _TAKEN_BACK
    return WORDING[proposal.state].for_agents
