"""Tells open pages that something changed; what changed they ask for again, as a page.

One event stream a browser: ``event: changed`` carries the version of what its reader sees, which
is also the event's id. A browser that comes back says which version it has, so nothing is lost
and nothing has to be kept.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from adapters.web.site import UNKEPT
from bot.core.errors import KeyturnError, NotAuthenticated
from bot.core.ids import PersonId

MAX_STREAMS_PER_PERSON: Final = 20
_RETRY_MS: Final = 3_000
#: A glance builds the whole inbox: many changes within this time are told at once.
_PAUSE_S: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a person's pages say now: ``version`` differs whenever they would.

    ``changes_in_s`` is when a clock on them runs out, where one does.
    """

    version: str
    waiting: int
    changes_in_s: float | None


class Live:
    """The open streams of this process, by person."""

    def __init__(self, *, heartbeat_s: float) -> None:
        self._heartbeat_s = heartbeat_s
        self._news: dict[PersonId, set[asyncio.Event]] = defaultdict(set)
        self._closed = False

    def wake(self, person: PersonId) -> None:
        for news in self._news.get(person, ()):
            news.set()

    def close(self) -> None:
        """End every stream; browsers come back by themselves."""
        self._closed = True
        for person in self._news:
            self.wake(person)

    async def stream(
        self,
        request: web.Request,
        person: PersonId,
        glance: Callable[[], Awaitable[Glance]],
    ) -> web.StreamResponse:
        """Tell the browser of *person* about changes until it leaves or the session ends.

        *glance* raises NotAuthenticated once the session has ended.
        """
        if len(self._news.get(person, ())) >= MAX_STREAMS_PER_PERSON:
            return web.Response(status=429, text="Too many open pages\n")
        headers = {**UNKEPT, "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        response.content_type = "text/event-stream"
        known = request.headers.get("Last-Event-ID") or request.query.get("known", "")
        with self._listening(person) as news:
            try:
                await response.prepare(request)
                await response.write(f"retry: {_RETRY_MS}\n\n".encode())
                await self._tell(response, news, glance, known=known)
            except ConnectionError:
                pass  # The reader has left: there is nobody to tell.
        return response

    async def _tell(
        self,
        response: web.StreamResponse,
        news: asyncio.Event,
        glance: Callable[[], Awaitable[Glance]],
        *,
        known: str,
    ) -> None:
        while not self._closed:
            news.clear()
            wait_s = self._heartbeat_s
            try:
                seen = await glance()
            except NotAuthenticated:
                await response.write(b"event: signed-out\ndata: {}\n\n")
                return
            except KeyturnError:
                await response.write(b": not available now\n\n")
            else:
                if seen.changes_in_s is not None:
                    wait_s = min(wait_s, max(seen.changes_in_s, 0.2))
                if seen.version == known:
                    await response.write(b": nothing new\n\n")
                else:
                    known = seen.version
                    data = json.dumps({"version": known, "waiting": seen.waiting})
                    await response.write(f"event: changed\nid: {known}\ndata: {data}\n\n".encode())
            await asyncio.sleep(_PAUSE_S)
            try:
                async with asyncio.timeout(wait_s):
                    await news.wait()
            except TimeoutError:
                pass  # A heartbeat, which also asks whether the session still stands.

    @contextmanager
    def _listening(self, person: PersonId) -> Iterator[asyncio.Event]:
        news = asyncio.Event()
        self._news[person].add(news)
        try:
            yield news
        finally:
            self._news[person].discard(news)
            if not self._news[person]:
                del self._news[person]
