"""How fast one agent may ask for what costs work: a bucket that fills up again with time.

It lives in memory and starts full: a restart forgives, and a cap on what waits for people is
kept in the store beside it.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from aiohttp import web

from bot.core.errors import TooMany
from bot.http.bodies import UNANNOUNCED_BYTES

#: How long a refusal takes: whoever asks again at once asks four times a second and no more.
REFUSED_AFTER_S: Final = 0.25
#: A body of this size costs as much to look through as everything else about a proposal.
_BYTES_A_PIECE: Final = 16_384


class Rate:
    """``clock`` is monotonic, in seconds; ``cap`` is the setting and ``asked`` what is counted."""

    def __init__(
        self, *, per_minute: int, clock: Callable[[], float], cap: str, asked: str
    ) -> None:
        self._size = float(per_minute)
        self._per_s = per_minute / 60
        self._clock = clock
        self._cap = cap
        self._asked = asked
        self._left: dict[str, tuple[float, float]] = {}

    async def admit(self, agent: str, *, cost: int = 1) -> None:
        """Count a request of *agent*; one too many is refused after :data:`REFUSED_AFTER_S`.

        Raises:
            TooMany: as :meth:`take`.
        """
        try:
            self.take(agent, cost=cost)
        except TooMany:
            await asyncio.sleep(REFUSED_AFTER_S)
            raise

    def take(self, agent: str, *, cost: int = 1) -> None:
        """Count *cost* requests of *agent*, or as many as it may ever send at once.

        Raises:
            TooMany: it asks faster than it may.
        """
        now = self._clock()
        needed = max(1.0, min(float(cost), self._size))
        left, since = self._left.get(agent, (self._size, now))
        left = min(self._size, left + (now - since) * self._per_s)
        if left < needed:
            self._left[agent] = (left, now)
            raise TooMany(
                f"This agent sends more than {self._size:.0f} {self._asked} a minute.",
                cap=self._cap,
                retry_after_s=math.ceil((needed - left) / self._per_s) if self._per_s else 60,
            )
        self._left[agent] = (left - needed, now)


def cost_of(request: web.Request) -> int:
    """Return for how many small submits the body of *request* counts, before it is read."""
    size = request.content_length
    if size is None:
        size = UNANNOUNCED_BYTES if request.body_exists else 0
    return 1 + size // _BYTES_A_PIECE


#: Of proposals, with dry runs.
RATE = web.AppKey("submit_rate", Rate)
#: Of what reads more than one proposal, or proves something.
READS = web.AppKey("read_rate", Rate)
