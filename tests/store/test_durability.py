"""What the SQLite store does when the machine fails it: real failures, none pretended."""

import asyncio
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.core.effects import deliver
from bot.core.errors import StoreUnavailable
from bot.core.ids import ProposalId
from bot.core.merkle import root_of
from bot.core.states import State
from bot.core.step import Ask
from bot.ports.queries import EffectsOf, ProposalById
from bot.testing.clock import ManualClock
from bot.testing.stores import acts
from store.sqlite import SqliteStore

WRITER = Path(__file__).with_name("endless_writer.py")


async def test_kill_minus_9_loses_nothing_that_was_acknowledged(
    path: Path, clock: ManualClock, repo: Path
) -> None:
    for round_ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            WRITER,
            path,
            str(round_ * 1_000_000),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(repo)},
        )
        assert process.stdout is not None
        acknowledged = [(await process.stdout.readline()).decode().strip() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        acknowledged += (await process.stdout.read()).decode().split("\n")[:-1]
        assert await process.wait() == -signal.SIGKILL

        store = await SqliteStore.open(path, clock=clock)
        for proposal in acknowledged:
            assert await store.read(ProposalById(ProposalId(proposal))) is not None
        await _assert_whole(store)
        freed = await acts.lease_all(store, limit=10)
        assert freed
        assert all(lease.attempt >= 2 for lease in freed)
        await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_full_disk_refuses_everything_and_is_forgotten_once_there_is_room(
    store: SqliteStore, path: Path
) -> None:
    held = await acts.hold(store, 1)
    before = await acts.head(store)

    with room_in(Path(f"{path}-wal"), for_bytes=2000):
        results = await asyncio.gather(
            *(acts.hold(store, n) for n in range(2, 34)),
            acts.move(store, held.id, State.APPROVED),
            acts.keep(store, acts.halt("1"), leaves=[acts.draft()]),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {StoreUnavailable}
        assert await acts.known(store, held.id) == held
        assert await acts.head(store) == before

    assert list((await acts.look(store, Ask())).halts) == []
    assert (await acts.move(store, held.id, State.REJECTED)).state is State.REJECTED
    await acts.hold(store, 50)
    await _assert_whole(store)


async def test_a_database_that_cannot_grow_refuses_and_recovers(store: SqliteStore) -> None:
    writing = store._connections.writing
    (pages,) = writing.execute("PRAGMA page_count").fetchone()
    writing.execute(f"PRAGMA max_page_count = {pages}")

    results = await asyncio.gather(
        *(acts.hold(store, n) for n in range(64)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, BaseException)]

    assert refused
    assert all(isinstance(error, StoreUnavailable) for error in refused)
    assert "disk is full" in str(refused[0])
    writing.execute("PRAGMA max_page_count = 1000000")
    await asyncio.gather(*(acts.hold(store, n) for n in range(64, 128)))
    await _assert_whole(store)


async def test_a_lock_of_another_program_is_waited_for(path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(path, clock=clock, busy_timeout_s=30)
    with other_program(path):
        waiting = [asyncio.ensure_future(acts.hold(store, n)) for n in range(8)]
        await _several_turns()
        assert not any(each.done() for each in waiting)

    assert len(await asyncio.gather(*waiting)) == 8
    await store.close()


async def test_a_lock_that_stays_is_not_waited_for_for_ever(path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(path, clock=clock, busy_timeout_s=0.05)
    held = await acts.hold(store, 1)
    with other_program(path):
        with pytest.raises(StoreUnavailable, match="locked"):
            await acts.move(store, held.id, State.APPROVED)
        assert await acts.known(store, held.id) == held

    await acts.move(store, held.id, State.APPROVED)
    await store.close()


async def test_a_database_turned_read_only_refuses_with_a_sentence(store: SqliteStore) -> None:
    held = await acts.hold(store, 1)
    writing = store._connections.writing
    writing.execute("PRAGMA query_only = ON")

    with pytest.raises(StoreUnavailable, match="read-only") as caught:
        await acts.move(store, held.id, State.APPROVED)

    assert caught.value.remedy
    writing.execute("PRAGMA query_only = OFF")
    await acts.move(store, held.id, State.APPROVED)


async def test_what_cannot_be_read_at_first_refuses_and_recovers(
    store: SqliteStore, path: Path
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("ALTER TABLE head RENAME TO mislaid")
        with pytest.raises(StoreUnavailable):
            await acts.hold(store, 1)
        other.execute("ALTER TABLE mislaid RENAME TO head")

    await acts.hold(store, 1)
    await _assert_whole(store)


async def test_time_does_not_go_back_over_a_restart(path: Path, clock: ManualClock) -> None:
    clock.advance(3600)
    store = await SqliteStore.open(path, clock=clock)
    await acts.hold(store, 1)
    (last,) = await acts.log(store)
    await store.close()
    clock.advance(-7200)

    store = await SqliteStore.open(path, clock=clock)
    assert (await acts.look(store, Ask())).now > last.at
    await acts.hold(store, 2)
    assert [leaf.index for leaf in await acts.log(store)] == [0, 1]
    await _assert_whole(store)
    await store.close()


async def test_a_restart_goes_on_where_it_stopped(path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(path, clock=clock)
    watcher = store.watch()
    held = await acts.hold(store, 1)
    (lease,) = await acts.begin(store, deliver(held.id))
    position = (await anext(watcher)).position
    await acts.keep(store, acts.halt("1"))
    await store.close()

    store = await SqliteStore.open(path, clock=clock)
    (again,) = await acts.lease_all(store)
    assert (again.effect, again.attempt) == (lease.effect, lease.attempt + 1)
    assert [halt.id for halt in (await acts.look(store, Ask())).halts] == ["hlt_1"]
    watcher = store.watch()
    await acts.move(store, held.id, State.APPROVED)
    assert (await anext(watcher)).position > position
    await acts.keep(store, done=[again])
    assert await acts.listed(store, EffectsOf(held.id)) == []
    await store.close()


async def test_the_log_cannot_be_changed_or_shortened_by_hand(
    store: SqliteStore, path: Path
) -> None:
    await acts.hold(store, 1)

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (
            "UPDATE leaf SET body = 'x'",
            "DELETE FROM leaf",
            "UPDATE opening SET doc = '[]'",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
        connection.execute("DELETE FROM opening")

    (leaf,) = await acts.log(store)
    assert leaf.openings == ()
    await _assert_whole(store)


@contextmanager
def room_in(file: Path, *, for_bytes: int) -> Iterator[None]:
    """Let *file* grow no further than *for_bytes*: writing more fails as on a full disk."""
    size = file.stat().st_size + for_bytes
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@contextmanager
def other_program(path: Path) -> Iterator[None]:
    """Hold the database locked for writing, as a tool in somebody's hands would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def _several_turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _assert_whole(store: SqliteStore) -> None:
    leaves = await acts.log(store)
    head = await acts.head(store)
    assert [leaf.index for leaf in leaves] == list(range(len(leaves)))
    assert (head.size, head.root) == (len(leaves), root_of([leaf.hash for leaf in leaves]))
