"""One thread for what may block, so that the loop never does."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Thread:
    """Runs one call after another and hands each result back to the loop that made it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon, so that a program that fails before it closes its store still ends.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def call(
        self,
        work: Callable[[], T],
        *,
        then: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Do *work* in the thread, then call *then* or *failed* in the loop."""

        def serve() -> None:
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - handed over, not swallowed
                self._hand_back(failed, error)
            else:
                self._hand_back(then, result)

        self._calls.put(serve)

    async def run(self, work: Callable[[], T]) -> T:
        """Return what *work* returns in the thread, or raise what it raises.

        It is done to its end even if the caller is cancelled.
        """
        result: asyncio.Future[T] = self._loop.create_future()

        def succeed(value: T) -> None:
            if not result.done():
                result.set_result(value)

        def fail(error: Exception) -> None:
            if not result.done():
                result.set_exception(error)

        self.call(work, then=succeed, failed=fail)
        return await result

    async def stop(self) -> None:
        """End the thread after the calls already made, and wait for that."""
        await self.run(lambda: self._calls.put(None))
        self._thread.join()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call

    def _hand_back(self, receive: Callable[[T], None], value: T) -> None:
        # A closed loop refuses: then nobody is waiting any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(receive, value)
