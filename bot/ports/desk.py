"""What a chat may ask of us, on behalf of a person it has identified beyond doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.actors import Person
from bot.core.card import Button, Card, FullViewPage
from bot.core.halts import Halt, HaltTarget
from bot.core.ids import HaltId, PersonId, ProposalId
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded
from bot.core.verbs import Audience

__all__ = [
    "Click",
    "Desk",
    "HistoryEntry",
    "Inbox",
    "NotRecorded",
    "NotYetRecorded",
    "Pressed",
    "Recorded",
    "SignInLink",
    "UndoOffer",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """What a person pressed. ``digest_prefix`` is what their card carried; at least 16 hex digits.

    ``note`` is the reason of a rejection or the finding of a person who settles a doubt.
    """

    person: PersonId
    chat: str
    proposal: ProposalId
    digest_prefix: str
    button: Button
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What waits for a person, oldest first, and what was decided, newest first.

    ``waiting_total`` counts all that waits; ``waiting`` may hold fewer.
    """

    waiting: Sequence[Card]
    decided: Sequence[Card]
    halts: Sequence[Halt]
    waiting_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One recorded step in the life of a proposal, in words."""

    at: datetime
    what: str
    who: str
    leaf: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """``code`` is shown once, works once and only until ``expires_at``."""

    person: PersonId
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOffer:
    """What pressing Undo would do until ``until``; ``effect`` and ``target`` are as on a card."""

    audience: Audience
    effect: str
    target: str
    until: datetime


class Desk(Protocol):
    """Every method MUST re-check the person's rights from committed state.

    None trusts the chat beyond who the person is.
    """

    async def press(self, click: Click) -> Pressed:
        """Record *click*, or say why not. MUST NOT raise for anything a person can do."""
        ...

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        """Return the card as *person* may see it now.

        Raises:
            NotFound: there is no such proposal, or it is not theirs to see.
        """
        ...

    async def full_view(self, person: PersonId, proposal: ProposalId, *, page: int) -> FullViewPage:
        """Return one page of the whole action. Serving it changes nothing.

        Raises:
            NotFound: as for :meth:`card`.
        """
        ...

    async def undo_offer(self, person: PersonId, proposal: ProposalId) -> UndoOffer:
        """Return what undoing *proposal* would do. Asking changes nothing.

        Raises:
            NotFound: as for :meth:`card`.
            IllegalTransition: it cannot be undone now, or not by *person*; the message says why.
            UpstreamFailed: the target could not be asked.
        """
        ...

    async def viewed(self, person: PersonId, proposal: ProposalId, *, chat: str) -> None:
        """Record that *person* was served the last page of the full view."""
        ...

    async def history(self, person: PersonId, proposal: ProposalId) -> Sequence[HistoryEntry]:
        """Return what was recorded about *proposal*, in order."""
        ...

    async def receipt(self, person: PersonId, proposal: ProposalId) -> str:
        """Return the receipt of *proposal*, as the text of a file that can be verified.

        Raises:
            NotFound: as for :meth:`card`.
        """
        ...

    async def inbox(self, person: PersonId, *, max_chars: int, limit: int = 50) -> Inbox: ...

    async def halt(self, person: PersonId, target: HaltTarget, *, reason: str, chat: str) -> Halt:
        """Stop *target*.

        Raises:
            NotPermitted: it is not theirs to stop.
        """
        ...

    async def resume(self, person: PersonId, halt: HaltId, *, reason: str, chat: str) -> Halt:
        """End a halt. What it stopped stays stopped.

        Raises:
            NotPermitted: it is not theirs to end.
            NotFound: there is no such halt, or it was ended before.
            InvalidInput: the reason is empty.
        """
        ...

    async def sign_in(self, code: str) -> Person:
        """Return whose link *code* is, once.

        Raises:
            NotAuthenticated: it is unknown, used or too old.
        """
        ...

    async def person(self, person: PersonId) -> Person:
        """Return the person as they are now.

        Raises:
            NotAuthenticated: unknown, or no longer active.
        """
        ...
