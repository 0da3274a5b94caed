"""What chats and sign-ins keep: convenient to have, never decisive, lost without harm."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """``version`` grows with every write of the same key."""

    key: str
    value: bytes
    version: int
    expires_at: datetime | None


class Shelf(Protocol):
    """Encrypted values by kind and key. Whatever is here MUST NOT grant a decision by itself."""

    async def put(
        self,
        kind: str,
        key: str,
        value: bytes,
        *,
        ttl_s: float | None = None,
        if_version: int | None = None,
    ) -> int:
        """Keep *value* and return its version.

        *if_version* 0 demands that the key is new, another number that it is at that version.

        Raises:
            Conflict: it is not at *if_version*.
        """
        ...

    async def get(self, kind: str, key: str) -> Item | None:
        """Return the item, or None when it is not there or has expired."""
        ...

    async def take(self, kind: str, key: str) -> Item | None:
        """Remove and return the item: of many callers at once exactly one gets it."""
        ...

    async def list(self, kind: str, prefix: str = "") -> list[Item]:
        """Return every unexpired item whose key starts with *prefix*, by key."""
        ...

    async def delete(self, kind: str, key: str) -> None: ...

    async def renew(self, key: bytes) -> None:
        """Encrypt with *key* from now on. What was kept under earlier keys MUST still be found."""
        ...

    async def forget(self, mention: str) -> None:
        """Remove every item whose key or value holds *mention*, of any kind.

        When this returns, no byte of them may be left in any file of the shelf.
        """
        ...

    async def close(self) -> None: ...
