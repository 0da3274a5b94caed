"""The one writer: whatever queued while the last COMMIT ran goes into the next one.

Statements run on the loop, a few dozen steps a turn; COMMIT, with its fsync and checkpoint,
and waiting for a lock run in a thread, while requests are read and answered.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from bot.core.errors import StoreUnavailable
from bot.ports.store import Change
from store.changes import Changes
from store.sqlite.failures import is_busy, is_of_the_step, unavailable
from store.sqlite.thread import Thread
from store.sqlite.transaction import HalfWritten, Transaction

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Steps in one commit. More saves nothing any more, and makes the first of them wait.
MOST_STEPS: Final = 512

#: Steps between two turns of the loop: a few milliseconds of work.
STEPS_A_TURN: Final = 32

#: After a batch of at least this many steps, wait this many turns for others to join the next:
#: those who were just answered ask again at once.
CROWD: Final = 4
PATIENCE_TURNS: Final = 3


@dataclass(slots=True)
class _Job:
    run: Callable[[], Any]
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs jobs in transactions of *transaction*; answers each once its commit is durable."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Transaction,
        *,
        thread: Thread,
        changes: Changes,
        busy_timeout_s: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._transaction = transaction
        self._thread = thread
        self._changes = changes
        self._busy_timeout_ms = int(busy_timeout_s * 1000)
        self._queue: deque[_Job] = deque()
        self._alone: deque[_Job] = deque()
        self._batch: list[_Job] = []
        self._last_batch = 0
        self._is_working = False
        self._idle: asyncio.Future[None] | None = None
        self._is_closed = False

    async def do(self, run: Callable[[], T]) -> T:
        """Return what *run* returned, or raise what it raised, once everything is durable.

        Raises:
            StoreUnavailable: it could not be made durable, or the store is closed.
        """
        if self._is_closed:
            raise StoreUnavailable("The store is closed.")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(_Job(run, answer))
        if not self._is_working:
            self._is_working = True
            self._loop.call_soon(self._gather, 0)
        return await answer

    async def alone(self, work: Callable[[], T]) -> T:
        """Return what *work* returns in the thread, with no transaction open and none begun.

        Raises:
            StoreUnavailable: the store is closed.
        """
        if self._is_closed:
            raise StoreUnavailable("The store is closed.")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._alone.append(_Job(work, answer))
        if not self._is_working:
            self._is_working = True
            self._loop.call_soon(self._next)
        return await answer

    async def close(self) -> None:
        """Refuse what comes and return when what was asked before is durable."""
        self._is_closed = True
        if self._is_working:
            if self._idle is None:
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)

    def _gather(self, turn: int) -> None:
        if (
            turn < PATIENCE_TURNS
            and self._last_batch >= CROWD
            and len(self._queue) < self._last_batch
        ):
            self._loop.call_soon(self._gather, turn + 1)
            return
        try:
            if self._connection.in_transaction:
                # Rolling back failed with the disk; nothing of that may be kept.
                self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if is_busy(error):
                self._thread.call(
                    self._begin_patiently, then=self._begun, failed=self._could_not_begin
                )
            else:
                self._could_not_begin(error)
        else:
            self._begun(None)

    def _begin_patiently(self) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._connection.execute("PRAGMA busy_timeout = 0")

    def _could_not_begin(self, error: Exception) -> None:
        self._take_all()
        self._failed(error)

    def _begun(self, _: None) -> None:
        try:
            self._transaction.begun()
        except Exception as error:  # noqa: BLE001 - told to every caller of the batch
            self._take_all()
            self._roll_back(error)
            return
        self._run_some()

    def _take_all(self) -> None:
        while self._queue and len(self._batch) < MOST_STEPS:
            self._batch.append(self._queue.popleft())

    def _run_some(self) -> None:
        queue, batch = self._queue, self._batch
        for _ in range(STEPS_A_TURN):
            if not queue or len(batch) >= MOST_STEPS:
                self._finish()
                return
            job = queue.popleft()
            if job.answer.done():
                continue  # the caller was cancelled
            batch.append(job)
            try:
                job.result = job.run()
            except sqlite3.Error as error:
                if not (is_of_the_step(error) and self._connection.in_transaction):
                    self._roll_back(error)
                    return
                job.error = unavailable(error)
            except HalfWritten as error:
                self._roll_back(error)
                return
            except StopIteration as error:
                # A future cannot carry it: it would end the coroutine that waits.
                job.error = RuntimeError("a step raised StopIteration")
                job.error.__cause__ = error
            except Exception as error:  # noqa: BLE001 - the caller's own
                job.error = error
        try:
            self._transaction.flush()
        except sqlite3.Error as error:
            self._roll_back(error)
            return
        self._loop.call_soon(self._run_some)

    def _finish(self) -> None:
        try:
            changes = self._transaction.finish()
            if changes is None:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._roll_back(error)
            return
        if changes is None:
            self._answer_all()
            self._next()
        else:
            self._thread.call(
                lambda: self._commit(changes), then=self._committed, failed=self._failed
            )

    def _commit(self, changes: list[Change]) -> list[Change]:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return changes

    def _committed(self, changes: list[Change]) -> None:
        self._answer_all()
        if changes:
            self._changes.publish(changes)
        self._next()

    def _roll_back(self, error: Exception) -> None:
        def roll_back() -> Exception:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return error

        self._thread.call(roll_back, then=self._failed, failed=self._failed)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, HalfWritten) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        log.error("commit failed", extra={"steps": len(self._batch), "cause": str(error)})
        self._transaction.forget()
        for job in self._batch:
            job.error = unavailable(error)
        self._answer_all()
        self._next()

    def _answer_all(self) -> None:
        for job in self._batch:
            if job.answer.done():
                continue
            if job.error is None:
                job.answer.set_result(job.result)
            else:
                job.answer.set_exception(job.error)
        self._last_batch = len(self._batch)
        self._batch = []

    def _next(self) -> None:
        if self._alone:
            self._do_alone(self._alone.popleft())
            return
        if self._queue:
            self._loop.call_soon(self._gather, 0)
            return
        self._is_working = False
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _do_alone(self, job: _Job) -> None:
        def done(result: Any) -> None:
            self._transaction.forget()
            if not job.answer.done():
                job.answer.set_result(result)
            self._next()

        def failed(error: Exception) -> None:
            self._transaction.forget()
            if not job.answer.done():
                job.answer.set_exception(error)
            self._next()

        self._thread.call(job.run, then=done, failed=failed)
