from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing.clock import ManualClock
from store.sqlite import SqliteStore


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyturn.db"


@pytest.fixture
async def store(path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path, clock=clock)
    yield store
    await store.close()
