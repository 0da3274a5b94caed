"""What the pages say about a card in their own voice, with the icon and the tone beside it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from bot.core import words
from bot.core.card import Card
from bot.core.states import State
from bot.core.verbs import Reach
from bot.core.words import (
    CLAIMED,
    DECIDING,
    KIND,
    NOT_PINNED,
    asks_for,
    has_before,
    in_utc,
    is_short,
    is_unchanged,
    may_change_unseen,
    needs_full_view,
    readers,
    relative,
    rule,
    shown_of,
    stopped,
)
from bot.ports.queries import OPEN_STATES

__all__ = [
    "CLAIMED",
    "DECIDING",
    "KIND",
    "NOT_PINNED",
    "OPEN",
    "REACH",
    "STATE",
    "UNDO",
    "ReachWords",
    "StateWords",
    "asks_for",
    "chat_title",
    "has_before",
    "in_utc",
    "is_short",
    "is_unchanged",
    "link_words",
    "may_change_unseen",
    "needs_full_view",
    "readers",
    "relative",
    "rule",
    "shown_of",
    "standing",
    "stopped",
    "undo_words",
]


#: What somebody still has to say something about.
OPEN = frozenset(OPEN_STATES)


class ReachWords(NamedTuple):
    label: str
    icon: str


_REACH_ICONS = {
    Reach.PRIVATE: "person",
    Reach.ORGANISATION: "house",
    Reach.OUTSIDE: "door",
    Reach.PUBLIC: "globe",
    Reach.UNKNOWN: "question",
}
REACH: Mapping[Reach, ReachWords] = MappingProxyType(
    {reach: ReachWords(words.REACH[reach], icon) for reach, icon in _REACH_ICONS.items()}
)


class StateWords(NamedTuple):
    """``tone`` names a colour; the label and the icon say the same without it."""

    label: str
    icon: str
    tone: str


_STATE_LOOKS = {
    State.PENDING: ("keyhole", "open"),
    State.APPROVED: ("key", "yes"),
    State.EXECUTING: ("key", "yes"),
    State.RELEASED: ("key", "yes"),
    State.REDEEMED: ("key", "yes"),
    State.IN_DOUBT: ("question", "doubt"),
    State.SUCCEEDED: ("done", "yes"),
    State.FAILED: ("cross", "no"),
    State.DENIED: ("cross", "no"),
    State.REJECTED: ("cross", "no"),
    State.EXPIRED: ("clock", "quiet"),
    State.WITHDRAWN: ("back", "quiet"),
    State.SUPERSEDED: ("back", "quiet"),
    State.REVOKED: ("stop", "no"),
}
STATE: Mapping[State, StateWords] = MappingProxyType(
    {state: StateWords(words.STATE[state], *look) for state, look in _STATE_LOOKS.items()}
)

_UNDO_LOOKS = {
    State.PENDING: ("keyhole", "open"),
    State.APPROVED: ("back", "open"),
    State.EXECUTING: ("back", "open"),
    State.SUCCEEDED: ("back", "quiet"),
    State.IN_DOUBT: ("question", "doubt"),
}
#: How an undo stands, as the card of what it undoes says it.
UNDO: Mapping[State, StateWords] = MappingProxyType(
    {state: StateWords(words.UNDO[state], *look) for state, look in _UNDO_LOOKS.items()}
)
_NOT_UNDONE = StateWords(words.NOT_UNDONE, "cross", "no")


def undo_words(card: Card) -> StateWords | None:
    """Return how the undo of what *card* shows stands, if there is one."""
    return None if card.undo_state is None else UNDO.get(card.undo_state, _NOT_UNDONE)


def standing(card: Card) -> StateWords:
    """Return what a list says became of it: what was undone is done no more."""
    return (undo_words(card) if words.is_undone(card) else None) or STATE[card.state]


_TITLES: Mapping[str, str] = MappingProxyType({"slack": "Slack", "teams": "Microsoft Teams"})
#: What people type in a chat before a code; elsewhere they send it to Keyturn in private.
_COMMANDS: Mapping[str, str] = MappingProxyType({"slack": "/keyturn link"})


def chat_title(chat: str) -> str:
    """Return what people call the chat that the settings call *chat*."""
    return _TITLES.get(chat, chat.capitalize())


def link_words(chat: str, code: str) -> str:
    """Return what a person types in *chat* to redeem *code*."""
    return f"{_COMMANDS.get(chat, 'link')} {code}"
