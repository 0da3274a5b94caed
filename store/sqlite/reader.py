"""Reads of committed state: short ones at once, the others in a thread of their own."""

import sqlite3
from typing import TypeVar, cast

from bot.ports.queries import Query
from store.sqlite.failures import unavailable
from store.sqlite.queries import answer, is_short
from store.sqlite.thread import Thread

T = TypeVar("T")


class Reader:
    """Answers from two read-only connections: one for the loop, one for its thread."""

    def __init__(self, near: sqlite3.Connection, far: sqlite3.Connection) -> None:
        self._near = near
        self._far = far
        self._thread = Thread("keyturn-store-reader")

    async def read(self, query: Query[T]) -> T:
        """Return the answer to *query*.

        Raises:
            StoreUnavailable: the database could not be read.
        """
        try:
            if is_short(query):
                return cast("T", answer(query, self._near))
            return await self._thread.run(lambda: cast("T", answer(query, self._far)))
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        """Return when the queries already asked are answered; the connections stay open."""
        await self._thread.stop()
