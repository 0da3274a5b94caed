"""A chat shows cards to people in private and returns their clicks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from aiohttp import web

from bot.core.card import Card
from bot.core.ids import PersonId, ProposalId
from bot.core.notice import Notice
from bot.ports.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRef:
    """Where one posted card is; ``where`` is the chat's own."""

    chat: str
    person: PersonId
    where: str


class Undeliverable(Exception):
    """The chat cannot reach this person; trying again will not help until something is set up.

    ``reason`` is a stable code, the message a sentence for the operator.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotDeliveredNow(Exception):
    """The chat did not take it this time; it is worth trying again after ``retry_after_s``."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@runtime_checkable
class SignsPeopleIn(Protocol):
    """A chat to which people sign in with Keyturn itself: there are no accounts to link."""

    @property
    def signs_people_in(self) -> Literal[True]: ...


class Chat(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def max_chars(self) -> int:
        """How many characters of an action a card of this chat shows."""
        ...

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
        """Show *card* to *to* alone. The same *key* again MUST NOT show a second card.

        Raises:
            Undeliverable: this person cannot be reached here.
            NotDeliveredNow: try later.
        """
        ...

    async def replace(self, ref: CardRef, card: Card) -> None:
        """Bring a posted card to *card*; MUST be harmless when repeated or out of date.

        Raises:
            Undeliverable: the card is gone for good.
            NotDeliveredNow: try later.
        """
        ...

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:
        """Tell the channel *place*; the same *key* again SHOULD NOT tell it twice.

        Raises:
            Undeliverable: this chat has no channels, or cannot write to that one.
            NotDeliveredNow: try later.
        """
        ...

    async def run(self, desk: Desk) -> None:
        """Receive clicks until cancelled; returns at once where :meth:`routes` does that."""
        ...

    def routes(self, desk: Desk) -> Sequence[web.RouteDef | web.StaticDef]:
        """Return what this chat serves on the people's listener; MUST authenticate by itself."""
        ...

    async def close(self) -> None:
        """End what is open towards people, so that the listener need not wait for it."""
        ...


@runtime_checkable
class Standing(Protocol):
    """What a :class:`Chat` has besides when its cards are made from committed state alone.

    Such a card is on the screen of its person as soon as the proposal is committed: nothing has
    to be posted, and nothing brought up to date.
    """

    def where(self, proposal: ProposalId) -> str:
        """Return where the card of *proposal* is; MUST be what ``post`` would answer."""
        ...

    def look_again(self, person: PersonId) -> None:
        """Have the open pages of *person* show what is committed now."""
        ...
