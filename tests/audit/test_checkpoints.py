"""The signed head: kept beside the database, which may be ahead of it and never behind."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.file.log_state import FileLogState, keep_state, read_state
from bot.core.actors import OPERATOR
from bot.core.errors import StoreRefused
from bot.core.leaf import LeafDraft
from bot.core.signed_note import Signer
from bot.core.step import Ask, Transition
from bot.ports.log_state import LogState
from bot.ports.queries import Head, LeafHashes
from bot.ports.store import Store
from bot.service.checkpoints import Checkpoints, beginning
from bot.testing.clock import ManualClock
from store.sqlite import SqliteStore
from tests.audit.logs import new_signer


class Place:
    """A database, and the state beside it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.database = folder / "log.sqlite3"
        self.state = folder / "log-state.json"
        self.signer: Signer = new_signer()
        keep_state(self.state, beginning(self.signer))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Store, Checkpoints]]:
        store = await SqliteStore.open(self.database, clock=ManualClock())
        try:
            keeper = FileLogState(self.state)
            yield store, await Checkpoints.open(store, [self.signer], keeper=keeper)
        finally:
            await store.close()

    async def grow(self, count: int, *, kept: bool = True, type_: str = "test.note") -> None:
        async with self.opened() as (store, checkpoints):
            await write(store, count, type_=type_)
            if kept:
                await checkpoints.close()


async def write(store: Store, count: int, *, type_: str = "test.note") -> None:
    drafts = tuple(LeafDraft(type=type_, actor=OPERATOR, clear={"n": n}) for n in range(count))
    await store.transact(Ask(), lambda _: Transition(value=None, leaves=drafts))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data")


async def test_what_was_committed_is_under_the_next_signature(place: Place) -> None:
    async with place.opened() as (store, checkpoints):
        await write(store, 300)

        signed = await checkpoints.sign()

        head = await store.read(Head())
        assert (signed.checkpoint.size, signed.checkpoint.root) == (300, head.root)
        assert place.signer.key.signed(signed.note)
        assert await checkpoints.sign() is signed


async def test_a_closed_bot_leaves_its_last_head_behind(place: Place) -> None:
    await place.grow(5)

    assert read_state(place.state).size == 5


async def test_a_running_bot_keeps_its_head_without_being_asked(place: Place) -> None:
    kept = asyncio.Event()

    class Telling(FileLogState):
        async def keep(self, state: LogState) -> None:
            await super().keep(state)
            kept.set()

    store = await SqliteStore.open(place.database, clock=ManualClock())
    keeper = Telling(place.state)
    checkpoints = await Checkpoints.open(store, [place.signer], keeper=keeper)
    running = asyncio.create_task(checkpoints.run())
    await write(store, 3)
    async with asyncio.timeout(10):
        await kept.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()

    assert read_state(place.state).size == 3


async def test_a_database_that_is_ahead_opens(place: Place) -> None:
    await place.grow(300)
    await place.grow(270, kept=False)

    async with place.opened() as (_, checkpoints):
        assert checkpoints.latest.checkpoint.size == 570


async def test_an_older_copy_of_the_database_is_refused(place: Place, tmp_path: Path) -> None:
    await place.grow(5)
    copy = shutil.copytree(tmp_path / "data", tmp_path / "copy")
    await place.grow(1)
    shutil.copy(copy / place.database.name, place.database)

    with pytest.raises(StoreRefused, match="older copy") as refused:
        async with place.opened():
            pass
    assert "keyturn restore" in refused.value.remedy


async def test_an_older_copy_that_has_grown_again_is_refused(place: Place, tmp_path: Path) -> None:
    await place.grow(300)
    copy = shutil.copytree(tmp_path / "data", tmp_path / "copy")
    await place.grow(1)
    kept = place.state.read_text()
    for file in (place.database, place.state):
        shutil.copy(copy / file.name, file)
    await place.grow(9, type_="test.other")
    place.state.write_text(kept)

    with pytest.raises(StoreRefused, match="another past"):
        async with place.opened():
            pass


async def test_another_log_of_the_same_size_is_refused(place: Place, tmp_path: Path) -> None:
    await place.grow(5)
    kept = place.state.read_text()
    place.database.unlink()
    keep_state(place.state, beginning(place.signer))
    async with place.opened() as (store, _):
        await write(store, 5, type_="test.other")
    place.state.write_text(kept)

    with pytest.raises(StoreRefused, match="another past"):
        async with place.opened():
            pass


async def test_a_lost_state_is_refused(place: Place) -> None:
    await place.grow(1)
    place.state.unlink()

    with pytest.raises(StoreRefused, match="not there"):
        async with place.opened():
            pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "keyturn.log-state", "version": 2}'])
async def test_a_damaged_state_is_refused(place: Place, text: str) -> None:
    place.state.write_text(text)

    with pytest.raises(StoreRefused):
        async with place.opened():
            pass


async def test_a_state_that_somebody_edited_is_refused(place: Place) -> None:
    await place.grow(5)
    place.state.write_text(place.state.read_text().replace('"size": 5', '"size": 4'))

    with pytest.raises(StoreRefused, match="key of the log"):
        async with place.opened():
            pass


async def test_the_key_of_another_log_is_refused(place: Place) -> None:
    await place.grow(1)
    place.signer = new_signer()

    with pytest.raises(StoreRefused, match="key of the log"):
        async with place.opened():
            pass


def test_a_state_is_replaced_whole(place: Place) -> None:
    before = place.state.stat().st_ino

    keep_state(place.state, beginning(place.signer, epoch=1))

    assert place.state.stat().st_ino != before
    assert place.state.stat().st_mode & 0o777 == 0o600
    assert read_state(place.state).epoch == 1
    assert list(place.state.parent.glob("*.new")) == []


async def test_leaf_hashes_come_in_pages(place: Place) -> None:
    async with place.opened() as (store, _):
        await write(store, 10)

        whole = await store.read(LeafHashes(0, 100))

        assert len(whole) == 10
        assert await store.read(LeafHashes(3, 4)) == whole[3:7]
        assert await store.read(LeafHashes(10, 4)) == []


async def test_a_keep_that_was_cancelled_on_its_way_does_not_disturb_the_next(place: Place) -> None:
    keeper, state = FileLogState(place.state), beginning(place.signer)
    for size in range(0, 200, 2):
        left = asyncio.create_task(keeper.keep(replace(state, size=size)))
        # Its thread has begun, as when the bot is told to stop.
        await asyncio.sleep(0)
        left.cancel()
        await keeper.keep(replace(state, size=size + 1))
    assert (await keeper.read()).size in {198, 199}
