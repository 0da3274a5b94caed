"""What the disk allows: one row a commit, written to stay, and nothing else around it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_ROW: Final = b"x" * 1024


@dataclass(frozen=True, slots=True)
class BareCommits:
    """SQLite as the bot uses it: write-ahead log, `synchronous = FULL`."""

    _connection: sqlite3.Connection = field(repr=False)

    @classmethod
    @contextmanager
    def beside(cls, database: Path) -> "Iterator[BareCommits]":
        """Commit to a new file in the folder of *database*, so that both share a disk."""
        path = database.with_name("bare.sqlite3")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)")
            yield cls(connection)
        path.unlink()

    def measure(self, count: int) -> list[float]:
        """Return how long each of *count* commits took, in milliseconds."""
        taken_ms = []
        for _ in range(count):
            started = time.perf_counter()
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO row (body) VALUES (?)", (_ROW,))
            self._connection.execute("COMMIT")
            taken_ms.append((time.perf_counter() - started) * 1e3)
        return taken_ms
