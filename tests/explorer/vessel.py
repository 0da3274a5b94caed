"""The real SQLite store, held in memory: its whole content can be taken out and put back."""

import copy
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from bot.core.step import Ask, Committed, Snapshot, Step
from bot.ports.clock import Clock
from store.sqlite import SqliteStore
from store.sqlite.file import Connections
from store.sqlite.place import FileLock
from store.sqlite.schema import APPLICATION_ID, migrate
from store.sqlite.thread import Thread
from store.sqlite.transaction import Transaction

T = TypeVar("T")

#: Bytes 18 and 19 of the file say that there is a WAL, which is nowhere in memory:
#: https://www.sqlite.org/fileformat.html, 1.3
_VERSIONS_AT = slice(18, 20)
_WITHOUT_WAL = b"\x01\x01"
_PAGE_BYTES = 1024
BIRTH_LEASE_S = 30.0


@dataclass(frozen=True, slots=True)
class Kept:
    """One moment of a store: what its tables say, and what it remembers of them."""

    database: bytes
    memory: Mapping[str, Any]


class Disk(sqlite3.Connection):
    """A database in memory that can go back to one moment again and again, and can be full.

    What the store calls its transaction is a savepoint inside ours, so that going back keeps
    every prepared statement.
    """

    #: Whether the next COMMIT fails.
    is_full: bool = False
    _is_begun: bool = False

    @property
    def in_transaction(self) -> bool:
        return self._is_begun

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        if sql not in _OF_THE_STORE:
            return super().execute(sql, *more)
        if sql == "COMMIT" and self.is_full:
            self.is_full = False
            raise sqlite3.OperationalError("database or disk is full")
        self._is_begun = sql == "BEGIN IMMEDIATE"
        for statement in _OF_THE_STORE[sql]:
            super().execute(statement)
        return self.cursor()

    def go_to(self, database: bytes) -> None:
        """Replace everything, and come back to here with :meth:`go_back`."""
        if super().in_transaction:
            super().execute("ROLLBACK")
        # Copied page by page: a connection that was deserialized itself must not grow.
        with closing(sqlite3.connect(":memory:")) as source:
            source.deserialize(database)
            source.backup(self)
        super().execute("BEGIN")
        super().execute("SAVEPOINT here")

    def go_back(self) -> None:
        super().execute("ROLLBACK TO here")
        self._is_begun = False


_OF_THE_STORE: Final[Mapping[str, Sequence[str]]] = {
    "BEGIN IMMEDIATE": ("SAVEPOINT store",),
    "COMMIT": ("RELEASE store",),
    "ROLLBACK": ("ROLLBACK TO store", "RELEASE store"),
}


class AtOnce:
    """Stands for the store's thread: does everything in the loop, so that nothing is waited for."""

    def call(
        self,
        work: Callable[[], T],
        *,
        then: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed over, as the thread does
            failed(error)
        else:
            then(result)

    async def run(self, work: Callable[[], T]) -> T:
        return work()


class Vessel(SqliteStore):
    """The store itself, with a door before it that can hold steps back for one another."""

    door: Callable[[], Awaitable[None]] | None = None
    _here: Kept | None = None

    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        if self.door is not None:
            await self.door()
        return await super().transact(ask, step)

    @classmethod
    def new(cls, clock: Clock) -> "Vessel":
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
            empty.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            empty.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrate(empty)
            database = empty.serialize()
        disk = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=512, factory=Disk
        )
        disk.go_to(database)
        vessel = cls(
            Connections(
                lock=cast("FileLock", None),  # nobody else can have it
                writing=disk,
                near=disk,
                far=disk,
            ),
            thread=cast("Thread", AtOnce()),
            clock=clock,
            birth_lease_s=BIRTH_LEASE_S,
            busy_timeout_s=0.0,
        )
        vessel._reader._thread = cast("Thread", AtOnce())
        return vessel

    @property
    def disk(self) -> Disk:
        return cast("Disk", self._connections.writing)

    @property
    def changes(self) -> int:
        """How many rows have been written so far, also those that were rolled back."""
        return self.disk.total_changes

    def take(self) -> Kept:
        return Kept(self.disk.serialize(), _copied(vars(self._transaction)))

    def put(self, kept: Kept) -> None:
        self.disk.is_full = False
        if self._here is kept:
            self.disk.go_back()
        else:
            self.disk.go_to(kept.database)
            self._here = kept
        vars(self._transaction).update(_copied(kept.memory))

    async def reopened(self, kept: Kept, *, place: Path, clock: Clock) -> Kept:
        """Return *kept* as a new process finds it that opens it as a file."""
        # Both are in memory, as long as the place is; and nobody else waits for this loop.
        place.write_bytes(kept.database)  # noqa: ASYNC240
        await (await SqliteStore.open(place, clock=clock)).close()
        database = bytearray(place.read_bytes())  # noqa: ASYNC240
        database[_VERSIONS_AT] = _WITHOUT_WAL
        knows_nothing = Transaction(self.disk, clock=clock, birth_lease_s=BIRTH_LEASE_S)
        return Kept(bytes(database), _copied(vars(knows_nothing)))


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: copy.copy(value) if isinstance(value, list | dict | set) else value
        for name, value in values.items()
    }
