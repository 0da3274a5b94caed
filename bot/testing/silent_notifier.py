"""A notifier without a network: it keeps what it was given and answers as it is told."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.ports.notifier import Notified, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class SilentNotifier:
    """Implements :class:`bot.ports.notifier.Notifier`; after ``answers``, all is sent."""

    posted: list[Posted] = field(default_factory=list)
    answers: list[Notified] = field(default_factory=list)
    refuses: str | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def why_refused(self, url: str) -> str | None:  # noqa: ARG002 - all the same
        return self.refuses

    async def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Notified:
        self.posted.append(Posted(url=url, headers=dict(headers), body=body))
        self.arrived.set()
        return self.answers.pop(0) if self.answers else Sent()

    async def close(self) -> None:
        """There is nothing to end."""
