"""A chat without a vendor: it keeps the cards it was given and has no routes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.core.card import Card
from bot.core.ids import PersonId
from bot.core.notice import Notice
from bot.ports.chat import CardRef
from bot.ports.desk import Desk


@dataclass(slots=True)
class SilentChat:
    """Implements :class:`bot.ports.chat.Chat`; ``fail_with`` is raised instead of posting a card,
    ``announce_fails_with`` instead of telling a channel.

    ``news`` is set whenever a card was posted or replaced, or a channel told. ``told`` holds what
    each place was told, by its key.
    """

    name: str = "silent"
    max_chars: int = 4000
    cards: dict[tuple[PersonId, str], Card] = field(default_factory=dict)
    told: dict[tuple[str, str], Notice] = field(default_factory=dict)
    fail_with: Exception | None = None
    announce_fails_with: Exception | None = None
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

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:
        if self.announce_fails_with is not None:
            raise self.announce_fails_with
        self.told.setdefault((place, key), notice)
        self.news.set()

    async def run(self, desk: Desk) -> None:
        """There is nothing to receive."""

    def routes(self, desk: Desk) -> Sequence[web.RouteDef | web.StaticDef]:  # noqa: ARG002 - none
        return ()

    async def close(self) -> None:
        """There is nothing to end."""
