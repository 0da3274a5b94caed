"""The sentences and names that every chat says about a card in its own voice: never an agent's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from bot.core.approval import (
    AGENT_OWNER,
    GROUP_PREFIX,
    PRINCIPAL,
    Approval,
    ApprovalMode,
)
from bot.core.card import Button, Card, Field
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import AgentId
from bot.core.states import State
from bot.core.verbs import Kind, Reach

#: The buttons that decide or settle: on a card that is final there MUST be none.
DECIDING = frozenset({Button.APPROVE, Button.REJECT, Button.SETTLE_DONE, Button.SETTLE_NOT_DONE})

#: Over what an agent says of its own action, wherever that is shown.
CLAIMED = "Claimed by the agent. Not verified."

REACH: Mapping[Reach, str] = MappingProxyType(
    {
        Reach.PRIVATE: "Private",
        Reach.ORGANISATION: "Your organisation",
        Reach.OUTSIDE: "Outside your organisation",
        Reach.PUBLIC: "Public",
        Reach.UNKNOWN: "Unknown reach",
    }
)

STATE: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: "Waiting",
        State.APPROVED: "Approved",
        State.EXECUTING: "Under way",
        State.RELEASED: "Released",
        State.REDEEMED: "Grant used",
        State.IN_DOUBT: "In doubt",
        State.SUCCEEDED: "Done",
        State.FAILED: "Failed",
        State.DENIED: "Refused by a rule",
        State.REJECTED: "Rejected",
        State.EXPIRED: "Expired",
        State.WITHDRAWN: "Taken back",
        State.SUPERSEDED: "Replaced",
        State.REVOKED: "Stopped",
    }
)

KIND: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.READ: "reads",
        Kind.EGRESS: "carries data out",
        Kind.WRITE: "writes",
        Kind.DESTRUCTIVE: "destroys",
        Kind.PERMISSION: "changes who may do what",
    }
)

#: How an undo stands, as the card of what it undoes says it.
UNDO: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: "Somebody was asked to undo this",
        State.APPROVED: "Being undone",
        State.EXECUTING: "Being undone",
        State.SUCCEEDED: "Undone",
        State.IN_DOUBT: "It is not known whether this was undone",
    }
)
NOT_UNDONE = "Not undone: it did not work, or was stopped"

NOT_PINNED = "Not pinned: the target does not tell whether it changes between now and then."
_AHEAD = frozenset({State.PENDING, State.APPROVED, State.RELEASED})

_TAKEN_BACK = frozenset({State.APPROVED, State.EXECUTING, State.SUCCEEDED})


def asks_for(card: Card, button: str) -> bool:
    """Return whether *card* offers *button* to its reader; a button that decides, only while it
    can still count.
    """
    wanted = Button(button)
    if wanted not in card.buttons:
        return False
    match wanted:
        case Button.APPROVE:
            return card.state is State.PENDING and not card.approve_needs_full_view
        case Button.REJECT | Button.NOT_MINE:
            return card.state is State.PENDING
        case Button.SETTLE_DONE | Button.SETTLE_NOT_DONE:
            return card.state is State.IN_DOUBT
        case Button.UNDO:
            return card.state is State.SUCCEEDED and card.undo_until is not None
        case Button.FULL_VIEW | Button.STOP_AGENT:
            return True


def undo_label(card: Card) -> str | None:
    """Return how the undo of what *card* shows stands, if there is one."""
    return None if card.undo_state is None else UNDO.get(card.undo_state, NOT_UNDONE)


def is_undone(card: Card) -> bool:
    """Return whether what *card* shows is taken back already, or is about to be."""
    return card.undo_state in _TAKEN_BACK


def needs_full_view(card: Card) -> bool:
    """Return whether the reader could approve, had they been shown the whole action."""
    return (
        card.state is State.PENDING
        and Button.APPROVE in card.buttons
        and card.approve_needs_full_view
    )


def may_change_unseen(card: Card) -> bool:
    """Return whether the target of *card* may still change without anybody noticing."""
    return not card.pinned and card.state in _AHEAD


def rule(card: Card) -> str:
    """Return who decides, in one or two sentences."""
    approval = card.approval
    if approval is None:
        return "No person was asked: a rule decided."
    if card.state is not State.PENDING:
        return _needed(approval, card.on_behalf_of)[0]
    is_asked = Button.APPROVE in card.buttons
    if approval.mode is ApprovalMode.CONFIRM and approval.count <= 1:
        if is_asked:
            return "You decide."
        return f"{_anyone(approval, card.on_behalf_of)} decides. Nothing is asked of you."
    given = card.approvals_given
    so_far = {0: "nobody has approved yet", 1: "1 has approved"}.get(
        given, f"{given} have approved"
    )
    if card.is_approved_by_reader:
        asked = "You have approved."
    else:
        asked = "You are one of them." if is_asked else "Nothing is asked of you."
    who, decide = _needed(approval, card.on_behalf_of)
    return f"{who} {decide}; {so_far}. {asked} One rejection ends it."


def _needed(approval: Approval, principal: str) -> tuple[str, str]:
    who = _anyone(approval, principal)
    if approval.count <= 1:
        return who, "decides"
    return f"{approval.count} people of {who}", "decide"


def _anyone(approval: Approval, principal: str) -> str:
    names = [_term(term, principal) for term in approval.approvers]
    if not names:
        return "nobody"
    return " or ".join(dict.fromkeys(names))


def _term(term: str, principal: str) -> str:
    if term == PRINCIPAL:
        return principal
    if term == AGENT_OWNER:
        return "the agent's owner"
    if term.startswith(GROUP_PREFIX):
        return term.removeprefix(GROUP_PREFIX)
    return "a named person"


def shown_of(card: Card) -> str:
    """Return how much of the action the card shows, where some of it is missing."""
    return shown_chars(card.total_chars - card.missing_chars, of=card.total_chars)


def shown_chars(shown: int, *, of: int) -> str:
    return f"{max(shown, 0):,} of {of:,} characters shown"


def has_before(card: Card) -> bool:
    return any(field.before is not None for field in card.fields)


def is_unchanged(field: Field) -> bool:
    return field.before == field.value


def is_short(text: str) -> bool:
    """Return whether *text* reads well on the line of its name."""
    return len(text) <= 48 and "\n" not in text


def readers(count: int) -> str:
    return "1 reader" if count == 1 else f"{count:,} readers"


def stopped(target: HaltTarget, names: Mapping[AgentId, str], reader: str) -> str:
    """Return what a halt stops."""
    agent = names.get(target.agent, str(target.agent)) if target.agent else ""
    match target.scope:
        case HaltScope.ALL:
            return "Every agent is stopped"
        case HaltScope.AGENT:
            return f"{agent} is stopped"
        case HaltScope.AGENT_FOR_PRINCIPAL:
            whom = "you" if target.principal == reader else "one person"
            return f"{agent} is stopped for {whom}"
        case HaltScope.CONNECTOR:
            return f"Everything through {target.connector} is stopped"


def relative(at: datetime, now: datetime) -> str:
    """Return *at* as people say it at *now*, such as "in 42 minutes"."""
    seconds = (at - now).total_seconds()
    amount = _amount(abs(seconds))
    if amount is None:
        return "now" if seconds >= 0 else "just now"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"


def _amount(seconds: float) -> str | None:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return None


def in_utc(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"
