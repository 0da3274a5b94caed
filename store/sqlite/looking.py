"""A database that is only read, as it lies there: for what replaces it."""

import sqlite3
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import quote

from bot.ports.queries import Query
from store.sqlite.failures import unavailable
from store.sqlite.queries import answer

T = TypeVar("T")


class LookedAt:
    """Answers queries from the file *path*, which no bot has open."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None
            )
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def read(self, query: Query[T]) -> T:
        """Return the answer to *query*.

        Raises:
            StoreUnavailable: the file is damaged, or its tables are of another version.
        """
        try:
            return cast("T", answer(query, self._connection))
        except (sqlite3.Error, ValueError) as error:
            raise unavailable(error) from error

    def close(self) -> None:
        self._connection.close()
