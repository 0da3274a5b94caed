"""The shelf that forgets at exit."""

from datetime import timedelta

from bot.core.errors import Conflict
from bot.ports.clock import Clock
from bot.ports.shelf import Item


class MemoryShelf:
    """A `bot.ports.shelf.Shelf` in a dictionary. What never leaves the process is not encrypted."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._items: dict[tuple[str, str], Item] = {}

    async def put(
        self,
        kind: str,
        key: str,
        value: bytes,
        *,
        ttl_s: float | None = None,
        if_version: int | None = None,
    ) -> int:
        before = self._present(kind, key)
        version = 0 if before is None else before.version
        if if_version is not None and if_version != version:
            raise Conflict(f"{kind} {key} is at version {version}, not {if_version}.")
        expires_at = None if ttl_s is None else self._clock.now() + timedelta(seconds=ttl_s)
        item = Item(key=key, value=bytes(value), version=version + 1, expires_at=expires_at)
        self._items[kind, key] = item
        return item.version

    async def get(self, kind: str, key: str) -> Item | None:
        return self._present(kind, key)

    async def take(self, kind: str, key: str) -> Item | None:
        item = self._present(kind, key)
        if item is not None:
            del self._items[kind, key]
        return item

    async def list(self, kind: str, prefix: str = "") -> list[Item]:
        keys = sorted(k for of, k in self._items if of == kind and k.startswith(prefix))
        items = (self._present(kind, key) for key in keys)
        return [item for item in items if item is not None]

    async def delete(self, kind: str, key: str) -> None:
        self._items.pop((kind, key), None)

    async def forget(self, mention: str) -> None:
        for kind, key in list(self._items):
            if mention in key or mention.encode() in self._items[kind, key].value:
                del self._items[kind, key]

    async def renew(self, key: bytes) -> None:
        """Do nothing: what never leaves the process needs no key."""

    async def close(self) -> None:
        self._items.clear()

    def _present(self, kind: str, key: str) -> Item | None:
        item = self._items.get((kind, key))
        if item is None or (item.expires_at is not None and item.expires_at <= self._clock.now()):
            self._items.pop((kind, key), None)
            return None
        return item
