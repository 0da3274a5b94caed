"""Opening the database file, or saying why not and what to do."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bot.core.errors import StoreRefused
from store.sqlite.erase import clean_up
from store.sqlite.failures import meaning, primary_code
from store.sqlite.place import FileLock, require_local
from store.sqlite.schema import APPLICATION_ID, OLDEST_SQLITE, migrate

_CACHE_KIB: Final = 32 * 1024
_STATEMENTS: Final = 256

#: Pages that the WAL collects before the thread that commits copies them into the file.
_CHECKPOINT_PAGES: Final = 4000
_LONGEST_WAL_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """An open file: one connection that writes, one that reads on the loop, one elsewhere."""

    lock: FileLock
    writing: sqlite3.Connection
    near: sqlite3.Connection
    far: sqlite3.Connection

    def close(self) -> None:
        """Close all, the last one with a checkpoint, and let others have the file."""
        self.far.close()
        self.near.close()
        self.writing.close()
        self.lock.release()


def open_file(path: Path, *, mounts: Path, busy_timeout_s: float) -> Connections:
    """Return connections to *path*, made or migrated as need be, with every lease free.

    Raises:
        StoreRefused: it must not or cannot be used; the message says what to do.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreRefused(
            f"This Python has SQLite {sqlite3.sqlite_version}; Keyturn needs {oldest} or newer.",
            remedy="Install Keyturn with a newer Python.",
        )
    require_local(path, mounts=mounts)
    try:
        lock = FileLock(path)
        try:
            return _connect(path, lock, busy_timeout_s)
        except BaseException:
            lock.release()
            raise
    except OSError as error:
        raise StoreRefused(
            f"{path} cannot be opened: {error.strerror}.",
            remedy="Make its directory, and make it writable for the user that runs Keyturn.",
        ) from error
    except sqlite3.Error as error:
        raise _refused(path, error) from error


def _connect(path: Path, lock: FileLock, busy_timeout_s: float) -> Connections:
    # Only who runs Keyturn reads it; SQLite gives its -wal and -shm the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    _require_ours(path)
    opened: list[sqlite3.Connection] = []
    try:
        writing = _connection(path, "rw", busy_timeout_s)
        opened.append(writing)
        if writing.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
            writing.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("PRAGMA synchronous = FULL")
        writing.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        writing.execute(f"PRAGMA journal_size_limit = {_LONGEST_WAL_BYTES}")
        migrate(writing)
        _require_whole_log(path, writing)
        clean_up(writing, busy_timeout_s=busy_timeout_s)
        writing.execute(_FREE_LEASES)
        writing.execute("PRAGMA busy_timeout = 0")
        near = _connection(path, "ro", 0)
        opened.append(near)
        far = _connection(path, "ro", busy_timeout_s)
        opened.append(far)
    except BaseException:
        for connection in reversed(opened):
            connection.close()
        raise
    return Connections(lock=lock, writing=writing, near=near, far=far)


def _connection(path: Path, mode: str, busy_timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=busy_timeout_s,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def _require_ours(path: Path) -> None:
    """Return if *path* is empty or ours; SQLite, which may change a file, does not see it yet."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        return
    if not header.startswith(_MAGIC):
        raise StoreRefused(
            f"{path} is not a database.",
            remedy="Name another file in the settings, or restore the last backup.",
        )
    if int.from_bytes(header[_APPLICATION_ID_AT:_HEADER_BYTES], "big") != APPLICATION_ID:
        raise StoreRefused(
            f"{path} is a database of another program.",
            remedy="Name another file in the settings. This one was not changed.",
        )


def _require_whole_log(path: Path, connection: sqlite3.Connection) -> None:
    (size,) = connection.execute("SELECT size FROM head").fetchone()
    (last,) = connection.execute("SELECT max(idx) FROM leaf").fetchone()
    if size != (0 if last is None else last + 1):
        raise StoreRefused(
            f"{path} is damaged: its log has another length than its head says.",
            remedy="Restore the last backup. Keep this file for whoever looks into it.",
        )


def _refused(path: Path, error: sqlite3.Error) -> StoreRefused:
    remedy = _REMEDIES.get(primary_code(error))
    return StoreRefused(f"{path} cannot be used. {meaning(error)}", remedy=remedy)


#: https://www.sqlite.org/fileformat.html, 1.3
_MAGIC: Final = b"SQLite format 3\x00"
_APPLICATION_ID_AT: Final = 68
_HEADER_BYTES: Final = 72

_FREE_LEASES: Final = """
    UPDATE effect SET held = 0, ready_at = coalesce(due_at, 0) WHERE ready_at IS NOT NULL AND held
"""
_REMEDIES: Final = {
    sqlite3.SQLITE_READONLY: "Make the file and its directory writable for the user that "
    "runs Keyturn.",
    sqlite3.SQLITE_CANTOPEN: "Make the file and its directory writable for the user that "
    "runs Keyturn.",
    sqlite3.SQLITE_FULL: "Free some space on the disk, then start again.",
    sqlite3.SQLITE_BUSY: "Close the other program, then start again.",
    sqlite3.SQLITE_CORRUPT: "Restore the last backup. Keep this file for whoever looks into it.",
    sqlite3.SQLITE_NOTADB: "Name another file in the settings, or restore the last backup.",
    sqlite3.SQLITE_IOERR: "Check the disk, then start again.",
}
