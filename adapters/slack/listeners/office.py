"""What the listeners work with: the desk behind them, and what the rest of the chat does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.actors import Person
from bot.core.identified import Identified
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId, ProposalId
from bot.ports.desk import Desk


class CardKeeper(Protocol):
    """Knows where cards and Homes are. None of its methods raises: what fails is tried again."""

    async def adopt(self, channel: str, ts: str, proposal: ProposalId, person: PersonId) -> None:
        """Keep the message at *channel* and *ts* up to date: it is a card of *proposal*."""
        ...

    async def refresh(self, proposal: ProposalId, person: PersonId) -> None:
        """Bring the cards of *person* to what is true now."""
        ...

    async def met(self, identity: ChatIdentity, channel: str) -> None:
        """Remember *channel* as the private conversation with *identity*."""
        ...

    async def home(self, person: Person, identity: ChatIdentity) -> None:
        """Publish the Home of *person* anew, soon and not more often than Slack takes it."""
        ...


class Lifecycle(Protocol):
    """Is told what happens to the app and to accounts, by Slack's own team and user ids."""

    async def removed(self, *, enterprise: str | None, team: str | None) -> None:
        """Find out whether the installation is gone, and ask its people elsewhere if it is."""
        ...

    async def changed(self, *, team: str | None, user: str) -> None:
        """Forget what was known about an account."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """``clicker`` verifies tenant and account of a payload, and finds whose account it is.

    ``place_of`` returns where notices go that are meant for a channel named in a payload.
    ``web_url`` is where people find the web inbox; None where there is none.
    """

    desk: Desk
    chat_name: str
    clicker: Callable[[Mapping[str, Any]], Awaitable[Identified]]
    place_of: Callable[[Mapping[str, Any], str], Awaitable[str]]
    cards: CardKeeper
    web_url: str | None = None
    lifecycle: Lifecycle | None = None
