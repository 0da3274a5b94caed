"""How fast the requests of one caller are begun: who asks more waits behind itself.

One loop serves everybody. A caller with many connections would otherwise have all its requests
served before the one of a quiet caller that came a moment later. Nothing is refused for its pace
until a request would have to wait longer than anybody wants to.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import web

from bot.core.actors import Agent, ResourceServer
from bot.core.errors import NotAuthenticated, TooMany
from bot.http.rate import REFUSED_AFTER_S

CallerT = TypeVar("CallerT", Agent, ResourceServer, Agent | ResourceServer)

#: What may be begun at once, in seconds of the pace.
_BURST_S: Final = 0.25
_LONGEST_S: Final = 10.0
_REMEMBERED: Final = 10_000


class Pace:
    """``per_s`` is how many requests of one caller are begun in a second; ``clock`` counts those.

    It is the generic cell rate algorithm (ITU-T I.371), which remembers one time for each caller.
    """

    def __init__(self, *, per_s: int, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._next: dict[str, float] = {}

    async def wait(self, caller: str) -> None:
        """Return when it is the turn of this request of *caller*; a refusal takes its time too.

        Raises:
            TooMany: as :meth:`wait_s`.
        """
        try:
            wait_s = self.wait_s(caller)
        except TooMany:
            await asyncio.sleep(REFUSED_AFTER_S)
            raise
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def wait_s(self, caller: str) -> float:
        """Count a request of *caller*, and return how long it has to wait for its turn.

        Raises:
            TooMany: longer than is any use; it is not counted.
        """
        now = self._clock()
        turn = max(self._next.get(caller, 0.0), now - _BURST_S)
        if turn - now > _LONGEST_S:
            raise TooMany(
                f"More than {self._per_s} requests a second are sent with this credential.",
                cap="requests_per_second",
                retry_after_s=math.ceil(turn - now),
            )
        if len(self._next) >= _REMEMBERED:
            self._next = {one: then for one, then in self._next.items() if then > now}
        self._next[caller] = turn + 1 / self._per_s
        return max(0.0, turn - now)


def in_turn(
    authenticate: Callable[[web.Request], Awaitable[CallerT]], pace: Pace
) -> Callable[[web.Request], Awaitable[CallerT]]:
    """Return *authenticate* for callers that then wait for their turn.

    All who are not known and come from one address are one caller, and told so in their turn.
    """

    async def authenticated(request: web.Request) -> CallerT:
        try:
            caller = await authenticate(request)
        except NotAuthenticated:
            await pace.wait(f"from {request.remote}")
            raise
        await pace.wait(caller.id)
        return caller

    return authenticated
