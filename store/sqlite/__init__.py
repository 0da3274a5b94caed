"""The embedded store: one SQLite file, one writer, group commit."""

from store.sqlite.shelf import SqliteShelf
from store.sqlite.store import SqliteStore

__all__ = ["SqliteShelf", "SqliteStore"]
