"""The store that forgets at exit, for tests and trials."""

from store.memory.shelf import MemoryShelf
from store.memory.store import MemoryStore

__all__ = ["MemoryShelf", "MemoryStore"]
