"""Who belongs to which group, asked anew each time it matters."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from bot.core.approval import Membership


class Directory(Protocol):
    async def members(self, groups: Collection[str]) -> Membership:
        """Return the people in each of *groups*, as they are now.

        MUST NOT answer from a cache. A group that is unknown, empty or cannot be read MUST be
        left out: nobody belongs to it.
        """
        ...


@runtime_checkable
class HasDirectory(Protocol):
    """A chat whose own groups may be named in a policy, as ``group:CHAT:NAME``."""

    @property
    def directory(self) -> Directory:
        """Answers names without the chat's prefix. It MUST keep what :class:`Directory` says."""
        ...
