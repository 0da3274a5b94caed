"""Which files the SQLite store opens, and what it says of the others."""

import asyncio
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.errors import StoreRefused
from bot.ports.queries import Head
from bot.testing.clock import ManualClock
from bot.testing.stores import acts
from store.sqlite import SqliteStore
from store.sqlite.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

WRITER = Path(__file__).with_name("endless_writer.py")


async def test_a_second_process_is_refused_until_the_first_is_gone(
    path: Path, clock: ManualClock, repo: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        WRITER,
        path,
        "0",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(repo)},
    )
    assert process.stdout is not None
    await process.stdout.readline()

    with pytest.raises(StoreRefused, match=f"process {process.pid}") as caught:
        await SqliteStore.open(path, clock=clock)
    assert caught.value.remedy

    process.kill()
    await process.stdout.read()
    await process.wait()
    store = await SqliteStore.open(path, clock=clock)
    await store.close()


async def test_the_same_process_is_refused_too(store: SqliteStore, path: Path) -> None:
    with pytest.raises(StoreRefused, match=f"process {os.getpid()}"):
        await SqliteStore.open(path, clock=ManualClock())

    await acts.hold(store)


async def test_a_newer_schema_is_refused_and_left_as_it_is(path: Path, clock: ManualClock) -> None:
    await _made(path, clock)
    _run(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = _content(path)

    with pytest.raises(StoreRefused, match="newer Keyturn") as caught:
        await SqliteStore.open(path, clock=clock)

    assert "Install" in caught.value.remedy
    assert _content(path) == before


async def test_an_older_schema_is_migrated(path: Path, clock: ManualClock) -> None:
    _run(path, f"PRAGMA application_id = {APPLICATION_ID}")

    store = await SqliteStore.open(path, clock=clock)

    assert (await store.read(Head())).size == 0
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("SELECT * FROM meta").fetchall() == [
            ("schema_version", str(SCHEMA_VERSION))
        ]
        applied = connection.execute("SELECT name FROM _sqlite_migrations").fetchall()
    assert [name for (name,) in applied] == [each.name for each in MIGRATIONS._migrations]


async def test_the_database_of_another_program_is_refused_and_left_as_it_is(
    path: Path, clock: ManualClock
) -> None:
    _run(path, "CREATE TABLE bookmarks (url TEXT)")
    before = _content(path)

    with pytest.raises(StoreRefused, match="another program"):
        await SqliteStore.open(path, clock=clock)

    assert _content(path) == before


@pytest.mark.parametrize("content", [b"this is no database " * 100, b"SQLite format 3\x00" * 400])
async def test_what_is_no_database_is_refused(
    path: Path, clock: ManualClock, content: bytes
) -> None:
    _write(path, content)

    with pytest.raises(StoreRefused) as caught:
        await SqliteStore.open(path, clock=clock)

    assert caught.value.remedy
    assert _content(path) == content


async def test_a_damaged_file_is_refused(path: Path, clock: ManualClock) -> None:
    await _made(path, clock)
    _write(path, (_content(path) or b"")[:4096] + os.urandom(64 * 4096))

    with pytest.raises(StoreRefused, match="damaged") as caught:
        await SqliteStore.open(path, clock=clock)

    assert "backup" in caught.value.remedy


async def test_a_log_that_lost_its_end_is_refused(path: Path, clock: ManualClock) -> None:
    await _made(path, clock)
    _run(path, "DROP TRIGGER leaf_is_kept; DELETE FROM leaf WHERE idx = 1")

    with pytest.raises(StoreRefused, match="log"):
        await SqliteStore.open(path, clock=clock)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "9p", "fuse.sshfs", "ceph", "lustre"])
async def test_a_network_file_system_is_refused(
    path: Path, tmp_path: Path, clock: ManualClock, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/export {path.parent} {kind} rw 0 0\n")

    with pytest.raises(StoreRefused, match=kind) as caught:
        await SqliteStore.open(path, clock=clock, mounts=mounts)

    assert "local disk" in caught.value.remedy
    assert _content(path) is None


async def test_the_deepest_mount_counts(path: Path, tmp_path: Path, clock: ManualClock) -> None:
    spaced = tmp_path / "with space"
    spaced.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"server:/ / nfs rw 0 0\n{tmp_path.parent} {tmp_path} ext4 rw 0 0\n"
        f"server:/x {str(spaced).replace(' ', chr(92) + '040')} cifs rw 0 0\n"
    )

    store = await SqliteStore.open(path, clock=clock, mounts=mounts)
    await store.close()
    with pytest.raises(StoreRefused, match="cifs"):
        await SqliteStore.open(spaced / "keyturn.db", clock=clock, mounts=mounts)


async def test_a_link_is_followed_to_where_the_file_lies(
    tmp_path: Path, clock: ManualClock
) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    (tmp_path / "near").symlink_to(remote)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {remote} nfs4 rw 0 0\n")

    with pytest.raises(StoreRefused, match="nfs4"):
        await SqliteStore.open(tmp_path / "near" / "keyturn.db", clock=clock, mounts=mounts)


async def test_a_missing_directory_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(StoreRefused) as caught:
        await SqliteStore.open(tmp_path / "none" / "keyturn.db", clock=clock)

    assert "directory" in caught.value.remedy


async def test_a_locked_file_is_refused(path: Path, clock: ManualClock) -> None:
    await _made(path, clock)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreRefused, match="locked"):
            await SqliteStore.open(path, clock=clock, busy_timeout_s=0.05)
        connection.execute("ROLLBACK")

    store = await SqliteStore.open(path, clock=clock)
    await store.close()


async def test_only_its_user_may_read_it(store: SqliteStore, path: Path) -> None:
    await acts.hold(store)

    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_it_is_durable_by_its_settings(store: SqliteStore) -> None:
    writing = store._connections.writing

    assert writing.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert writing.execute("PRAGMA synchronous").fetchone() == (2,)
    assert writing.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


async def _made(path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(path, clock=clock)
    await acts.hold(store, 1)
    await acts.hold(store, 2)
    await store.close()


def _run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _write(path: Path, content: bytes | None) -> None:
    path.write_bytes(content or b"")
