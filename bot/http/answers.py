"""Answers as bytes, spelled once."""

from typing import Any

import orjson
from aiohttp import hdrs, web
from multidict import CIMultiDict

#: Instead of the library's name and version, which help nobody but an attacker.
SERVER = "keyturn"
JSON = "application/json"


def json_bytes(value: Any) -> bytes:
    """Return *value* as JSON; a datetime becomes RFC 3339 in UTC with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return *value* as JSON; nothing keeps a copy on the way."""
    return answer_bytes(json_bytes(value), status=status, headers=headers)


def answer_bytes(
    body: bytes, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    all_headers = CIMultiDict(
        {hdrs.CONTENT_TYPE: JSON, hdrs.CACHE_CONTROL: "no-store", hdrs.SERVER: SERVER}
    )
    if headers:
        all_headers.update(headers)
    return web.Response(status=status, body=body, headers=all_headers)
