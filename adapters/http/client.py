"""One request on one connection, once: the only place where this connector waits for the network.

aiohttp, left to itself, would send a PUT or DELETE again when the connection breaks, follow
redirects, keep cookies and unpack what it gets. None of that is wanted for a write that may happen
at most once.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from io import BytesIO
from types import SimpleNamespace
from typing import Final, TypeAlias

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
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
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapters.http.address import AddressRefused, CheckedResolver
from adapters.http.answer import Answer
from adapters.http.credential import Credential

_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``target`` is what stands in the request line, percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@unique
class Break(StrEnum):
    """How an exchange ended without an answer."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    ANSWER_TOO_LARGE = "answer_too_large"
    ANSWER_MALFORMED = "answer_malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Not one byte of the request was written."""

    why: Break
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The request may have been received; there is no answer to it."""

    why: Break
    detail: str


Exchange: TypeAlias = Answer | NotSent | NoAnswer


class _TooLarge(Exception):
    """More came than is read."""


@dataclass(slots=True)
class _Progress:
    """Whether the first byte of a request may have been written."""

    has_begun: bool = False


class _Broken(Exception):
    """The connection broke; aiohttp must not see its own error, or it would send again."""


class Client:
    """Asks one target. It belongs to the event loop that it is first used in."""

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        credential: Credential | None,
        allow_private: bool,
        max_response_bytes: int,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "keyturn",
            **headers,
            "Accept-Encoding": "identity",
        }
        self._credential = credential
        self._resolver = CheckedResolver(allow_private=allow_private, resolver=resolver)
        self._max_response_bytes = max_response_bytes
        is_tls = self._base_url.startswith("https:")
        self._tls = tls or (ssl.create_default_context() if is_tls else True)
        self._session: ClientSession | None = None
        self._is_closed = False

    async def send(self, request: Request, *, within_s: float) -> Exchange:
        """Send *request* once and return what came of it within *within_s* seconds.

        Raises nothing but CancelledError.
        """
        progress = _Progress()
        if self._is_closed:
            return NotSent(why=Break.UNREACHABLE, detail="The connector is closed.")
        try:
            async with asyncio.timeout(within_s):
                return await self._exchange(request, progress)
        except TimeoutError:
            why, detail = Break.TIMEOUT, "The target did not answer in time."
        except ClientConnectorError as error:
            why, detail = Break.UNREACHABLE, _why_unreachable(error)
        except _TooLarge:
            why, detail = Break.ANSWER_TOO_LARGE, "The target's answer is too large."
        except (_Broken, OSError):
            why, detail = Break.CONNECTION_LOST, "The connection to the target broke."
        except (ClientError, ValueError):
            why, detail = Break.ANSWER_MALFORMED, "The target's answer is not HTTP."
        if progress.has_begun:
            return NoAnswer(why=why, detail=detail)
        return NotSent(why=why, detail=detail)

    async def close(self) -> None:
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, request: Request, progress: _Progress) -> Answer:
        headers = dict(self._headers)
        headers.update(request.headers)
        if self._credential is not None:
            headers[self._credential.header] = self._credential.value
        async with self._open_session().request(
            request.method,
            URL(self._base_url + request.target, encoded=True),
            headers=headers,
            # A stream: aiohttp warns of a large text in one piece.
            data=None if request.body is None else BytesIO(request.body),
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
            middlewares=(_send_once,),
            trace_request_ctx=progress,
        ) as response:
            body = await self._read(response)
            return self._answer(response, body)

    async def _read(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_response_bytes:
                raise _TooLarge
        return bytes(body)

    def _answer(self, response: ClientResponse, body: bytes) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if self._credential is not None:
            redact = self._credential.redact
            body = redact(body)
            headers = {
                name: redact(value.encode("utf-8", "replace")).decode()
                for name, value in headers.items()
            }
        return Answer(status=response.status, headers=headers, body=body)

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                # One connection a request: one that was kept may be closing while we write to it,
                # and nobody could tell how far the request came.
                connector=TCPConnector(
                    force_close=True,
                    limit=0,
                    resolver=self._resolver,
                    use_dns_cache=False,
                    ssl=self._tls,
                ),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_tracing()],
            )
        return self._session


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


def _why_unreachable(error: ClientConnectorError) -> str:
    match error:
        case ClientConnectorDNSError(os_error=AddressRefused() as refused):
            return f"Keyturn may not connect there: {refused}."
        case ClientConnectorDNSError():
            return "The target's name could not be resolved."
        case ClientConnectorCertificateError() | ClientConnectorSSLError():
            return "The target's TLS certificate was not accepted."
        case _:
            return "The target could not be connected to."
