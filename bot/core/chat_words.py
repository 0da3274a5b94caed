"""What people read in a chat in our own voice, whichever chat it is."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.core.card import Button, Card
from bot.core.states import State
from bot.core.words import REACH, STATE, is_undone, undo_label

APPROVAL_NEEDED = "Approval needed"
APPROVED_BY_YOU = "You have approved"

#: What a phone shows on its lock screen: that something is asked, and never what.
_NOTIFIED: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: "Keyturn: an agent has proposed something.",
        State.APPROVED: "Keyturn: a proposal was approved.",
        State.EXECUTING: "Keyturn: a proposal is being carried out.",
        State.RELEASED: "Keyturn: a grant was handed out.",
        State.REDEEMED: "Keyturn: a grant was used.",
        State.IN_DOUBT: "Keyturn: please look. It is not known whether something happened.",
        State.SUCCEEDED: "Keyturn: a proposal was carried out.",
        State.FAILED: "Keyturn: a proposal failed and had no effect.",
        State.DENIED: "Keyturn: a rule refused a proposal.",
        State.REJECTED: "Keyturn: a proposal was rejected.",
        State.EXPIRED: "Keyturn: a proposal expired. Nothing was done.",
        State.WITHDRAWN: "Keyturn: a proposal was taken back.",
        State.SUPERSEDED: "Keyturn: a proposal was replaced.",
        State.REVOKED: "Keyturn: a proposal was stopped.",
    }
)
_ASKED = "Keyturn: an agent asks for your approval."

WENT_WRONG = (
    "Something went wrong here, and it is not known whether this click counted. "
    "Look at the card, then click again: a second click does no harm."
)
READ_ON = "Not all of it fits here. Approve appears once you have read the full details to the end."
EXACT = "These are the exact bytes that the approval covers and that will be carried out, as JSON."
THE_END = "This is the end. Nothing is left out."
SLOW = "This takes longer than usual. It goes on, and the answer comes as a message from Keyturn."
NOT_MINE_MEANS = (
    "It is rejected, the agent is told so, and whoever looks after Keyturn learns that the wrong "
    "person was asked."
)
STOPPED = "Stopped. What was not yet carried out will not be, until a person resumes it."
STOP_MEANS = (
    "This takes effect at once. What was proposed and is not yet carried out will not be, and new "
    "proposals are refused until a person resumes it. Resuming brings nothing back."
)
RESUME_MEANS = "New proposals are taken again. What was stopped stays stopped."
RESUMED = f"Resumed: {RESUME_MEANS[0].lower()}{RESUME_MEANS[1:]}"
HOW_TO_UNLINK = "To unlink it, sign in to the web inbox."
NOTHING_STOPPED = "Nothing is stopped."
NOTHING_WAITS = (
    "Nothing waits for you. When an agent wants to write something on your behalf, it is held and "
    "shown here first."
)
NOTHING_DECIDED = "Nothing has been decided yet."
NO_AGENTS = "No agent acts for you, and you own none."
NO_CHANNELS = "No channel gets notices yet."
ROUTE_SET = "Saved. Notices go to this channel from now on."
ROUTE_ENDED = "This channel gets no notices any more."


def how_to_resume(typed: str) -> str:
    return f"What was not yet carried out will not be. To end this: {typed}"


def how_to_link(chat: str, *, typed: str, where: str = "here") -> str:
    """Return how an account of *chat* becomes somebody's.

    *typed* is the command and ``CODE``, *where* the place it can be typed.
    """
    return (
        f"This {chat} account is not linked to a person yet, so nothing was done. Sign in to "
        f"Keyturn's web inbox, ask for a code for {chat}, and type {where}: {typed}"
    )


def linked_already(name: str) -> str:
    return f"This account is linked to {name} already. {HOW_TO_UNLINK}"


def linked(name: str) -> str:
    return f"This account is linked. Cards for {name} are shown here now."


def notification(card: Card) -> str:
    """Return what a notification says about *card*."""
    is_asked = card.state is State.PENDING and Button.APPROVE in card.buttons
    return _ASKED if is_asked else _NOTIFIED[card.state]


def heading(card: Card) -> str:
    """Return how *card* stands and how far it reaches, in a few words."""
    return f"{standing(card)} · {REACH[card.audience.reach]}"


def standing(card: Card) -> str:
    if card.state is State.PENDING and Button.APPROVE in card.buttons:
        return APPROVAL_NEEDED
    if card.is_approved_by_reader:
        return APPROVED_BY_YOU
    undo = undo_label(card) if is_undone(card) else None
    return undo or STATE[card.state]


def asks(card: Card, *, agent: str, principal: str) -> str:
    """Return who asks whom, with the names as they can be shown."""
    if card.undoes is not None:
        does = "is asked to undo" if card.state is State.PENDING else "undoes"
        return f"{principal} {does} what {agent} did"
    does = "asks" if card.state is State.PENDING else "asked"
    return f"{agent} {does}, on behalf of {principal}"
