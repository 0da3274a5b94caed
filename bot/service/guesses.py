"""How often codes may be mistyped: few times by one account, and not often by all together."""

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Final

from bot.core.errors import NotAuthenticated
from bot.core.identity import ChatIdentity
from bot.core.tokens import token_hash
from bot.service.gate import Gate

#: Wrong codes of one account within the time below; then it has to wait.
MOST_OF_ONE: Final = 5
#: Wrong codes of everybody together within the same time.
MOST_OF_ALL: Final = 200
WITHIN_S: Final = 600
_SHELF_KIND: Final = "link_guesses"


class Guesses:
    """Those of one account are counted on the shelf, those of all in this process."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._wrong: deque[datetime] = deque()
        self._counting = asyncio.Lock()

    async def require_more(self, by: ChatIdentity | None) -> None:
        """Check that one more try is due to *by*, where it is known who tries.

        Raises:
            NotAuthenticated: too many were wrong of late.
        """
        since = self._gate.clock.now() - timedelta(seconds=WITHIN_S)
        while self._wrong and self._wrong[0] <= since:
            self._wrong.popleft()
        if len(self._wrong) >= MOST_OF_ALL or await self._count(by) >= MOST_OF_ONE:
            self._gate.tally.count("link_codes", "too_many")
            raise NotAuthenticated(
                "Too many wrong codes were typed.",
                remedy="Wait ten minutes, make a new code in the inbox and type it once more.",
            )

    async def was_wrong(self, by: ChatIdentity | None) -> None:
        """Count one wrong code."""
        self._wrong.append(self._gate.clock.now())
        self._gate.tally.count("link_codes", "wrong")
        if by is None:
            return
        async with self._counting:
            count = await self._count(by) + 1
            await self._gate.shelf.put(_SHELF_KIND, _key(by), str(count).encode(), ttl_s=WITHIN_S)

    async def _count(self, by: ChatIdentity | None) -> int:
        item = None if by is None else await self._gate.shelf.get(_SHELF_KIND, _key(by))
        return 0 if item is None else int(item.value)


def _key(by: ChatIdentity) -> str:
    return token_hash(by.key)
