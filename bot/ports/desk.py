"""What a chat may ask of us, on behalf of a person it has identified beyond doubt."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.actors import Person
from bot.core.card import Button, Card, FullViewPage
from bot.core.halts import Halt, HaltTarget
from bot.core.identity import ChatIdentity
from bot.core.ids import AgentId, HaltId, PersonId, ProposalId
from bot.core.notice import NoticeRoute, Topic
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded
from bot.core.verbs import Audience

__all__ = [
    "AgentEntry",
    "Click",
    "Desk",
    "HistoryEntry",
    "Inbox",
    "LinkCode",
    "NotRecorded",
    "NotYetRecorded",
    "Pressed",
    "Recorded",
    "SignInLink",
    "UndoOffer",
    "ViewLink",
    "Viewing",
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

    ``waiting_total`` counts all that waits; ``waiting`` is page ``page`` of ``pages`` of it.
    """

    waiting: Sequence[Card]
    decided: Sequence[Card]
    halts: Sequence[Halt]
    waiting_total: int
    page: int = 1
    pages: int = 1


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
class LinkCode:
    """Joins an account in a chat to ``person``: typed there once, before ``expires_at``."""

    person: PersonId
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewLink:
    """Opens one full view in a browser, once, before ``expires_at``.

    ``url_path`` goes behind the address of the inbox. Whoever has it may read that full view: it is
    shown to its person alone, and kept nowhere.
    """

    url_path: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """Whose link was opened, to what, and the ``chat`` in which they asked for it."""

    person: PersonId
    proposal: ProposalId
    chat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEntry:
    """An agent as a person sees it. ``halts`` are those in force that concern this reader.

    ``may_stop`` is the widest target this reader may stop; ``pending`` counts what waits for them.
    """

    id: AgentId
    name: str
    purpose: str
    owner_name: str
    active: bool
    acts_for_reader: bool
    pending: int
    halts: Sequence[Halt]
    may_stop: HaltTarget | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOffer:
    """What pressing Undo would do until ``until``; ``effect`` and ``target`` are as on a card."""

    audience: Audience
    effect: str
    target: str
    until: datetime


#: A chat is answered within this; a commit that takes longer goes on by itself.
ANSWER_WITHIN_S = 2.5


class Desk(Protocol):
    """Every method MUST re-check the person's rights from committed state.

    None trusts the chat beyond who the person is.
    """

    async def press(self, click: Click, *, within_s: float = ANSWER_WITHIN_S) -> Pressed:
        """Record *click*, or say why not. MUST NOT raise for anything a person can do.

        After *within_s* the answer is :class:`NotYetRecorded`, and the commit goes on.
        """
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

    async def view_link(self, person: PersonId, proposal: ProposalId, *, chat: str) -> ViewLink:
        """Return a new link with which *person*, who is in *chat*, opens the full view elsewhere.

        Raises:
            NotFound: as for :meth:`card`.
        """
        ...

    async def open_view(self, code: str) -> Viewing:
        """Return what the link with *code* opens; of many at once exactly one opens it.

        Raises:
            NotAuthenticated: it is unknown, used or too old, or its person is no longer active.
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

    async def inbox(
        self, person: PersonId, *, max_chars: int, limit: int = 50, page: int = 1
    ) -> Inbox:
        """Return page *page* of what waits, *limit* on each; the last one where it is past that."""
        ...

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

    async def person_of(self, identity: ChatIdentity) -> Person | None:
        """Return whose account *identity* is; None while it is nobody's.

        Raises:
            NotAuthenticated: that person is no longer active.
        """
        ...

    async def linkable_chats(self) -> Sequence[str]:
        """Return the names of the chats in which people have accounts to link."""
        ...

    async def link_code(self, person: PersonId, *, chat: str) -> LinkCode:
        """Return a new code that *person*, signed in elsewhere, types into *chat*.

        Raises:
            NotFound: there is no such chat.
        """
        ...

    async def whose_code(self, code: str, *, by: ChatIdentity | None = None) -> Person:
        """Return the person *code* is for, so that they can confirm. The code stays usable.

        Wrong codes are counted against the account *by* that typed them, where it is named.

        Raises:
            NotAuthenticated: it is unknown, used or too old.
        """
        ...

    async def link(self, code: str, identity: ChatIdentity) -> Person:
        """Join *identity* to the person of *code*, which ends with this.

        Raises:
            NotAuthenticated: the code is unknown, used, too old, or for another chat.
            Conflict: the account belongs to another person, who has to unlink it first.
        """
        ...

    async def identities(self, person: PersonId) -> Sequence[ChatIdentity]:
        """Return every account of *person*."""
        ...

    async def unlink(self, person: PersonId, identity: ChatIdentity) -> None:
        """Part *identity* from *person*; cards there stay and no longer count.

        Raises:
            NotFound: it is not linked to *person*.
        """
        ...

    async def cards_lost(self, chat: str, *, under: str) -> int:
        """Ask elsewhere what waits on cards of *chat* at places that begin with *under*.

        Their people cannot reach them any more. The answer counts them, and is durable.
        """
        ...

    async def agents(self, person: PersonId) -> Sequence[AgentEntry]:
        """Return the agents that act for or belong to *person*; for an admin all, by name."""
        ...

    async def notice_routes(self, person: PersonId) -> Sequence[NoticeRoute]:
        """Return where notices go.

        Raises:
            NotPermitted: *person* is no admin.
        """
        ...

    async def set_notice_route(
        self,
        person: PersonId,
        *,
        chat: str,
        place: str,
        place_name: str,
        topics: Collection[Topic],
        agents: Sequence[str] = (),
        verbs: Sequence[str] = (),
    ) -> NoticeRoute:
        """Send notices of *topics* to *place*, in place of what that channel got until now.

        Raises:
            NotPermitted: *person* is no admin.
            InvalidInput: no topic, or a glob that is none.
        """
        ...

    async def end_notice_route(self, person: PersonId, route: str) -> None:
        """Send *route* nothing any more.

        Raises:
            NotPermitted: *person* is no admin.
            NotFound: there is no such route.
        """
        ...
