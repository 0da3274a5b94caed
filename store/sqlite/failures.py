"""What SQLite's errors mean to those who ask."""

import sqlite3
from typing import Final

from bot.core.errors import StoreUnavailable

#: Result codes, https://www.sqlite.org/rescode.html, without their extended part.
_MEANING: Final = {
    sqlite3.SQLITE_FULL: "The disk is full: nothing more can be recorded.",
    sqlite3.SQLITE_READONLY: "The database is read-only: nothing can be recorded.",
    sqlite3.SQLITE_BUSY: "Another program holds the database locked.",
    sqlite3.SQLITE_LOCKED: "Another program holds the database locked.",
    sqlite3.SQLITE_IOERR: "Reading or writing the database failed.",
    sqlite3.SQLITE_CORRUPT: "The database is damaged.",
    sqlite3.SQLITE_NOTADB: "The file is not a database.",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened.",
    sqlite3.SQLITE_PERM: "The database may not be opened.",
    sqlite3.SQLITE_CONSTRAINT: "The database refuses the entry.",
}

_OF_THE_STEP: Final = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
)


def primary_code(error: sqlite3.Error) -> int:
    """Return the result code of *error*, 0 where Python raised it and not SQLite."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def meaning(error: Exception) -> str:
    """Return one sentence for people."""
    known = _MEANING.get(primary_code(error)) if isinstance(error, sqlite3.Error) else None
    return known or f"The database failed: {error}."


def unavailable(error: Exception) -> StoreUnavailable:
    """Return a new error to raise because of *error*."""
    told = StoreUnavailable(meaning(error))
    told.__cause__ = error
    return told


def is_busy(error: sqlite3.Error) -> bool:
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_of_the_step(error: sqlite3.Error) -> bool:
    """Return whether only the statement failed, so that the transaction can go on without it."""
    return isinstance(error, _OF_THE_STEP)
