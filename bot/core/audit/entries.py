"""What each type of entry may do to a proposal, in terms of the table in bot.core.states.

An entry of a type that is not here is named in the report, and may not change any state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.core.states import TERMINAL, Event, State


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryKind:
    """``moves`` are the events it may record; ``keeps`` the states in which it may change none."""

    moves: frozenset[Event] = frozenset()
    keeps: frozenset[State] = frozenset()


_ANY: Final = frozenset(State)
_OPEN: Final = _ANY - TERMINAL


def _moves(*events: Event, keeps: frozenset[State] = frozenset()) -> EntryKind:
    return EntryKind(moves=frozenset(events), keeps=keeps)


NOTE: Final = EntryKind(keeps=_ANY)

#: Types of entries about one proposal. ``proposal.submitted`` begins a life and is not here.
OF_PROPOSALS: Final[Mapping[str, EntryKind]] = MappingProxyType(
    {
        "card.lost": NOTE,
        "card.posted": NOTE,
        "card.viewed": EntryKind(keeps=_OPEN),
        "card.undeliverable": NOTE,
        "click.refused": NOTE,
        "decision.approve": _moves(Event.APPROVE, keeps=frozenset({State.PENDING})),
        "decision.reject": _moves(Event.REJECT),
        "proposal.expired": _moves(Event.EXPIRE),
        "proposal.withdrawn": _moves(Event.WITHDRAW),
        "proposal.revoked": _moves(Event.REVOKE),
        "proposal.superseded": _moves(Event.SUPERSEDE),
        # A second intent in the same state is a take-over, under the same key.
        "execution.intent": _moves(Event.CLAIM, keeps=frozenset({State.EXECUTING})),
        "execution.outcome": _moves(Event.SUCCEED, Event.FAIL, Event.LOSE),
        "execution.late_report": _moves(Event.SUCCEED, Event.FAIL, keeps=_ANY),
        "grant.released": _moves(Event.GRANT),
        "grant.redeemed": _moves(Event.REDEEM),
        "grant.refused": NOTE,
        "grant.outcome": _moves(Event.SUCCEED, Event.FAIL, Event.LOSE),
        "grant.late_report": _moves(Event.SUCCEED, Event.FAIL, keeps=_ANY),
        "proposal.acknowledged": EntryKind(keeps=TERMINAL),
        "proposal.not_told": NOTE,
        "settlement": _moves(Event.SUCCEED, Event.FAIL),
        "undo.requested": EntryKind(keeps=frozenset({State.SUCCEEDED})),
    }
)

#: Where a proposal may begin, and whether that needs an approval to be asked for.
BEGINS: Final[Mapping[State, bool | None]] = MappingProxyType(
    {State.PENDING: True, State.APPROVED: False, State.DENIED: None}
)

#: A restore keeps what it knows of later proposals, so that their keys are not used anew: they are
#: over, or in doubt.
CARRIED_OVER: Final = "proposal.carried_over"
CARRIES_OVER: Final = TERMINAL | {State.IN_DOUBT}

#: A restore went back, and the log goes on from there under another origin.
LOG_OPENED: Final = "log.opened"

DECISIONS: Final = frozenset({"decision.approve", "decision.reject"})

#: Types of entries that are about no proposal.
OF_THE_OFFICE: Final = frozenset(
    {
        "agent.created",
        "agent.limits_changed",
        "agent.revoked",
        "agent.token_rotated",
        "agent.webhook_removed",
        "agent.webhook_rotated",
        "agent.webhook_set",
        "agent.webhook_stopped",
        # A grant that is not one of ours is about no proposal.
        "grant.refused",
        "halt.ended",
        "halt.set",
        "identity.code_made",
        "identity.linked",
        "identity.unlinked",
        "notice_route.ended",
        "notice_route.set",
        "person.admin_token",
        "person.created",
        "person.deactivated",
        "person.email_set",
        "person.erased",
        "person.roles_changed",
        "key.rotated",
        "log.opened",
        "policy.activated",
        "resource_server.created",
        "resource_server.revoked",
        "resource_server.token_rotated",
        "sign_in.done",
        "sign_in.link_made",
        "token.ended",
    }
)
