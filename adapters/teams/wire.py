"""One HTTP request to one of Microsoft's services: never repeated, its answer read as ours."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
    TCPConnector,
)
from yarl import URL

from adapters.teams.transport import ConnectorBusy, ConnectorRefused, ConnectorUnclear

CALL_S: Final = 10.0
_CONNECT_S: Final = 5.0
#: Shorter than theirs: a request on a connection that they just closed would be a doubt.
_IDLE_S: Final = 5.0
PAUSE_S: Final = 5.0
MAX_PAUSE_S: Final = 3600.0
_MAX_BYTES: Final = 1_048_576
_MAX_NESTED: Final = 6
#: The chat was changed by somebody else in the same moment, or there were too many requests.
_BUSY: Final = frozenset({412, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """``json`` is None where the body is none, or is no JSON."""

    status: int
    headers: Mapping[str, str]
    json: Any


class Wire:
    """Opens its session when the first call is made."""

    def __init__(self, *, call_s: float = CALL_S) -> None:
        self._call_s = call_s
        self._session: ClientSession | None = None
        self._is_closed = False

    def session(self) -> ClientSession:
        if self._session is None or self._session.closed:
            self._session = ClientSession(
                connector=TCPConnector(keepalive_timeout=_IDLE_S, limit=200),
                timeout=ClientTimeout(
                    total=self._call_s,
                    connect=min(_CONNECT_S, self._call_s),
                    sock_connect=min(_CONNECT_S, self._call_s),
                ),
            )
        return self._session

    async def call(self, method: str, url: str, *, token: str, body: bytes | None = None) -> Answer:
        """Return the answer of a request that was taken.

        Raises:
            ConnectorRefused: nothing was done, and it would be refused again.
            ConnectorBusy: nothing was done, and it may be tried again.
            ConnectorUnclear: it may have been done.
        """
        if self._is_closed:
            raise ConnectorBusy("Closing.", retry_after_s=PAUSE_S)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            async with self.session().request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=headers,
                # Whoever sends us elsewhere does not get the token.
                allow_redirects=False,
            ) as answer:
                status, told = answer.status, await _read(answer)
                found = Answer(status, dict(answer.headers), _json(told))
        except InvalidURL:
            raise ConnectorRefused(status=0, code="InvalidAddress") from None
        except (ClientConnectorError, ConnectionTimeoutError):
            # Without its cause: that holds the request, and with it the token.
            raise ConnectorBusy("It cannot be reached.", retry_after_s=PAUSE_S) from None
        except (ClientError, TimeoutError, OSError):
            raise ConnectorUnclear("The answer was lost.") from None
        if 200 <= status < 300:
            return found
        raise refusal(found)

    async def close(self) -> None:
        self._is_closed = True
        if self._session is not None:
            await self._session.close()


def refusal(answer: Answer) -> Exception:
    """Return what an *answer* of another status than 2xx means."""
    codes = list(_codes(answer.json, 0))
    code = codes[-1] if codes else ""
    if answer.status in _BUSY:
        pause_s = _retry_after_s(answer.headers)
        return ConnectorBusy(code or "It asks to wait.", retry_after_s=pause_s)
    if 400 <= answer.status < 500 and answer.status != 408:
        message = _message(answer.json)
        return ConnectorRefused(status=answer.status, code=code, message=message)
    return ConnectorUnclear(f"It failed on the way ({answer.status}).")


def _codes(told: Any, depth: int) -> Iterator[str]:
    """Yield the codes in an error, from the outermost to the innermost.

    The Connector puts errors of the services behind it into its own, some as JSON in a string.
    """
    if depth > _MAX_NESTED:
        return
    if isinstance(told, str):
        if told.lstrip().startswith("{"):
            yield from _codes(_json(told.encode("utf-8", "replace")), depth + 1)
        return
    if not isinstance(told, Mapping):
        return
    for name in ("code", "errorCode", "subCode"):
        if isinstance(told.get(name), str) and told[name]:
            yield told[name]
    for name in ("error", "innerHttpError", "innererror", "body", "message"):
        yield from _codes(told.get(name), depth + 1)


def _message(told: Any) -> str:
    error = told.get("error") if isinstance(told, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    return message[:300] if isinstance(message, str) else ""


def _retry_after_s(headers: Mapping[str, str]) -> float:
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    named = named.strip()
    seconds = PAUSE_S
    if named.isascii() and named.isdigit():
        seconds = float(named[:9])
    elif named:
        try:
            until = parsedate_to_datetime(named)
        except ValueError:
            return PAUSE_S
        now = datetime.now(UTC)
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 1.0), MAX_PAUSE_S)


async def _read(answer: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        body += chunk
        if len(body) > _MAX_BYTES:
            answer.close()
            return b""
    return bytes(body)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
