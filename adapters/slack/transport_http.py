"""Requests that Slack sends to the people's listener: nothing is parsed before it is proven."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

log = logging.getLogger("keyturn.slack")

#: Slack's own messages come back with a click, twice encoded.
MAX_BYTES: Final = 1_048_576
#: https://docs.slack.dev/authentication/verifying-requests-from-slack
MAX_AGE_S: Final = 300
_READ_S: Final = 5.0
_DEPTH: Final = 40
_LOG_EVERY_S: Final = 60.0
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"


class Unproven(Exception):
    """The request does not prove that it comes from Slack now; the message says what is wrong."""


class Verifier:
    """Checks the signature over the raw bytes, and admits each signed request once."""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        """Raise ValueError when *secret* is empty: anybody could sign with that."""
        if not secret:
            raise ValueError("the signing secret is empty")
        self._secret = secret.encode()
        self._now = now
        self._seen: dict[str, float] = {}

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise Unproven unless Slack signed *body* within five minutes, and it is new."""
        stamp = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not stamp or not signature:
            raise Unproven("unsigned")
        # Digits of ASCII alone: int() takes more than Slack writes.
        if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12:
            raise Unproven("malformed timestamp")
        now = self._now()
        if abs(now - int(stamp)) > MAX_AGE_S:
            raise Unproven("stale")
        base = b"v0:" + stamp.encode() + b":" + body
        expected = "v0=" + hmac.new(self._secret, base, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise Unproven("wrong signature")
        self._admit(signature, now)

    def _admit(self, signature: str, now: float) -> None:
        # Decisions do not depend on this: the store refuses a second one.
        while self._seen and next(iter(self._seen.values())) < now - 2 * MAX_AGE_S:
            del self._seen[next(iter(self._seen))]
        if signature in self._seen:
            raise Unproven("replayed")
        self._seen[signature] = now


class HttpDoor:
    def __init__(self, verifier: Verifier, app: Callable[[], AsyncApp]) -> None:
        self._verifier = verifier
        self._app = app
        self._refused = 0
        self._logged_at = float("-inf")

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of Slack; whoever else asks learns only that it is refused."""
        try:
            async with asyncio.timeout(_READ_S):
                body = await _read(request)
        except TimeoutError:
            return _plain(HTTPStatus.REQUEST_TIMEOUT)
        if body is None:
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            self._verifier.check(request.headers, body)
        except Unproven as error:
            self._tell(str(error))
            return _plain(HTTPStatus.UNAUTHORIZED)
        text = _understood(request.content_type, body)
        if text is None:
            return _plain(HTTPStatus.BAD_REQUEST)
        try:
            answer = await self._app().async_dispatch(
                AsyncBoltRequest(
                    body=text,
                    query=request.query_string,
                    headers={name: [value] for name, value in request.headers.items()},
                )
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, its message may be a payload
            kind = type(error).__name__
            log.error("a request of slack failed", extra={"error": kind})  # noqa: TRY400 - see above
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        return await to_aiohttp_response(answer)

    def _tell(self, why: str) -> None:
        self._refused += 1
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_S:
            log.warning(
                "refused requests to slack's address", extra={"why": why, "count": self._refused}
            )
            self._logged_at, self._refused = now, 0


async def _read(request: web.Request) -> bytes | None:
    """Return the body; None when it is longer than Slack's are."""
    if (request.content_length or 0) > MAX_BYTES:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)


def _understood(content_type: str, body: bytes) -> str | None:
    """Return the text of a body of the shape that Slack sends; None when it is another."""
    try:
        text = body.decode("utf-8")
        if content_type == _JSON:
            value = json.loads(text)
        elif content_type == _FORM:
            form = parse_qs(text, keep_blank_values=True, strict_parsing=True, max_num_fields=100)
            if not form or any(len(values) > 1 for values in form.values()):
                return None
            # A slash command is the form itself; everything else is JSON in one field of it.
            value = json.loads(form["payload"][0]) if "payload" in form else form
        else:
            return None
    except (ValueError, RecursionError):
        return None
    return text if isinstance(value, dict) and _is_shallow(value) else None


def _is_shallow(value: object, depth: int = 0) -> bool:
    if depth > _DEPTH:
        return False
    members = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return all(_is_shallow(member, depth + 1) for member in members)


def _plain(status: HTTPStatus) -> web.Response:
    return web.Response(status=status, text=f"{status.phrase}\n")
