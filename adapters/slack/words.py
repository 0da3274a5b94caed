"""What Slack users read in our own voice, where the other chats have no need to say it."""

from collections.abc import Mapping
from types import MappingProxyType

from adapters.slack.blocks import Ours
from bot.core import words
from bot.core.card import Button, Card
from bot.core.states import State
from bot.core.words import STATE

APPROVAL_NEEDED = "Approval needed"

#: What a phone shows on its lock screen: that something is asked, and never what.
_NOTIFIED: Mapping[State, Ours] = MappingProxyType(
    {
        State.PENDING: Ours("Keyturn: an agent has proposed something."),
        State.APPROVED: Ours("Keyturn: a proposal was approved."),
        State.EXECUTING: Ours("Keyturn: a proposal is being carried out."),
        State.RELEASED: Ours("Keyturn: a grant was handed out."),
        State.REDEEMED: Ours("Keyturn: a grant was used."),
        State.IN_DOUBT: Ours("Keyturn: please look. It is not known whether something happened."),
        State.SUCCEEDED: Ours("Keyturn: a proposal was carried out."),
        State.FAILED: Ours("Keyturn: a proposal failed and had no effect."),
        State.DENIED: Ours("Keyturn: a rule refused a proposal."),
        State.REJECTED: Ours("Keyturn: a proposal was rejected."),
        State.EXPIRED: Ours("Keyturn: a proposal expired. Nothing was done."),
        State.WITHDRAWN: Ours("Keyturn: a proposal was taken back."),
        State.SUPERSEDED: Ours("Keyturn: a proposal was replaced."),
        State.REVOKED: Ours("Keyturn: a proposal was stopped."),
    }
)
_ASKED = Ours("Keyturn: an agent asks for your approval.")
ANSWERED = Ours("Keyturn has answered your click.")

RECORDED = "Recorded"
NOT_RECORDED = "Not recorded"
NOT_RECORDED_YET = "Not recorded yet"

OUTDATED = "This card is outdated. Open Keyturn's Home tab to see what waits for you now."
CLICK_AGAIN = "Slack gave this click too little time. Nothing was opened or changed. Click again."
WENT_WRONG = (
    "Something went wrong here, and it is not known whether this click counted. "
    "Look at the card, then click again: a second click does no harm."
)
VIEWED = "You were shown the whole action. Now you can decide."
READ_ON = "Not all of it fits here. Approve appears once you have read the full details to the end."
EXACT = "These are the exact bytes that the approval covers and that will be carried out, as JSON."
THE_END = "This is the end. Nothing is left out."
SLOW = "This takes longer than usual. It goes on, and the answer comes as a message from Keyturn."
GOES_ON = "This takes longer than usual. It goes on, and this window says when it is recorded."
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
HOW_TO_RESUME = "What was not yet carried out will not be. To end this: /keyturn resume"
HOW_TO_UNLINK = "To unlink it, sign in to the web inbox."
RESUMED = "Resumed: new proposals are taken again. What was stopped stays stopped."
NOTHING_STOPPED = "Nothing is stopped."
NOTHING_WAITS = (
    "Nothing waits for you. When an agent wants to write something on your behalf, it is held and "
    "shown here first."
)
NOTHING_DECIDED = "Nothing has been decided yet."
NO_AGENTS = "No agent acts for you, and you own none."
NO_CHANNELS = "No channel gets notices yet."
ADMINS_ONLY = "Only an admin of Keyturn may do this. Being an admin of Slack does not count here."
ROUTE_SET = "Saved. Notices go to this channel from now on."
ROUTE_ENDED = "This channel gets no notices any more."
HOW_TO_LINK = (
    "This Slack account is not linked to a person yet, so nothing was done. Sign in to Keyturn's "
    "web inbox, ask for a code for Slack, and type here: /keyturn link CODE"
)


def linked_already(name: str) -> str:
    return f"This account is linked to {name} already. {HOW_TO_UNLINK}"


def notification(card: Card) -> Ours:
    """Return what a notification says about *card*."""
    is_asked = card.state is State.PENDING and Button.APPROVE in card.buttons
    return _ASKED if is_asked else _NOTIFIED[card.state]


def heading(card: Card) -> str:
    """Return how *card* stands and how far it reaches, in a few words."""
    return f"{standing(card)} · {words.REACH[card.audience.reach]}"


def standing(card: Card) -> str:
    if card.state is State.PENDING and Button.APPROVE in card.buttons:
        return APPROVAL_NEEDED
    undo = words.undo_label(card) if words.is_undone(card) else None
    return undo or STATE[card.state]


def asks(card: Card, *, agent: str, principal: str) -> str:
    """Return who asks whom, with the names as they can be shown."""
    if card.undoes is not None:
        does = "is asked to undo" if card.state is State.PENDING else "undoes"
        return f"{principal} {does} what {agent} did"
    does = "asks" if card.state is State.PENDING else "asked"
    return f"{agent} {does}, on behalf of {principal}"
