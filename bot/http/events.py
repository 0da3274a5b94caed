"""What happens to an agent's proposals: as a stream of one, as pages of all, and noted.

The stream is that of the HTML standard, 9.2 (server-sent events). The id of an event is the index
of the leaf that recorded the state: whoever comes back with the last one misses nothing.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Final

from aiohttp import hdrs, web

from bot.core.actors import Agent
from bot.core.errors import InvalidInput, KeyturnError
from bot.core.ids import ProposalId
from bot.core.news import News
from bot.core.states import TERMINAL
from bot.http import queries
from bot.http.agent_api import API
from bot.http.answers import SERVER, answer, json_bytes
from bot.http.auth import bearer
from bot.http.proposal_answer import told
from bot.http.rate import READS
from bot.http.waits import WAITS

EVENT_STREAM: Final = "text/event-stream"
LAST_EVENT_ID: Final = "Last-Event-ID"

#: Comments keep a quiet stream alive, and show that the agent still may read it.
HEARTBEAT_S = web.AppKey("heartbeat_s", float)
DEFAULT_HEARTBEAT_S: Final = 15.0

#: How long a reader may leave what is written to it.
_WRITTEN_WITHIN_S: Final = 30.0
_ENDED_WITHIN_S: Final = 1.0

_RETRY: Final = b"retry: 2000\n\n"
_HEARTBEAT: Final = b": still here\n\n"
_HEADERS: Final = {
    hdrs.CONTENT_TYPE: EVENT_STREAM,
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.SERVER: SERVER,
    # What nginx, and others after it, take for "do not collect this".
    "X-Accel-Buffering": "no",
}
_CURSOR: Final = re.compile("[0-9]{1,15}")
_FROM_THE_BEGINNING: Final = -1


async def follow_proposal(request: web.Request, agent: Agent) -> web.StreamResponse:
    api = request.app[API]
    news = api.news.follow(
        agent,
        ProposalId(request.match_info["id"]),
        after=_last_event_id(request),
        pause_s=request.app[HEARTBEAT_S],
    )
    async with aclosing(news):
        try:
            # Before the stream begins a refusal is still a problem.
            first = await anext(news)
        except StopAsyncIteration:
            # So is a browser's EventSource told not to come back.
            return web.Response(status=204, headers={hdrs.SERVER: SERVER})
        stream = web.StreamResponse(headers=_HEADERS)
        await stream.prepare(request)
        telling = _tell(_Teller(request, stream), first, news)
        await request.app[WAITS].park(telling, request.transport)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_ENDED_WITHIN_S):
                await stream.write_eof()
        return stream


async def read_events(request: web.Request, agent: Agent) -> web.Response:
    await request.app[READS].admit(agent.id)
    after = request.query.get("cursor")
    page = await request.app[API].news.page(
        agent,
        after=_FROM_THE_BEGINNING if after is None else _index(after, "query parameter 'cursor'"),
        limit=queries.limit(request),
    )
    if any(news.state in TERMINAL for news in page.news):
        await request.app[API].checkpoints.sign()
    return answer(
        {
            "events": [_plain(news) for news in page.news],
            "next_cursor": None if page.looked_to < 0 else str(page.looked_to),
            "more": not page.is_last,
        }
    )


async def acknowledge_proposal(request: web.Request, agent: Agent) -> web.Response:
    wanted = ProposalId(request.match_info["id"])
    api = request.app[API]
    return answer(await told(api.checkpoints, await api.acknowledge.acknowledge(agent, wanted)))


class _Teller:
    """Writes to one stream, and only while its caller may still read it."""

    def __init__(self, request: web.Request, stream: web.StreamResponse) -> None:
        self._credentials = request.app[API].credentials
        self._checkpoints = request.app[API].checkpoints
        self._token = bearer(request, lambda _: None)
        self._transport = request.transport
        self._stream = stream

    async def is_permitted(self) -> bool:
        """Return whether the credential and its agent are still good; if not, say so."""
        try:
            await self._credentials.agent(self._token)
        except KeyturnError as error:
            await self.write(_event("ended", {"code": error.code, "message": error.message}))
            return False
        return True

    async def tell(self, news: News) -> None:
        """Write *news*; what is final is under a signed head before it is told.

        Raises:
            OSError: the reader is gone.
            StoreUnavailable: the head could not be read.
        """
        if news.state in TERMINAL:
            await self._checkpoints.sign()
        await self.write(_state(news))

    async def write(self, chunk: bytes) -> None:
        """Write *chunk*; a reader that takes nothing for too long is let go.

        Raises:
            OSError: the reader is gone.
        """
        try:
            async with asyncio.timeout(_WRITTEN_WITHIN_S):
                await self._stream.write(chunk)
        except TimeoutError:
            if self._transport is not None:
                self._transport.abort()
            raise ConnectionResetError("The reader takes nothing.") from None


async def _tell(teller: _Teller, first: News | None, rest: AsyncIterator[News | None]) -> None:
    with suppress(OSError):
        await teller.write(_RETRY)
        news = first
        while await teller.is_permitted():
            try:
                if news is None:
                    await teller.write(_HEARTBEAT)
                else:
                    await teller.tell(news)
                news = await anext(rest)
            except StopAsyncIteration:
                return
            except KeyturnError as error:
                await teller.write(_event("ended", {"code": error.code, "message": error.message}))
                return


def _state(news: News) -> bytes:
    return _event("state", _plain(news), id=news.cursor)


def _plain(news: News) -> dict[str, object]:
    return {
        "cursor": str(news.cursor),
        "proposal": news.proposal,
        "state": news.state.value,
        "final": news.state in TERMINAL,
        "at": news.at,
    }


def _event(name: str, data: object, *, id: int | None = None) -> bytes:
    head = f"event: {name}\n" if id is None else f"id: {id}\nevent: {name}\n"
    return head.encode() + b"data: " + json_bytes(data) + b"\n\n"


def _last_event_id(request: web.Request) -> int:
    written = request.headers.get(LAST_EVENT_ID, "")
    return _index(written, f"header {LAST_EVENT_ID}") if written else _FROM_THE_BEGINNING


def _index(written: str, place: str) -> int:
    if not _CURSOR.fullmatch(written):
        raise InvalidInput(f"The {place} is not one that was given here.")
    return int(written)
