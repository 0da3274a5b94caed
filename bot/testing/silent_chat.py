"""A chat without a vendor: it keeps the cards it was given and has no routes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.core.card import Card
from bot.core.ids import PersonId
from bot.ports.chat import CardRef
from bot.ports.desk import Desk


@dataclass(slots=True)
class SilentChat:
    """Implements :class:`bot.ports.chat.Chat`; ``fail_with`` is raised instead of posting.

    ``news`` is set whenever a card was posted or replaced.
    """

    name: str = "silent"
    max_chars: int = 4000
    cards: dict[tuple[PersonId, str], Card] = field(default_factory=dict)
    fail_with: Exception | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
        if self.fail_with is not None:
            raise self.fail_with
        self.cards.setdefault((to, key), card)
        self.news.set()
        return CardRef(chat=self.name, person=to, where=key)

    async def replace(self, ref: CardRef, card: Card) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.cards[ref.person, ref.where] = card
        self.news.set()

    async def run(self, desk: Desk) -> None:
        """There is nothing to receive."""

    def routes(self, desk: Desk) -> Sequence[web.RouteDef | web.StaticDef]:  # noqa: ARG002 - none
        return ()

    async def close(self) -> None:
        """There is nothing to end."""
