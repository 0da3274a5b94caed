"""How fast one agent may submit: a bucket that fills up again with time.

It lives in memory and starts full: a restart forgives, and a cap on what waits for people is
kept in the store beside it.
"""

import math
from collections.abc import Callable

from aiohttp import web

from bot.core.errors import TooMany


class SubmitRate:
    """``clock`` is monotonic, in seconds."""

    def __init__(self, *, per_minute: int, clock: Callable[[], float]) -> None:
        self._size = float(per_minute)
        self._per_s = per_minute / 60
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, agent: str) -> None:
        """Count one submit of *agent*.

        Raises:
            TooMany: it submits faster than it may.
        """
        now = self._clock()
        left, since = self._left.get(agent, (self._size, now))
        left = min(self._size, left + (now - since) * self._per_s)
        if left < 1:
            self._left[agent] = (left, now)
            raise TooMany(
                f"This agent submits more than {self._size:.0f} proposals a minute.",
                cap="submits_per_minute",
                retry_after_s=math.ceil((1 - left) / self._per_s) if self._per_s else 60,
            )
        self._left[agent] = (left - 1, now)


RATE = web.AppKey("submit_rate", SubmitRate)
