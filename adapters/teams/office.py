"""What the listeners work with: the desk behind them, and what the rest of the chat does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.teams.inbound import Sender
from bot.core.identified import Identified
from bot.core.ids import PersonId, ProposalId
from bot.ports.desk import Desk


class CardKeeper(Protocol):
    """Knows where cards are. None of its methods raises: what fails is tried again."""

    async def adopt(
        self, sender: Sender, activity_id: str, proposal: ProposalId, person: PersonId
    ) -> None:
        """Keep the activity up to date: it shows a card of *proposal* to *person*."""
        ...

    async def refresh(self, proposal: ProposalId, person: PersonId) -> None:
        """Bring the cards of *person* to what is true now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """``clicker`` verifies organisation and account of a sender, and finds whose account it is.

    ``say`` sends an activity into the sender's personal chat, wherever the sender was seen, and
    raises nothing for what the Connector does. ``web_url`` is where people find the web inbox;
    None where there is none.
    """

    desk: Desk
    chat_name: str
    clicker: Callable[[Sender], Awaitable[Identified]]
    cards: CardKeeper
    say: Callable[[Sender, Mapping[str, Any]], Awaitable[None]]
    web_url: str | None = None
