"""The service that the agents of the regressions want to write to; it keeps what reached it.

It takes writes only with Keyturn's credential, and is told by a test when to misbehave.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

CREDENTIAL = "wiki-credential-of-keyturn"


@dataclass(frozen=True, slots=True)
class Write:
    """One write as it arrived: to which page, under which key, and the bytes of its body."""

    page: str
    key: str
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Wiki:
    """``lost`` are pages whose writes are done, but never answered; ``paths`` is every request."""

    url: str = ""
    writes: list[Write] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    intruders: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def written(self, page: str) -> list[Write]:
        """Return the writes to *page*, in order."""
        return [write for write in self.writes if write.page == page]

    def edit(self, page: str, text: str) -> None:
        """Change *page* as somebody else would: not through Keyturn."""
        with self.lock:
            self.writes.append(Write(page, "somebody else", json.dumps({"text": text}).encode()))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wiki: Wiki

    def do_GET(self) -> None:
        self.wiki.paths.append(self.path)
        kind, name = self._place()
        if kind == "writes":
            found = [write for write in self.wiki.writes if write.key == name]
            self._answer(200 if found else 404, {"page": found[0].page} if found else {})
            return
        versions = self.wiki.written(name)
        if not versions:
            self._answer(404, {})
            return
        self._answer(200, {"text": versions[-1].value["text"]}, etag=f'"v{len(versions)}"')

    def do_PUT(self) -> None:
        self.wiki.paths.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _, name = self._place()
        if self.headers["Authorization"] != f"Bearer {CREDENTIAL}":
            self.wiki.intruders.append(self.path)
            self._answer(401, {})
            return
        with self.wiki.lock:
            wanted = self.headers.get("If-Match")
            if wanted is not None and wanted != f'"v{len(self.wiki.written(name))}"':
                self._answer(412, {})
                return
            self.wiki.writes.append(Write(name, json.loads(body)["key"], body))
        if name in self.wiki.lost:
            self.close_connection = True
            return
        self._answer(200, {"page": name})

    def _place(self) -> tuple[str, str]:
        _, kind, name = self.path.split("/", 2)
        return kind, unquote(name)

    def _answer(self, status: int, body: object, *, etag: str = "") -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the record says it."""


@contextmanager
def open_wiki() -> Iterator[Wiki]:
    wiki = Wiki()
    handler = type("Handler", (_Handler,), {"wiki": wiki})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        wiki.url = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield wiki
        finally:
            server.shutdown()
            serving.join()
