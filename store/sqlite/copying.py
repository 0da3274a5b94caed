"""A whole copy of a database that may be in use, and what such a copy holds."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bot.core.errors import StoreRefused
from bot.core.merkle import Frontier
from store.sqlite.failures import meaning
from store.sqlite.schema import APPLICATION_ID, SCHEMA_VERSION

#: Pages that are copied between two reports; the disk is let go in between.
_PAGES_A_STEP: Final = 1024
_REPORT_EVERY_LEAVES: Final = 20_000

#: Called with how much is done, and of how much.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy holds: the version of its tables, and its log's length and root.

    ``root_before`` is the root at the length that was asked about, if the log is that long.
    """

    schema: int
    size: int
    root: bytes
    root_before: bytes | None


def copy_database(source: Path, target: Path, *, progress: Progress) -> None:
    """Write what *source* holds at one moment to *target*, a file that is made.

    Whoever writes meanwhile is not held up, and is not in the copy.

    Raises:
        StoreRefused: it cannot be read, or the copy cannot be written.
    """
    try:
        with closing(_connection(source, "mode=ro")) as reading:
            # One snapshot for all steps: a commit in between would begin the copy anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM head").fetchone()
            with closing(_connection(target, "mode=rwc")) as writing:
                reading.backup(
                    writing,
                    pages=_PAGES_A_STEP,
                    progress=lambda _, left, total: progress(total - left, total),
                    sleep=0,
                )
                # One file, that can be opened where nothing may be written.
                writing.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        raise _refused(source, "could not be copied", error) from error


def examine(
    path: Path, *, size_before: int, progress: Progress, has_journal: bool = False
) -> Copied:
    """Return what the database in *path* holds, once every page and the whole log are checked.

    *has_journal* is for one that is no copy: part of it may be in its WAL.

    Raises:
        StoreRefused: it is damaged, of another program, or of a newer Keyturn.
    """
    try:
        # Nobody changes a copy; so nothing is written beside it.
        how = "mode=ro" if has_journal else "mode=ro&immutable=1"
        with closing(_connection(path, how)) as connection:
            return _examine(path, connection, size_before, progress)
    except (sqlite3.Error, OSError) as error:
        raise _refused(path, "cannot be read", error) from error


def what_is_damaged(path: Path) -> str | None:
    """Return what is wrong with the pages of the database in *path*, in use or not."""
    try:
        with closing(_connection(path, "mode=ro")) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return meaning(error)
    return None if found == "ok" else str(found)


def _examine(
    path: Path, connection: sqlite3.Connection, size_before: int, progress: Progress
) -> Copied:
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise StoreRefused(f"{path} is not a database of Keyturn.", remedy=_ANOTHER)
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if schema > SCHEMA_VERSION:
        raise StoreRefused(
            f"{path} was written by a newer Keyturn.", remedy="Install the newer Keyturn first."
        )
    problems = [what for (what,) in connection.execute("PRAGMA integrity_check(5)")]
    if problems != ["ok"]:
        raise StoreRefused(f"{path} is damaged: {'; '.join(problems)}.", remedy=_ANOTHER)
    (told,) = connection.execute("SELECT frontier FROM head").fetchone()
    known = Frontier.from_bytes(told)
    frontier, before = Frontier(), None
    for (found,) in connection.execute("SELECT hash FROM leaf ORDER BY idx"):
        if frontier.size == size_before:
            before = frontier.root()
        frontier = frontier.append(found)
        if frontier.size % _REPORT_EVERY_LEAVES == 0:
            progress(frontier.size, known.size)
    progress(frontier.size, known.size)
    if frontier.size == size_before:
        before = frontier.root()
    if frontier != known:
        what = f"{path} is damaged: its log is not what its head says."
        raise StoreRefused(what, remedy=_ANOTHER)
    return Copied(schema=schema, size=known.size, root=known.root(), root_before=before)


def _connection(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{how}", uri=True, isolation_level=None
    )


def _refused(path: Path, what: str, error: Exception) -> StoreRefused:
    return StoreRefused(f"{path} {what}. {meaning(error)}", remedy=_ANOTHER)


_ANOTHER: Final = (
    "Take another backup, or look at the disk. Keep this file for whoever looks into it."
)
