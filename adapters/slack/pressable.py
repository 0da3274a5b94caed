"""What can be pressed, chosen and filled in, and what it carries: an id and a digest, no right.

What a button carries came back from somebody's client: it names a proposal and grants nothing.
"""

import re
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from bot.core.card import Card
from bot.core.errors import InvalidInput
from bot.core.ids import AgentId, HaltId, ProposalId

DIGEST_PREFIX_CHARS: Final = 32

_ID = "[0-9a-hj-km-np-tv-z]{26}"
_VALUE: Final = re.compile(
    rf"v1\.(?P<proposal>prp_{_ID})\.(?P<digest>[0-9a-f]{{{DIGEST_PREFIX_CHARS}}})"
    r"(?:\.(?P<page>[0-9]{1,6})\.(?P<part>[0-9]{1,6}))?"
)
_AGENT: Final = re.compile(f"agt_{_ID}")
_HALT: Final = re.compile(f"hlt_{_ID}")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which card a button or a modal is about, and which page of its full view.

    ``page`` is the page that the desk counts, ``part`` what of it one modal shows, both from 1.
    """

    proposal: ProposalId
    digest_prefix: str
    page: int = 1
    part: int = 1


def value_of(card: Card) -> str:
    """Return what the buttons of *card* carry: no secret, and nothing that is decided by it."""
    digest = card.digest.removeprefix("sha256:")
    return f"v1.{card.proposal}.{digest[:DIGEST_PREFIX_CHARS]}"


def spell(about: About) -> str:
    return f"v1.{about.proposal}.{about.digest_prefix}.{about.page}.{about.part}"


def parse_about(value: str | None) -> About:
    """Return what *value*, of a button or of private metadata, is about.

    Raises:
        InvalidInput: it is none of ours.
    """
    found = _VALUE.fullmatch(value or "")
    if found is None:
        raise InvalidInput("This card is of another version of Keyturn.")
    return About(
        proposal=ProposalId(found["proposal"]),
        digest_prefix=found["digest"],
        page=int(found["page"] or 1),
        part=int(found["part"] or 1),
    )


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


def parse_agent(value: str | None) -> AgentId:
    if not _AGENT.fullmatch(value or ""):
        raise InvalidInput("This agent is not known here.")
    return AgentId(value or "")


def parse_halt(value: str | None) -> HaltId:
    if not _HALT.fullmatch(value or ""):
        raise InvalidInput("There is no such stop.")
    return HaltId(value or "")
