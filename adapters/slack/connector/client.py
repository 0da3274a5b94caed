"""One call of the Web API on one connection, once, with the connector's own token.

The SDK that the chat uses follows redirects, reads without end and does not say whether a request
left. None of that is wanted for a write that may happen at most once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, Final, TypeAlias

from yarl import URL

from bot.once import Break, Line, NoAnswer, NotSent, Received

MAX_ANSWER_BYTES: Final = 4 * 2**20
REDACTED: Final = b"[the token]"


@unique
class Odd(StrEnum):
    """An answer that is none of Slack's words."""

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


Answer: TypeAlias = Done | Refused | NotSent | NoAnswer

_RATE_LIMITED: Final = Refused(code="ratelimited")


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)


class Client:
    """Calls Slack as one app. It belongs to the event loop that it is first used in."""

    def __init__(self, *, api_url: str, token: Token) -> None:
        self._api_url = api_url
        self._token = token
        self._line = Line("Slack", max_answer_bytes=MAX_ANSWER_BYTES)

    async def read(self, method: str, *, within_s: float, **params: str) -> Answer:
        """Call a *method* that changes nothing. Raises nothing but CancelledError."""
        url = URL(f"{self._api_url}{method}").with_query(params)
        return await self._call("GET", url, within_s=within_s)

    async def write(self, method: str, body: Mapping[str, Any], *, within_s: float) -> Answer:
        """Call a *method* that changes something, once. Raises nothing but CancelledError."""
        url = URL(f"{self._api_url}{method}")
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self._call("POST", url, within_s=within_s, body=content)

    async def close(self) -> None:
        await self._line.close()

    async def _call(
        self, verb: str, url: URL, *, within_s: float, body: bytes | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self._token.value}", "Accept-Encoding": "identity"}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        received = await self._line.send(verb, url, within_s=within_s, headers=headers, body=body)
        if not isinstance(received, Received):
            return received
        return _answer(received.status, received.body.replace(self._token.value.encode(), REDACTED))


def _answer(status: int, body: bytes) -> Answer:
    if status == 429:
        return _RATE_LIMITED
    if status != 200:
        return NoAnswer(why=Odd.UNEXPECTED_STATUS, detail=f"Slack answered with status {status}.")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
        return NoAnswer(why=Break.ANSWER_MALFORMED, detail="Slack's answer cannot be read.")
    if told["ok"]:
        return Done(told=told)
    return Refused(code=str(told.get("error") or ""), needed=str(told.get("needed") or ""))
