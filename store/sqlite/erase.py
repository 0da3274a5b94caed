"""Erasing: in one commit like everything else, then out of every page that SQLite keeps.

SQLite's deletes do not delete: older versions of rows stay in free pages, in the free space of
pages, and in the WAL until it is used again. https://www.sqlite.org/lang_vacuum.html
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bot.core.erasure import Erased, Erasing, Erasure
from bot.core.errors import StoreUnavailable
from bot.core.ids import PersonId
from bot.core.proposal import Proposal
from bot.core.step import Ask, Committed, Snapshot, Step, Transition
from bot.ports.store import Change
from store import codec
from store.codec import Codec
from store.sqlite.transaction import Transaction

#: How often the WAL is tried to be emptied while long reads still use it.
_TRIES: Final = 20


def find(connection: sqlite3.Connection, person: PersonId) -> Erasing:
    """Return what an erasure of *person* finds now."""
    erasing = Erasing(person)
    for index, body, doc in connection.execute(_LEAVES, (person,)):
        erasing.leaf(index, body, openings=len(codec.OPENINGS.parse(doc)))
    for table, records in _RECORDS:
        # The tables are constants of this module.
        rows = connection.execute(f"SELECT doc FROM {table} WHERE instr(doc, ?)", (person,))  # noqa: S608
        for (doc,) in rows:
            erasing.record(records.parse(doc))
    return erasing


def erase(
    connection: sqlite3.Connection,
    transaction: Transaction,
    erasure: Erasure,
    *,
    busy_timeout_s: float,
) -> tuple[Committed[Erased], list[Change]]:
    """Erase in a transaction of its own; return what to answer and what to tell.

    Raises:
        KeyturnError: as :meth:`bot.ports.store.Store.erase`.
        sqlite3.Error: it could not be committed, and nothing was.
    """
    with _patience(connection, busy_timeout_s):
        connection.execute("BEGIN IMMEDIATE")
        try:
            committed = _erase(connection, transaction, erasure)
            changes = transaction.finish()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return committed, changes or []


def clean_up(connection: sqlite3.Connection, *, busy_timeout_s: float) -> None:
    """Leave no byte of what was erased in the database's files, if that is still to be done.

    Raises:
        StoreUnavailable: somebody reads for too long: call it again.
        sqlite3.Error: the disk does not let it: call it again.
    """
    if connection.execute(_IS_DUE).fetchone() is None:
        return
    with _patience(connection, busy_timeout_s):
        # What was overwritten with zeros goes to its place first: the file may become shorter.
        _empty_the_wal(connection)
        connection.execute("VACUUM")
        _empty_the_wal(connection)
        connection.execute(_IS_DONE)


def _empty_the_wal(connection: sqlite3.Connection) -> None:
    for _ in range(_TRIES):
        (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not is_busy:
            return
    raise StoreUnavailable(
        "It is erased, but the journal is still being read and may hold traces.",
        remedy="Erase the same person once more: that finishes it. So does a restart.",
    )


@contextmanager
def _patience(connection: sqlite3.Connection, busy_timeout_s: float) -> Iterator[None]:
    (overwrites,) = connection.execute("PRAGMA secure_delete").fetchone()
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA secure_delete = {overwrites}")
        connection.execute("PRAGMA busy_timeout = 0")


def _erase(
    connection: sqlite3.Connection, transaction: Transaction, erasure: Erasure
) -> Committed[Erased]:
    transaction.begun()
    erasing = find(connection, erasure.person)
    forgotten: list[Proposal] = []

    def step(snapshot: Snapshot) -> Step[Erased]:
        made = erasing.step(snapshot, erasure)
        if isinstance(made, Transition):
            forgotten.extend(put for put in made.puts if isinstance(put, Proposal) and put.erased)
        return made

    committed = transaction.step(Ask(person=erasure.person), step)
    connection.executemany(_CLOSE, [(index,) for index in erasing.indexes])
    connection.executemany(_FORGET_KEY, [(one.idempotency_key, one.id) for one in forgotten])
    if committed.first_leaf is not None:
        connection.execute(_NOW_DUE)
    return committed


_RECORDS: Final[tuple[tuple[str, Codec[Any]], ...]] = (
    ("person", codec.PERSON),
    ("agent", codec.AGENT),
    ("token", codec.TOKEN),
    ("halt", codec.HALT),
    ("identity", codec.IDENTITY),
    ("proposal", codec.PROPOSAL),
)

_LEAVES: Final = """
    SELECT idx, body, doc FROM opening JOIN leaf USING (idx)
    WHERE instr(body, CAST(? AS BLOB)) ORDER BY idx
"""
_CLOSE: Final = "DELETE FROM opening WHERE idx = ?"
_FORGET_KEY: Final = "UPDATE proposal SET idempotency_key = ? WHERE id = ?"
_IS_DUE: Final = "SELECT 1 FROM meta WHERE name = 'clean_up'"
_NOW_DUE: Final = "INSERT OR REPLACE INTO meta VALUES ('clean_up', 'due')"
_IS_DONE: Final = "DELETE FROM meta WHERE name = 'clean_up'"
