"""Which card a button is about: an id and a digest, no right.

What a button carries came back from somebody's client: it names a proposal and grants nothing.
"""

import re
from dataclasses import dataclass
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


def parse_agent(value: str | None) -> AgentId:
    if not _AGENT.fullmatch(value or ""):
        raise InvalidInput("This agent is not known here.")
    return AgentId(value or "")


def parse_halt(value: str | None) -> HaltId:
    if not _HALT.fullmatch(value or ""):
        raise InvalidInput("There is no such stop.")
    return HaltId(value or "")
