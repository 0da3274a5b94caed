"""One call of the Bot Connector on one connection, once, with the connector's own token.

The SDK that the chat uses does not say whether a request left. That has to be known of a write
that may happen at most once.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote

from yarl import URL

from adapters.teams.connector.refusal import BY_STATUS, Refused, refusal_of
from adapters.teams.transport import ConnectorBusy, ConnectorRefused
from bot.core.canonical import Json
from bot.once import Break, Line, NoAnswer, NotSent, Received

SCOPE: Final = "https://api.botframework.com/.default"
MAX_ANSWER_BYTES: Final = 4 * 2**20
REDACTED: Final = b"[the token]"


class Tokens(Protocol):
    """Where the token comes from; raises `ConnectorRefused` and `ConnectorBusy` alone."""

    async def token(self, scope: str) -> str: ...

    def forget(self, scope: str) -> None: ...

    async def close(self) -> None: ...


@unique
class Odd(StrEnum):
    """A call that came to no answer of Teams, though no connection broke."""

    NO_TOKEN = "no_token"  # noqa: S105 - a reason
    CREDENTIAL_REFUSED = "credential_refused"
    UNEXPECTED_STATUS = "unexpected_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Teams says that it is done, or tells what was asked; a list stands under ``items``."""

    told: Mapping[str, Any]


Answer: TypeAlias = Done | Refused | NotSent | NoAnswer


class Client:
    """Calls the Connector as one bot. It belongs to the event loop that it is first used in."""

    def __init__(self, *, service_url: str, tokens: Tokens) -> None:
        self._service_url = service_url
        self._tokens = tokens
        self._line = Line("Teams", max_answer_bytes=MAX_ANSWER_BYTES)

    async def read(self, *path: str, within_s: float, **params: str) -> Answer:
        """Ask for what is at *path*, below ``v3``. Raises nothing but CancelledError."""
        return await self._call("GET", self._at(path).with_query(params), within_s=within_s)

    async def write(
        self, method: str, *path: str, body: Mapping[str, Json] | None, within_s: float
    ) -> Answer:
        """Change something, once. Raises nothing but CancelledError."""
        content = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return await self._call(method, self._at(path), within_s=within_s, body=content)

    async def close(self) -> None:
        await self._line.close()
        await self._tokens.close()

    def _at(self, path: tuple[str, ...]) -> URL:
        # Each part is one name, whatever stands in it: a thread's has `;` and `=`.
        parts = "/".join(quote(part, safe=":@") for part in path)
        return URL(f"{self._service_url}v3/{parts}", encoded=True)

    async def _call(
        self, method: str, url: URL, *, within_s: float, body: bytes | None = None
    ) -> Answer:
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        token = await self._token(within_s=within_s)
        if isinstance(token, NotSent):
            return token
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        received = await self._line.send(
            method, url, within_s=until - loop.time(), headers=headers, body=body
        )
        if not isinstance(received, Received):
            return received
        if received.status == 401:
            self._tokens.forget(SCOPE)
        return _answer(received.status, received.body.replace(token.encode(), REDACTED))

    async def _token(self, *, within_s: float) -> str | NotSent:
        try:
            async with asyncio.timeout(within_s):
                return await self._tokens.token(SCOPE)
        except ConnectorRefused as error:
            named = error.message or error.code
            detail = f"Entra does not accept the connector's credential ({named})."
            return NotSent(why=Odd.CREDENTIAL_REFUSED, detail=detail)
        except (ConnectorBusy, TimeoutError):
            return NotSent(why=Odd.NO_TOKEN, detail="Entra gives no token at the moment.")


def _answer(status: int, body: bytes) -> Answer:
    if status in BY_STATUS:
        return refusal_of(status, body)
    if not 200 <= status < 300:
        return NoAnswer(why=Odd.UNEXPECTED_STATUS, detail=f"Teams answered with status {status}.")
    if not body.strip():
        return Done(told={})
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, list):
        return Done(told={"items": told})
    if not isinstance(told, dict):
        return NoAnswer(why=Break.ANSWER_MALFORMED, detail="The answer of Teams cannot be read.")
    return Done(told=told)
