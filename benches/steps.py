"""The SQLite store beside bare durable commits on the same disk, in one run."""

import asyncio
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bot.core.effects import deliver
from bot.core.ids import proposal_id
from bot.core.proposal import Proposal
from bot.core.step import Ask, IdempotencyRef, Snapshot, Step, Transition
from bot.system_clock import SystemClock
from bot.testing.stores import acts
from store.sqlite import SqliteStore

ALONE = 400
IN_A_CROWD = 6_000
LIKE = acts.proposal(1, before={"body": "x" * 900})


async def submit(store: SqliteStore) -> Proposal:
    made = proposal_id(datetime.now(UTC), os.urandom(16))
    key = os.urandom(12).hex()

    def step(snapshot: Snapshot) -> Step[Proposal]:
        proposal = replace(
            LIKE,
            id=made,
            idempotency_key=key,
            created_at=snapshot.now,
            changed_at=snapshot.now,
            expires_at=snapshot.now + timedelta(hours=1),
        )
        return Transition(
            value=proposal,
            puts=(proposal,),
            leaves=(acts.draft(proposal),),
            effects=(deliver(made),),
        )

    ask = Ask(
        agent=LIKE.agent,
        idempotency=IdempotencyRef(agent=LIKE.agent, key=key),
        pending_of_agent=LIKE.agent,
        pending_of_principal=LIKE.principal,
    )
    return (await store.transact(ask, step)).value


async def crowd(store: SqliteStore, callers: int) -> tuple[float, float]:
    """Return submits a second, and microseconds of the loop's processor time for each."""
    numbers = iter(range(IN_A_CROWD))

    async def caller() -> None:
        for _ in numbers:
            await submit(store)

    began, used = time.perf_counter(), time.thread_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    used, took = time.thread_time() - used, time.perf_counter() - began
    return IN_A_CROWD / took, used / IN_A_CROWD * 1e6


async def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        store = await SqliteStore.open(Path(folder) / "store.db", clock=SystemClock())
        await acts.keep(store, acts.SCOUT, acts.ADA)
        with closing(sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)) as bare:
            bare.execute("PRAGMA journal_mode = WAL")
            bare.execute("PRAGMA synchronous = FULL")
            bare.execute("CREATE TABLE row (doc TEXT)")
            bares, submits = [], []
            for _ in range(ALONE):
                began = time.perf_counter()
                bare.execute("INSERT INTO row VALUES (?)", ("x" * 2600,))
                between = time.perf_counter()
                await submit(store)
                submits.append(time.perf_counter() - between)
                bares.append(between - began)
        alone, commit = median(submits), median(bares)
        print(
            f"alone: {alone * 1e3:.2f} ms, {alone / commit:.1f} bare commits "
            f"of {commit * 1e3:.2f} ms each"
        )
        for callers in (32, 256):
            rate, used = await crowd(store, callers)
            print(
                f"{callers} callers: {rate:.0f} submits/s, {rate * commit:.1f} for each bare "
                f"commit, {used:.0f} us of the loop each"
            )
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
