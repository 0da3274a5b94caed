"""The process of the sample forum: Isso, and in front of it a key for its moderator.

Isso lets whoever holds the cookie that came with a comment read and delete it again. A moderator
has a page for people, and no credential that a program could hold. Here the bearer of the
moderator's key counts as the author of every comment; all that happens then is Isso's own doing,
down to its refusal to delete a comment that no longer says what the request says.
"""

import hashlib
import hmac
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_COMMENT = re.compile("/id/([0-9]{1,18})")
_MAX_BODY_BYTES = 1_000_000


class Moderator:
    """Wraps *forum*; *sign* is Isso's own way to sign what stands in its cookies."""

    def __init__(self, forum: Application, *, key: str, sign: Callable[[object], str]) -> None:
        self._forum = forum
        self._credential = f"Bearer {key}".encode()
        self._sign = sign

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        comment = _COMMENT.fullmatch(environ.get("PATH_INFO", ""))
        sent = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if comment and hmac.compare_digest(sent, self._credential):
            body = _body(environ)
            environ["wsgi.input"] = BytesIO(body)
            number = int(comment[1])
            # Isso compares the hash in the cookie with that of the comment as it is now.
            signed = self._sign([number, hashlib.sha1(_text(body).encode()).hexdigest()])  # noqa: S324 - Isso's choice
            environ["HTTP_COOKIE"] = f"{number}={signed}"
        return self._forum(environ, start_response)


def _body(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    body: bytes = environ["wsgi.input"].read(min(int(length), _MAX_BODY_BYTES))
    return body


def _text(body: bytes) -> str:
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    text = value.get("text") if isinstance(value, dict) else None
    return text if isinstance(text, str) else ""


def main(config_file: Path, key_file: Path) -> None:
    """Serve the forum of *config_file* until this process ends."""
    isso, config = import_module("isso"), import_module("isso.config")
    settings = config.load(config.default_file(), str(config_file))
    forum: Application = isso.make_app(settings)
    if key_file.exists():
        forum = Moderator(
            forum,
            key=key_file.read_text(encoding="utf-8").strip(),
            sign=_signer(settings),
        )
    listen = urlsplit(settings.get("server", "listen"))
    import_module("werkzeug.serving").run_simple(listen.hostname, listen.port, forum, threaded=True)


def _signer(settings: Any) -> Callable[[object], str]:
    path = settings.get("general", "dbpath")
    database = import_module("isso.db").SQLite3(path, settings)
    signer = import_module("itsdangerous").URLSafeTimedSerializer(
        database.preferences.get("session-key")
    )
    return lambda value: str(signer.dumps(value))


def _end_with_parent() -> None:
    # The parent holds the other end of standard input; it closes when the parent ends.
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
