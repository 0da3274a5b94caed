"""No byte of what was erased is in any file: searched for in the files themselves."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.actors import OPERATOR
from bot.core.erasure import Erasure
from bot.core.errors import StoreUnavailable
from bot.core.leaf import LeafDraft
from bot.core.proposal import Rationale
from bot.core.states import State
from bot.testing.clock import ManualClock
from bot.testing.stores import acts
from bot.testing.stores.acts import ADA, BEN, CLERK
from store.sqlite import SqliteShelf, SqliteStore
from store.sqlite import erase as erasing

CANARIES = ("canary-handle", "CanaryName", "canary-why", "canary-param", "canary-key")
KEPT = "what-belongs-to-another"


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    store = await _opened(tmp_path, clock)
    yield store
    await store.close()


async def _opened(folder: Path, clock: ManualClock) -> SqliteStore:
    return await SqliteStore.open(folder / "keyturn.db", clock=clock)


def found_in(folder: Path) -> set[str]:
    """Return which canaries stand anywhere in the files of *folder*."""
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    return {canary for canary in (*CANARIES, KEPT) if canary.encode() in everything}


async def fill(store: SqliteStore) -> None:
    """Keep canaries in rows, older versions of rows, overflow pages and free pages."""
    person = replace(ADA, handle="canary-handle", display_name="CanaryName")
    introduced = LeafDraft(
        type="person.created",
        actor=OPERATOR,
        clear={"person": ADA.id},
        private={"display_name": "CanaryName", "handle": "canary-handle"},
    )
    await acts.keep(store, person, BEN, leaves=[introduced])
    for number in range(1, 41):
        held = await acts.hold(
            store,
            number,
            idempotency_key=f"canary-key-{number}",
            rationale=Rationale(why="canary-why " * (number * 40)),
            correlation="canary-param",
        )
        await acts.move(store, held.id, State.REJECTED)
        if number % 3 == 0:
            # An older version of the row is left behind in free space.
            await acts.keep(store, replace(held, state=State.REJECTED, rationale=Rationale()))
    await acts.hold(
        store, 99, agent=CLERK.id, principal=BEN.id, rationale=Rationale(why=f"{KEPT} " * 500)
    )


async def erase(store: SqliteStore) -> None:
    await store.erase(Erasure(person=ADA.id, actor=OPERATOR, reason="Asked for it."))


async def test_no_byte_of_it_is_left_while_the_store_stays_open(store: SqliteStore, tmp_path: Path):
    await fill(store)
    assert found_in(tmp_path) == {*CANARIES, KEPT}

    await erase(store)

    assert found_in(tmp_path) == {KEPT}
    assert (tmp_path / "keyturn.db-wal").stat().st_size < 50_000


async def test_the_store_goes_on_after_an_erasure(store: SqliteStore, tmp_path: Path):
    await fill(store)
    await erase(store)

    held = await acts.hold(store, 200)

    assert await acts.known(store, held.id) == held
    assert (await acts.log(store))[-1].index == (await acts.head(store)).size - 1
    with sqlite3.connect(tmp_path / "keyturn.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_reads_during_an_erasure_are_answered(store: SqliteStore):
    await fill(store)
    running = asyncio.create_task(erase(store))
    sizes = []
    while not running.done():
        sizes.append(len(await acts.log(store)))
        await asyncio.sleep(0)
    await running
    assert sizes
    assert sorted(sizes) == sizes


async def test_what_was_interrupted_after_its_commit_is_finished_at_the_next_start(
    tmp_path: Path, clock: ManualClock
):
    alive, crashed = tmp_path / "alive", tmp_path / "crashed"
    alive.mkdir()
    store = await _opened(alive, clock)
    await fill(store)
    connection, transaction = store._connections.writing, store._transaction
    erasure = Erasure(person=ADA.id, actor=OPERATOR, reason="")
    await store._writer.alone(
        lambda: erasing.erase(connection, transaction, erasure, busy_timeout_s=1)
    )
    shutil.copytree(alive, crashed)
    await store.close()
    assert found_in(crashed) == {*CANARIES, KEPT}

    again = await _opened(crashed, clock)

    assert found_in(crashed) == {KEPT}
    await again.close()


async def test_a_long_read_is_told_of_and_the_next_try_finishes(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(erasing, "_TRIES", 1)
    store._busy_timeout_s = 0.01
    await fill(store)
    reader = sqlite3.connect(tmp_path / "keyturn.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM leaf").fetchone()

    with pytest.raises(StoreUnavailable, match="may hold traces"):
        await erase(store)
    assert found_in(tmp_path) - {KEPT}
    reader.execute("ROLLBACK")
    reader.close()
    await erase(store)

    assert found_in(tmp_path) == {KEPT}


async def test_nothing_of_a_person_is_left_on_the_shelf(tmp_path: Path, clock: ManualClock):
    shelf = await SqliteShelf.open(tmp_path / "shelf.db", keys=[bytes(32)], clock=clock)
    await shelf.put("card", "canary-key", b"x" * 2000)
    await shelf.put("card", "other", KEPT.encode())
    assert found_in(tmp_path) == {"canary-key"}

    await shelf.forget("canary-key")

    assert found_in(tmp_path) == set()
    assert [item.key for item in await shelf.list("card")] == ["other"]
    await shelf.close()
