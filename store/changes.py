"""News of what was committed, for readers that may be slower than the writers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Final
from weakref import WeakSet

from bot.core.errors import StoreUnavailable
from bot.core.ids import ProposalId
from bot.ports.store import Change

#: How many changes a reader that comes back can still catch up with.
REMEMBERED: Final = 4096

#: How many proposals a reader may be behind before it is let go.
BACKLOG: Final = 100_000


class Changes:
    """Hands every committed change to every open :class:`Watch`; never waits for one."""

    def __init__(self) -> None:
        self._recent: deque[Change] = deque(maxlen=REMEMBERED)
        self._watches: WeakSet[Watch] = WeakSet()
        self._closed = False

    def publish(self, changes: Iterable[Change]) -> None:
        """Add *changes*, in the order of their positions."""
        news = tuple(changes)
        self._recent.extend(news)
        for watch in self._watches:
            watch.offer(news)

    def watch(self, after: int | None) -> "Watch":
        """Return a reader of what comes, and of what followed *after* if that is still known."""
        watch = Watch()
        recent = self._recent
        if after is not None and recent and recent[0].position <= after + 1:
            watch.offer(change for change in recent if change.position > after)
        if self._closed:
            watch.end()
        self._watches.add(watch)
        return watch

    def close(self) -> None:
        """End every watch after what it has not read yet."""
        self._closed = True
        for watch in self._watches:
            watch.end()


class Watch(AsyncIterator[Change]):
    """One reader's unread changes, the last of each proposal; read by one task at a time.

    It misses nothing from the moment it is made. Dropping it is enough to end it.
    """

    def __init__(self) -> None:
        self._unread: dict[ProposalId, Change] = {}
        self._news = asyncio.Event()
        self._ended = False
        self._fell_behind = False

    def offer(self, changes: Iterable[Change]) -> None:
        unread = self._unread
        for change in changes:
            unread.pop(change.proposal, None)
            unread[change.proposal] = change
        if len(unread) > BACKLOG:
            unread.clear()
            self._fell_behind = self._ended = True
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def __anext__(self) -> Change:
        while not self._unread:
            if self._fell_behind:
                raise StoreUnavailable(
                    f"The reader fell more than {BACKLOG} proposals behind.",
                    remedy="Watch again, then read anew whatever is still of interest.",
                )
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        first = next(iter(self._unread))
        return self._unread.pop(first)
