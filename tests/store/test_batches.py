"""Group commit: one fsync for many, none on the loop, nobody waits for the slow."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.effects import deliver
from bot.core.errors import StoreUnavailable
from bot.core.ids import ProposalId
from bot.core.states import State
from bot.core.step import Ask, Replay, Transition
from bot.ports.queries import OPEN_STATES, Due, Proposals, Query, Stoppable
from bot.ports.store import Change
from bot.testing.clock import ManualClock
from bot.testing.proposals import NOW
from bot.testing.stores import acts
from store.changes import BACKLOG, Changes
from store.sqlite import SqliteStore
from store.sqlite.writer import MOST_STEPS

#: Opcodes of SQLite's virtual machine that a list of 50 may take, however much is stored.
FEW_OPCODES = 20_000


class Statements:
    """What the writing connection is asked to do, and whether on the loop."""

    def __init__(self, store: SqliteStore) -> None:
        self._loop_thread = threading.get_ident()
        self.on_the_loop: list[str] = []
        self.elsewhere: list[str] = []
        store._connections.writing.set_trace_callback(self._trace)

    def _trace(self, sql: str) -> None:
        here = threading.get_ident() == self._loop_thread
        (self.on_the_loop if here else self.elsewhere).append(sql.split(maxsplit=1)[0])


async def test_a_crowd_shares_a_commit_and_the_loop_never_waits_for_it(store: SqliteStore) -> None:
    await acts.hold(store, 0)
    statements = Statements(store)

    await asyncio.gather(*(acts.hold(store, n) for n in range(1, 65)))

    assert statements.elsewhere == ["COMMIT"]
    assert "COMMIT" not in statements.on_the_loop
    assert statements.on_the_loop.count("BEGIN") == 1


async def test_more_than_one_commit_can_take_goes_into_the_next(store: SqliteStore) -> None:
    statements = Statements(store)

    held = await asyncio.gather(*(acts.hold(store, n) for n in range(MOST_STEPS + 10)))

    assert len({proposal.id for proposal in held}) == MOST_STEPS + 10
    assert statements.elsewhere == ["COMMIT", "COMMIT"]
    assert (await acts.head(store)).size == MOST_STEPS + 10


async def test_a_crowd_that_writes_nothing_commits_nothing(store: SqliteStore) -> None:
    statements = Statements(store)

    await asyncio.gather(*(store.transact(Ask(), Replay) for _ in range(16)))

    assert statements.elsewhere == []
    assert statements.on_the_loop.count("ROLLBACK") == 1


async def test_reads_are_answered_while_a_commit_waits(path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(path, clock=clock, busy_timeout_s=30)
    held = await acts.hold(store, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        moving = asyncio.ensure_future(acts.move(store, held.id, State.APPROVED))
        await asyncio.sleep(0)

        assert await acts.known(store, held.id) == held
        assert await acts.listed(store, Proposals()) == [held]
        other.execute("ROLLBACK")

    assert (await moving).state is State.APPROVED
    await store.close()


async def test_what_fails_after_a_step_has_written_leaves_nothing_of_it(
    store: SqliteStore, path: Path
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "CREATE TRIGGER no_effect BEFORE INSERT ON effect WHEN new.kind = 'deliver'"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
    before = await acts.head(store)
    held = acts.proposal(1)

    with pytest.raises(StoreUnavailable):
        await acts.keep(store, held, leaves=[acts.draft()], effects=[deliver(held.id)])

    assert await acts.listed(store, Proposals()) == []
    assert await acts.head(store) == before
    await acts.hold(store, 1)


async def test_a_step_that_stops_the_iteration_is_told_so(store: SqliteStore) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.transact(Ask(), lambda _: next(iter(())))

    await acts.hold(store)


async def test_a_value_that_no_column_takes_harms_nobody_else(store: SqliteStore) -> None:
    unfit = acts.proposal(1, connector=["not", "a", "name"])

    good, bad = await asyncio.gather(
        acts.hold(store, 2),
        store.transact(Ask(), lambda _: Transition(value=None, puts=(unfit,), leaves=())),
        return_exceptions=True,
    )

    assert isinstance(bad, StoreUnavailable)
    assert await acts.listed(store, Proposals()) == [good]


async def test_lists_do_not_walk_past_what_is_over(store: SqliteStore, path: Path) -> None:
    held = await acts.hold(store, 1)
    await acts.hold(store, 2, state=State.SUCCEEDED)
    _multiply_what_is_over(path, times=20_000)

    for query in (
        Proposals(agent=held.agent, states=OPEN_STATES),
        Proposals(principal=held.principal, states=OPEN_STATES),
        Proposals(states=OPEN_STATES),
        Proposals(agent=held.agent),
        Proposals(principal=held.principal),
        Proposals(agent=held.agent, principal=held.principal),
        Proposals(agent=held.agent, states=(State.SUCCEEDED, State.PENDING)),
        Proposals(),
        Due(at=held.expires_at or NOW),
        Stoppable(until=NOW),
        Stoppable(until=NOW, agent=held.agent),
        Stoppable(until=NOW, connector=held.connector),
    ):
        found, opcodes = await _count_opcodes(store, query)
        assert found
        assert opcodes < FEW_OPCODES, query


async def test_a_watcher_that_never_reads_is_let_go() -> None:
    changes = Changes()
    watch = changes.watch(None)
    change = Change(position=1, proposal=acts.proposal(1).id, state=State.PENDING, changed_at=NOW)
    watch.offer(replace(change, proposal=ProposalId(f"prp_{n}")) for n in range(BACKLOG + 1))

    with pytest.raises(StoreUnavailable, match="behind"):
        await anext(watch)


def _multiply_what_is_over(path: Path, *, times: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            """
            WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
            INSERT INTO proposal SELECT NULL, id || n, agent, principal, connector,
                idempotency_key || n, state, created_at, due_at, over, doc
            FROM proposal, n WHERE over
            """,
            (times,),
        )
        connection.commit()


async def _count_opcodes(
    store: SqliteStore, query: Query[Sequence[object]]
) -> tuple[Sequence[object], int]:
    ticks: list[None] = []
    far = store._connections.far
    far.set_progress_handler(lambda: ticks.append(None), 100)
    try:
        return await store.read(query), len(ticks) * 100
    finally:
        far.set_progress_handler(None, 0)
