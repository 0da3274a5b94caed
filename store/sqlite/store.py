"""The embedded store: one file, one process, durable when it says so."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from bot.core.effects import EffectKind, Lease
from bot.core.erasure import Erased, Erasure
from bot.core.errors import StoreUnavailable
from bot.core.step import Ask, Committed, Snapshot, Step
from bot.ports.clock import Clock
from bot.ports.queries import Query
from store.changes import Changes, Watch
from store.sqlite.erase import clean_up, erase
from store.sqlite.failures import unavailable
from store.sqlite.file import Connections, open_file
from store.sqlite.place import MOUNTS
from store.sqlite.reader import Reader
from store.sqlite.thread import Thread
from store.sqlite.transaction import HalfWritten, Transaction
from store.sqlite.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """A `bot.ports.store.Store` in one SQLite file; made by :meth:`open`."""

    def __init__(
        self,
        connections: Connections,
        *,
        thread: Thread,
        clock: Clock,
        birth_lease_s: float,
        busy_timeout_s: float,
    ) -> None:
        self._connections = connections
        self._thread = thread
        self._busy_timeout_s = busy_timeout_s
        self._changes = Changes()
        self._transaction = Transaction(
            connections.writing, clock=clock, birth_lease_s=birth_lease_s
        )
        self._writer = Writer(
            connections.writing,
            self._transaction,
            thread=thread,
            changes=self._changes,
            busy_timeout_s=busy_timeout_s,
        )
        self._reader = Reader(connections.near, connections.far)
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        birth_lease_s: float = 30.0,
        busy_timeout_s: float = 2.0,
        mounts: Path = MOUNTS,
    ) -> Self:
        """Return the store in *path*, which is made or migrated as need be.

        Due effects are born leased for *birth_lease_s* seconds; 0 leaves them to :meth:`lease`.
        A lock that another program holds on the database is waited for *busy_timeout_s*. Leases
        of an earlier process are free: there is one process a file.

        Raises:
            StoreRefused: the file is open in another process, on a network file system, of a
                newer Keyturn or another program, damaged, or cannot be written.
        """
        thread = Thread("keyturn-store-writer")
        try:
            connections = await thread.run(
                lambda: open_file(path, mounts=mounts, busy_timeout_s=busy_timeout_s)
            )
        except BaseException:
            await thread.stop()
            raise
        return cls(
            connections,
            thread=thread,
            clock=clock,
            birth_lease_s=birth_lease_s,
            busy_timeout_s=busy_timeout_s,
        )

    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        return await self._writer.do(lambda: self._transaction.step(ask, step))

    async def lease(self, kinds: Sequence[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        return await self._writer.do(
            lambda: self._transaction.lease(kinds, limit=limit, for_s=for_s)
        )

    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        connection, patience_s = self._connections.writing, self._busy_timeout_s
        try:
            committed, changes = await self._writer.alone(
                lambda: erase(connection, self._transaction, erasure, busy_timeout_s=patience_s)
            )
            self._changes.publish(changes)
            await self._writer.alone(lambda: clean_up(connection, busy_timeout_s=patience_s))
        except (sqlite3.Error, HalfWritten) as error:
            raise unavailable(error) from error
        return committed

    async def read(self, query: Query[T]) -> T:
        if self._is_closed:
            raise StoreUnavailable("The store is closed.")
        return await self._reader.read(query)

    def watch(self, after: int | None = None) -> Watch:
        return self._changes.watch(after)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        await self._writer.close()
        self._changes.close()
        await self._reader.close()
        await self._thread.run(self._connections.close)
        await self._thread.stop()
