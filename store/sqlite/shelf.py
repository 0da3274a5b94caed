"""The shelf: a file of its own, whose values nobody reads who has only the file."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.core.errors import Conflict, StoreRefused, StoreUnavailable
from bot.ports.clock import Clock
from bot.ports.shelf import Item
from store.codec import micros, moment
from store.sqlite.failures import meaning, unavailable
from store.sqlite.thread import Thread

T = TypeVar("T")

KEY_BYTES: Final = 32
SHELF_VERSION: Final = 1

_NONCE_BYTES: Final = 12


class SqliteShelf:
    """A `bot.ports.shelf.Shelf` in one SQLite file; made by :meth:`open`.

    Values are AES-256-GCM under keys that are not in the file, bound to their kind, key, version
    and expiry; kinds and keys are in clear. What was written last may be lost in a power cut.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        keys: Sequence[bytes],
        clock: Clock,
        thread: Thread,
    ) -> None:
        self._connection = connection
        self._ciphers = [AESGCM(key) for key in keys]
        self._clock = clock
        self._thread = thread
        self._is_closed = False

    @classmethod
    async def open(cls, path: Path, *, keys: Sequence[bytes], clock: Clock) -> Self:
        """Return the shelf in *path*, which is made if need be.

        *keys* are 32 random bytes each, from the oldest to the newest: the last one writes, all
        of them read. What was written under another key is not found.

        Raises:
            StoreRefused: the file cannot be used.
        """
        if not keys:
            raise StoreRefused("The shelf has no key.")
        for key in keys:
            _require_key(key)
        thread = Thread("keyturn-shelf")
        try:
            connection = await thread.run(lambda: _connect(path))
        except BaseException:
            await thread.stop()
            raise
        return cls(connection, keys=keys, clock=clock, thread=thread)

    async def put(
        self,
        kind: str,
        key: str,
        value: bytes,
        *,
        ttl_s: float | None = None,
        if_version: int | None = None,
    ) -> int:
        now = micros(self._clock.now())
        expires_at = None if ttl_s is None else now + round(ttl_s * 1_000_000)

        def put() -> int:
            self._connection.execute(_SWEEP, (now,))
            row = self._connection.execute(_VERSION, (kind, key)).fetchone()
            version: int = 0 if row is None else row[0]
            if if_version is not None and if_version != version:
                raise Conflict(f"{kind} {key} is at version {version}, not {if_version}.")
            nonce = os.urandom(_NONCE_BYTES)
            bound = _bound(kind, key, version + 1, expires_at)
            box = nonce + self._ciphers[-1].encrypt(nonce, value, bound)
            self._connection.execute(_PUT, (kind, key, version + 1, expires_at, box))
            return version + 1

        return await self._together(put)

    async def get(self, kind: str, key: str) -> Item | None:
        now = micros(self._clock.now())

        def get() -> Item | None:
            row = self._connection.execute(_GET, (kind, key, now)).fetchone()
            return None if row is None else self._item(kind, row)

        return await self._together(get)

    async def take(self, kind: str, key: str) -> Item | None:
        now = micros(self._clock.now())

        def take() -> Item | None:
            row = self._connection.execute(_GET, (kind, key, now)).fetchone()
            if row is None:
                return None
            self._connection.execute(_DELETE, (kind, key))
            return self._item(kind, row)

        return await self._together(take)

    async def list(self, kind: str, prefix: str = "") -> list[Item]:
        now = micros(self._clock.now())

        def listed() -> list[Item]:
            rows = self._connection.execute(_LIST, (kind, len(prefix), prefix, now)).fetchall()
            items = (self._item(kind, row) for row in rows)
            return [item for item in items if item is not None]

        return await self._together(listed)

    async def delete(self, kind: str, key: str) -> None:
        await self._together(lambda: self._connection.execute(_DELETE, (kind, key)).rowcount)

    async def forget(self, mention: str) -> None:
        def forget() -> None:
            for kind, *row in self._connection.execute(_EVERYTHING).fetchall():
                item = self._item(kind, row)
                if mention in row[0] or item is None or mention.encode() in item.value:
                    self._connection.execute(_DELETE, (kind, row[0]))

        def clean_up() -> None:
            # Deletes overwrite; what was replaced before, and the WAL, are left.
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await self._together(forget)
        try:
            await self._thread.run(clean_up)
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def renew(self, key: bytes) -> None:
        _require_key(key)
        self._ciphers.append(AESGCM(key))

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        await self._thread.run(self._connection.close)
        await self._thread.stop()

    async def _together(self, work: Callable[[], T]) -> T:
        if self._is_closed:
            raise StoreUnavailable("The shelf is closed.")

        def transaction() -> T:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work()
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return result

        try:
            return await self._thread.run(transaction)
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def _item(self, kind: str, row: Sequence[Any]) -> Item | None:
        key, version, expires_at, box = row
        bound = _bound(kind, key, version, expires_at)
        value = self._opened(box, bound)
        if value is None:
            # Another key's, or changed by hand: lost without harm.
            return None
        return Item(
            key=key,
            value=value,
            version=version,
            expires_at=None if expires_at is None else moment(expires_at),
        )

    def _opened(self, box: bytes, bound: bytes) -> bytes | None:
        for cipher in reversed(self._ciphers):
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], bound)
        return None


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise StoreRefused(f"The shelf's key is {len(key)} bytes, not {KEY_BYTES}.")


def _bound(kind: str, key: str, version: int, expires_at: int | None) -> bytes:
    return orjson.dumps(["keyturn.shelf.v1", kind, key, version, expires_at])


def _connect(path: Path) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(path, connection)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise StoreRefused(
            f"{path} cannot be used. {meaning(error)}",
            remedy="Make it writable. If it is damaged, delete it: people sign in once more.",
        ) from error
    return connection


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SHELF_VERSION:
        raise StoreRefused(
            f"{path} was written by a newer Keyturn.",
            remedy="Install the newer Keyturn again, or delete the file: people sign in once more.",
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # What is deleted here is a secret of somebody's.
    connection.execute("PRAGMA secure_delete = ON")
    with closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(_TABLE)
        cursor.execute(_EXPIRY)
        cursor.execute(f"PRAGMA user_version = {SHELF_VERSION}")
        cursor.execute("COMMIT")


_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS item (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        expires_at INTEGER,
        box BLOB NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID
"""
_EXPIRY: Final = """
    CREATE INDEX IF NOT EXISTS item_expiry ON item (expires_at) WHERE expires_at IS NOT NULL
"""
_SWEEP: Final = "DELETE FROM item WHERE expires_at <= ?"
_VERSION: Final = "SELECT version FROM item WHERE kind = ? AND key = ?"
_PUT: Final = """
    INSERT INTO item VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, key) DO UPDATE SET version = excluded.version,
        expires_at = excluded.expires_at, box = excluded.box
"""
_GET: Final = """
    SELECT key, version, expires_at, box FROM item
    WHERE kind = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)
"""
_LIST: Final = """
    SELECT key, version, expires_at, box FROM item
    WHERE kind = ? AND substr(key, 1, ?) = ? AND (expires_at IS NULL OR expires_at > ?)
    ORDER BY key
"""
_EVERYTHING: Final = "SELECT kind, key, version, expires_at, box FROM item"
_DELETE: Final = "DELETE FROM item WHERE kind = ? AND key = ?"
