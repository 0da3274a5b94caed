"""What can be pressed, chosen and filled in; which card it is about is :mod:`bot.core.about`."""

from enum import StrEnum, unique
from typing import Final

from bot.core.about import About, parse_about
from bot.core.errors import InvalidInput


@unique
class ActionId(StrEnum):
    """What can be pressed. Which card it is about is in the value, never in the id."""

    APPROVE = "keyturn.approve"
    REJECT = "keyturn.reject"
    FULL_VIEW = "keyturn.full_view"
    PAGE_BACK = "keyturn.page_back"
    PAGE_ON = "keyturn.page_on"
    MORE = "keyturn.more"
    NOT_MINE = "keyturn.not_mine"
    UNDO = "keyturn.undo"
    SETTLE_DONE = "keyturn.settle_done"
    SETTLE_NOT_DONE = "keyturn.settle_not_done"
    OPEN = "keyturn.open"
    STOP_AGENT = "keyturn.stop_agent"
    STOP = "keyturn.stop"
    RESUME = "keyturn.resume"
    LINK = "keyturn.link"
    CHANNELS = "keyturn.channels"
    END_ROUTE = "keyturn.end_route"


@unique
class More(StrEnum):
    """What the menu of a card offers; its value follows after a colon."""

    STOP = "stop"
    NOT_MINE = "not_mine"


@unique
class Callback(StrEnum):
    """Which modal was sent."""

    REJECT = "keyturn.reject"
    SETTLE_DONE = "keyturn.settle_done"
    SETTLE_NOT_DONE = "keyturn.settle_not_done"
    UNDO = "keyturn.undo"
    STOP_THIS = "keyturn.stop_this"
    STOP = "keyturn.stop"
    RESUME = "keyturn.resume"
    CHANNELS = "keyturn.channels"
    SHOWN = "keyturn.shown"  #: has nothing to send


#: The global shortcut and the slash command, as the manifest names them.
STOP_SHORTCUT: Final = "keyturn.stop"
COMMAND: Final = "/keyturn"


@unique
class Asked(StrEnum):
    """The inputs of modals: each stands alone in a block of the same name."""

    NOTE = "note"
    WHAT = "what"
    CHANNEL = "channel"
    TOPICS = "topics"
    AGENTS = "agents"
    VERBS = "verbs"


def parse_more(value: str | None) -> tuple[More, About]:
    """Return what was chosen in the menu of a card.

    Raises:
        InvalidInput: it is none of ours.
    """
    name, _, rest = (value or "").partition(":")
    about = parse_about(rest)
    try:
        return More(name), about
    except ValueError:
        raise InvalidInput("This menu is of another version of Keyturn.") from None
