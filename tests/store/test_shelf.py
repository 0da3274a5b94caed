import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.errors import StoreRefused, StoreUnavailable
from bot.testing.clock import ManualClock
from store.sqlite import SqliteShelf

KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shelf.db"


@pytest.fixture
async def shelf(path: Path, clock: ManualClock) -> AsyncIterator[SqliteShelf]:
    shelf = await SqliteShelf.open(path, keys=[KEY], clock=clock)
    yield shelf
    await shelf.close()


async def test_values_are_kept_over_a_restart_and_not_in_clear(
    path: Path, clock: ManualClock
) -> None:
    shelf = await SqliteShelf.open(path, keys=[KEY], clock=clock)
    await shelf.put("session", "a", b"the words of a secret")
    await shelf.close()

    assert b"secret" not in _content(path)
    shelf = await SqliteShelf.open(path, keys=[KEY], clock=clock)
    item = await shelf.get("session", "a")
    assert item is not None
    assert item.value == b"the words of a secret"
    await shelf.close()


async def test_what_was_taken_is_not_left_in_the_file(path: Path, clock: ManualClock) -> None:
    shelf = await SqliteShelf.open(path, keys=[KEY], clock=clock)
    await shelf.put("link", "needle-in-the-file", b"1")
    await shelf.take("link", "needle-in-the-file")
    await shelf.close()

    assert b"needle" not in _content(path)


async def test_another_key_finds_nothing(path: Path, clock: ManualClock) -> None:
    shelf = await SqliteShelf.open(path, keys=[KEY], clock=clock)
    await shelf.put("session", "a", b"1")
    await shelf.close()

    other = await SqliteShelf.open(path, keys=[bytes(32)], clock=clock)
    assert await other.get("session", "a") is None
    assert await other.take("session", "a") is None
    await other.close()


async def test_the_newest_key_writes_and_older_ones_still_read(
    path: Path, clock: ManualClock
) -> None:
    new = bytes(reversed(KEY))
    shelf = await SqliteShelf.open(path, keys=[KEY], clock=clock)
    await shelf.put("session", "old", b"1")
    await shelf.renew(new)
    await shelf.put("session", "new", b"2")
    await shelf.close()

    for keys, found in (([KEY, new], ["new", "old"]), ([KEY], ["old"]), ([new], ["new"])):
        again = await SqliteShelf.open(path, keys=keys, clock=clock)
        assert [item.key for item in await again.list("session")] == found
        await again.close()


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'admin'",
        "key = 'b'",
        "version = 7",
        "expires_at = expires_at + 1",
        "box = zeroblob(40)",
        "box = x''",
    ],
)
async def test_a_value_moved_or_changed_by_hand_is_not_there(
    shelf: SqliteShelf, path: Path, change: str
) -> None:
    await shelf.put("session", "a", b"1", ttl_s=60)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE item SET {change}")  # noqa: S608 - from the list above
        connection.commit()

    for kind in ("session", "admin"):
        for key in ("a", "b"):
            assert await shelf.get(kind, key) is None
        assert await shelf.list(kind) == []


async def test_a_key_of_another_length_is_refused(path: Path, clock: ManualClock) -> None:
    with pytest.raises(StoreRefused, match="32"):
        await SqliteShelf.open(path, keys=[KEY, b"short"], clock=clock)


async def test_a_shelf_without_a_key_is_refused(path: Path, clock: ManualClock) -> None:
    with pytest.raises(StoreRefused, match="no key"):
        await SqliteShelf.open(path, keys=[], clock=clock)


async def test_a_file_that_is_no_shelf_is_refused_with_a_remedy(
    path: Path, clock: ManualClock
) -> None:
    _spoil(path)

    with pytest.raises(StoreRefused) as caught:
        await SqliteShelf.open(path, keys=[KEY], clock=clock)

    assert "delete it" in caught.value.remedy


async def test_a_closed_shelf_refuses(shelf: SqliteShelf) -> None:
    await shelf.close()
    await shelf.close()

    with pytest.raises(StoreUnavailable):
        await shelf.get("session", "a")


async def test_only_its_user_may_read_it(shelf: SqliteShelf, path: Path) -> None:
    await shelf.put("session", "a", b"1")

    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def _content(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


def _spoil(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
