"""Callers that are parked until something happens, and what ends a wait early.

A parked caller costs nothing until it is woken. A caller that hangs up ends its wait and
nothing else: what it asked for is committed. aiohttp would tell so only by cancelling whole
handlers, commits among them, so one look a second over all connections tells it here.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


class Waits:
    """``look_every_s`` bounds how long a caller that hung up still counts as waiting."""

    def __init__(self, *, look_every_s: float = 1.0) -> None:
        self._look_every_s = look_every_s
        self._parked: dict[asyncio.Task[Any], asyncio.Transport | None] = {}
        self._look: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._parked)

    async def park(
        self, waiting: Coroutine[Any, Any, T], transport: asyncio.Transport | None
    ) -> T | None:
        """Return what *waiting* returns, or None if its caller hung up or the bot stops."""
        task = asyncio.ensure_future(waiting)
        if self._closed:
            task.cancel()
        self._parked[task] = transport
        self._plan()
        try:
            return await task
        except asyncio.CancelledError:
            parent = asyncio.current_task()
            if parent is not None and parent.cancelling():
                raise
            return None
        finally:
            del self._parked[task]

    def release(self) -> None:
        """End every wait, now and from now on: the callers are told how things stand."""
        self._closed = True
        if self._look is not None:
            self._look.cancel()
            self._look = None
        for task in tuple(self._parked):
            task.cancel()

    def _plan(self) -> None:
        if self._look is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._look = loop.call_later(self._look_every_s, self._look_for_hangups)

    def _look_for_hangups(self) -> None:
        self._look = None
        for task, transport in tuple(self._parked.items()):
            if transport is None or transport.is_closing():
                task.cancel()
        if self._parked:
            self._plan()


WAITS = web.AppKey("waits", Waits)
