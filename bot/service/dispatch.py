"""Hands work from the commit that asked for it to the worker that does it."""

import asyncio
from collections import deque
from collections.abc import Iterable

from bot.core.effects import EffectKind, Lease


class Dispatch:
    """Leases of this process that nobody has begun, by kind. What is lost here is leased anew."""

    def __init__(self) -> None:
        self._waiting: dict[EffectKind, deque[Lease]] = {kind: deque() for kind in EffectKind}
        self._ready: dict[EffectKind, asyncio.Event] = {
            kind: asyncio.Event() for kind in EffectKind
        }

    def hand(self, leases: Iterable[Lease]) -> None:
        for lease in leases:
            kind = lease.effect.kind
            self._waiting[kind].append(lease)
            self._ready[kind].set()

    async def take(self, kind: EffectKind, *, limit: int) -> list[Lease]:
        """Wait for work of *kind* and return up to *limit* pieces of it."""
        waiting, ready = self._waiting[kind], self._ready[kind]
        while not waiting:
            ready.clear()
            await ready.wait()
        return [waiting.popleft() for _ in range(min(limit, len(waiting)))]
