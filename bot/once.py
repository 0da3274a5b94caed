"""One request on one connection, once: for whoever may write at most once.

aiohttp, left to itself, would send a PUT or DELETE again when the connection breaks, follow
redirects, keep cookies and unpack what it gets, and would not say whether a request left.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from io import BytesIO
from types import SimpleNamespace
from typing import Final

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
    TraceConfig,
    TraceRequestHeadersSentParams,
)
from yarl import URL

_CHUNK_BYTES: Final = 65_536


@unique
class Break(StrEnum):
    """How an exchange ended without an answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    ANSWER_TOO_LARGE = "answer_too_large"
    ANSWER_MALFORMED = "answer_malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """``headers`` are by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Not one byte of the request was written."""

    why: StrEnum
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The request may have been received; there is no answer to it that can be read."""

    why: StrEnum
    detail: str


class _TooLarge(Exception):
    """More came than is read."""


class _Broken(Exception):
    """The connection broke; aiohttp must not see its own error, or it would send again."""


@dataclass(slots=True)
class _Progress:
    """Whether the first byte of a request may have been written."""

    has_begun: bool = False


class Line:
    """Speaks to *peer*, so called in sentences: "Slack", "the target".

    It belongs to the event loop that it is first used in. *unreachable* says in words why there
    is no connection; *connector* makes what connects, one connection for each request.
    """

    def __init__(
        self,
        peer: str,
        *,
        max_answer_bytes: int,
        connector: Callable[[], TCPConnector] = lambda: TCPConnector(force_close=True),
        unreachable: Callable[[ClientConnectorError], str] | None = None,
    ) -> None:
        self._peer = peer
        self._max_answer_bytes = max_answer_bytes
        self._connector = connector
        self._unreachable = unreachable
        self._session: ClientSession | None = None
        self._is_closed = False

    async def send(
        self,
        method: str,
        url: URL,
        *,
        within_s: float,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Received | NotSent | NoAnswer:
        """Send one request and return what came of it within *within_s* seconds.

        Raises nothing but CancelledError.
        """
        progress = _Progress()
        if self._is_closed:
            return NotSent(why=Break.UNREACHABLE, detail="The connector is closed.")
        peer = self._peer
        try:
            async with asyncio.timeout(within_s):
                return await self._exchange(method, url, headers, body, progress)
        except TimeoutError:
            why, detail = Break.TIMEOUT, f"{_first(peer)} did not answer in time."
        except ClientConnectorError as error:
            why, detail = Break.UNREACHABLE, self._why_unreachable(error)
        except _TooLarge:
            why, detail = Break.ANSWER_TOO_LARGE, f"{_first(peer)}'s answer is too large."
        except (_Broken, OSError):
            why, detail = Break.CONNECTION_LOST, f"The connection to {peer} broke."
        except (ClientError, ValueError):
            why, detail = Break.ANSWER_MALFORMED, f"{_first(peer)}'s answer is not HTTP."
        if progress.has_begun:
            return NoAnswer(why=why, detail=detail)
        return NotSent(why=why, detail=detail)

    async def close(self) -> None:
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        progress: _Progress,
    ) -> Received:
        async with self._open_session().request(
            method,
            url,
            headers=headers,
            # A stream: aiohttp warns of a large text in one piece.
            data=None if body is None else BytesIO(body),
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
            middlewares=(_send_once,),
            trace_request_ctx=progress,
        ) as response:
            content = await self._read(response)
        named = {name.lower(): value for name, value in response.headers.items()}
        return Received(status=response.status, headers=named, body=content)

    async def _read(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise _TooLarge
        return bytes(body)

    def _why_unreachable(self, error: ClientConnectorError) -> str:
        if self._unreachable is not None:
            return self._unreachable(error)
        return f"{_first(self._peer)} could not be connected to."

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                # One connection a request: one that was kept may be closing while we write to it,
                # and nobody could tell how far the request came.
                connector=self._connector(),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_tracing()],
            )
        return self._session


def _first(peer: str) -> str:
    """Return *peer* as it begins a sentence."""
    return peer[:1].upper() + peer[1:]


def _tracing() -> TraceConfig:
    config = TraceConfig()
    config.on_request_headers_sent.append(_note_beginning)  # called before they are written
    return config


async def _note_beginning(
    _session: ClientSession, context: SimpleNamespace, _params: TraceRequestHeadersSentParams
) -> None:
    context.trace_request_ctx.has_begun = True


async def _send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    try:
        return await handler(request)
    except ClientConnectorError:
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        raise _Broken from error
