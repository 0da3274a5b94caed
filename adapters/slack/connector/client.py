"""One call of the Web API on one connection, once, with the connector's own token.

The SDK that the chat uses follows redirects, reads without end and does not say whether a request
left. None of that is wanted for a write that may happen at most once.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import SimpleNamespace
from typing import Any, Final, TypeAlias

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    TraceConfig,
    TraceRequestHeadersSentParams,
)

MAX_ANSWER_BYTES: Final = 4 * 2**20
REDACTED: Final = b"[the token]"
_CHUNK_BYTES: Final = 65_536


@unique
class Break(StrEnum):
    """How a call ended without a word of Slack that can be read."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    ANSWER_TOO_LARGE = "answer_too_large"
    ANSWER_MALFORMED = "answer_malformed"
    UNEXPECTED_STATUS = "unexpected_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Slack says ``ok``."""

    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Slack says that it is not ``ok``; ``code`` is its own, ``needed`` a missing scope."""

    code: str
    needed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Not one byte of the request was written."""

    why: Break
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Slack may have received it, and there is no answer that can be read."""

    why: Break
    detail: str


Answer: TypeAlias = Done | Refused | NotSent | NoAnswer

_RATE_LIMITED: Final = Refused(code="ratelimited")


class _Unreadable(Exception):
    def __init__(self, why: Break, detail: str) -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail


@dataclass(slots=True)
class _Progress:
    has_begun: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)


class Client:
    """Calls Slack as one app. It belongs to the event loop that it is first used in."""

    def __init__(self, *, api_url: str, token: Token) -> None:
        self._api_url = api_url
        self._token = token
        self._session: ClientSession | None = None
        self._is_closed = False

    async def read(self, method: str, *, within_s: float, **params: str) -> Answer:
        """Call a *method* that changes nothing. Raises nothing but CancelledError."""
        return await self._call("GET", method, within_s, params=params)

    async def write(self, method: str, body: Mapping[str, Any], *, within_s: float) -> Answer:
        """Call a *method* that changes something, once. Raises nothing but CancelledError."""
        content = json.dumps(body, ensure_ascii=False).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return await self._call("POST", method, within_s, data=content, headers=kind)

    async def close(self) -> None:
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _call(self, verb: str, method: str, within_s: float, **how: Any) -> Answer:
        progress = _Progress()
        if self._is_closed:
            return NotSent(why=Break.UNREACHABLE, detail="The connector is closed.")
        try:
            async with asyncio.timeout(within_s):
                return await self._exchange(verb, method, progress, **how)
        except TimeoutError:
            why, detail = Break.TIMEOUT, "Slack did not answer in time."
        except ClientConnectorError:
            why, detail = Break.UNREACHABLE, "Slack could not be connected to."
        except _Unreadable as error:
            why, detail = error.why, error.detail
        except (ClientError, OSError):
            why, detail = Break.CONNECTION_LOST, "The connection to Slack broke."
        except ValueError:
            why, detail = Break.ANSWER_MALFORMED, "Slack's answer is not HTTP."
        if progress.has_begun:
            return NoAnswer(why=why, detail=detail)
        return NotSent(why=why, detail=detail)

    async def _exchange(self, verb: str, method: str, progress: _Progress, **how: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self._token.value}", "Accept-Encoding": "identity"}
        headers |= how.pop("headers", {})
        async with self._open_session().request(
            verb,
            f"{self._api_url}{method}",
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=progress,
            **how,
        ) as response:
            return _answer(response.status, self._redacted(await _read(response)))

    def _redacted(self, body: bytes) -> bytes:
        return body.replace(self._token.value.encode(), REDACTED)

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                # One connection a call: one that was kept may be closing while we write to it,
                # and nobody could tell how far the request came.
                connector=TCPConnector(force_close=True),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_tracing()],
            )
        return self._session


async def _read(response: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise _Unreadable(Break.ANSWER_TOO_LARGE, "Slack's answer is too large.")
    return bytes(body)


def _answer(status: int, body: bytes) -> Answer:
    if status == 429:
        return _RATE_LIMITED
    if status != 200:
        raise _Unreadable(Break.UNEXPECTED_STATUS, f"Slack answered with status {status}.")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
        raise _Unreadable(Break.ANSWER_MALFORMED, "Slack's answer cannot be read.")
    if told["ok"]:
        return Done(told=told)
    return Refused(code=str(told.get("error") or ""), needed=str(told.get("needed") or ""))


def _tracing() -> TraceConfig:
    config = TraceConfig()
    config.on_request_headers_sent.append(_note_beginning)  # called before they are written
    return config


async def _note_beginning(
    _session: ClientSession, context: SimpleNamespace, _params: TraceRequestHeadersSentParams
) -> None:
    context.trace_request_ctx.has_begun = True
