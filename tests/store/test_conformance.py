from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing.clock import ManualClock
from bot.testing.shelf import ShelfConformance
from bot.testing.store import BreakLog, StoreConformance
from store.memory import MemoryShelf, MemoryStore
from store.sqlite import SqliteShelf, SqliteStore
from tests.store.breaking import refuse_leaves


class TestSqlite(StoreConformance):
    @pytest.fixture
    async def store(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
        store = await SqliteStore.open(tmp_path / "keyturn.db", clock=clock)
        yield store
        await store.close()

    @pytest.fixture
    def break_log(self, tmp_path: Path) -> BreakLog:
        async def break_log() -> None:
            refuse_leaves(tmp_path / "keyturn.db")

        return break_log


class TestSqliteWithoutBirthLeases(TestSqlite):
    @pytest.fixture
    async def store(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
        store = await SqliteStore.open(tmp_path / "keyturn.db", clock=clock, birth_lease_s=0)
        yield store
        await store.close()


class TestMemory(StoreConformance):
    @pytest.fixture
    async def store(self, clock: ManualClock) -> AsyncIterator[MemoryStore]:
        store = MemoryStore(clock=clock)
        yield store
        await store.close()

    @pytest.fixture
    def break_log(self, store: MemoryStore) -> BreakLog:
        async def break_log() -> None:
            store.break_log()

        return break_log


class TestMemoryWithoutBirthLeases(TestMemory):
    @pytest.fixture
    async def store(self, clock: ManualClock) -> AsyncIterator[MemoryStore]:
        store = MemoryStore(clock=clock, birth_lease_s=0)
        yield store
        await store.close()


class TestSqliteShelf(ShelfConformance):
    @pytest.fixture
    async def shelf(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteShelf]:
        shelf = await SqliteShelf.open(tmp_path / "shelf.db", keys=[bytes(32)], clock=clock)
        yield shelf
        await shelf.close()


class TestMemoryShelf(ShelfConformance):
    @pytest.fixture
    async def shelf(self, clock: ManualClock) -> AsyncIterator[MemoryShelf]:
        shelf = MemoryShelf(clock=clock)
        yield shelf
        await shelf.close()
