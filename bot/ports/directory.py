"""Who belongs to which group, asked anew each time it matters."""

from collections.abc import Collection
from typing import Protocol

from bot.core.approval import Membership


class Directory(Protocol):
    async def members(self, groups: Collection[str]) -> Membership:
        """Return the people in each of *groups*, as they are now.

        MUST NOT answer from a cache. A group that is unknown, empty or cannot be read MUST be
        left out: nobody belongs to it.
        """
        ...
