"""A copy is what the database was at one moment, whoever writes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import StoreRefused
from bot.core.merkle import root_of
from bot.testing.clock import ManualClock
from bot.testing.stores import acts
from store.sqlite import SqliteStore, copying
from store.sqlite.copying import copy_database, examine


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "live.db", clock=clock)
    yield store
    await store.close()


async def test_who_writes_meanwhile_is_not_held_up_and_not_in_the_copy(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(copying, "_PAGES_A_STEP", 4)
    for number in range(100):
        await acts.hold(store, number)
    before = await acts.head(store)
    loop, number = asyncio.get_running_loop(), 100
    committed: list[int] = []

    def progress(done: int, total: int) -> None:
        """Commit something between any two steps of the copy, from its thread."""
        nonlocal number
        number += 1
        asyncio.run_coroutine_threadsafe(acts.hold(store, number), loop).result(10)
        committed.append(done)

    await asyncio.to_thread(
        copy_database, tmp_path / "live.db", tmp_path / "copy.db", progress=progress
    )

    assert len(committed) > 5
    copied = examine(tmp_path / "copy.db", size_before=50, progress=lambda *_: None)
    assert (copied.size, copied.root) == (before.size, before.root)
    hashes = [leaf.hash for leaf in await acts.log(store)]
    assert copied.root_before == root_of(hashes[:50])
    assert (await acts.head(store)).size == before.size + len(committed)
    assert not (tmp_path / "copy.db-wal").exists()


async def test_a_page_that_is_damaged_is_found(store: SqliteStore, tmp_path: Path):
    for number in range(50):
        await acts.hold(store, number)
    copy = tmp_path / "copy.db"
    copy_database(tmp_path / "live.db", copy, progress=lambda *_: None)
    torn = bytearray(copy.read_bytes())
    torn[4096 * 5 : 4096 * 6] = b"\xff" * 4096
    copy.write_bytes(torn)

    with pytest.raises(StoreRefused):
        examine(copy, size_before=0, progress=lambda *_: None)


async def test_a_log_that_was_changed_by_hand_is_found(store: SqliteStore, tmp_path: Path):
    await acts.hold(store)
    copy = tmp_path / "copy.db"
    copy_database(tmp_path / "live.db", copy, progress=lambda *_: None)
    with copying.closing(copying._connection(copy, "mode=rw")) as connection:
        connection.execute("DROP TRIGGER leaf_stays")
        connection.execute("UPDATE leaf SET hash = zeroblob(32)")

    with pytest.raises(StoreRefused, match="its log is not what its head says"):
        examine(copy, size_before=0, progress=lambda *_: None)
