"""A service in its own process, which writes down what reached it before it answers.

Run as ``python target.py FOLDER``; it prints its port. Every case has a folder of its own, named
by the first step of the path, with these files:

- ``record.jsonl``: one line for each request that came, flushed to the disk before the answer.
- ``hold``: while it exists, writes are done and recorded, but not answered.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORD = "record.jsonl"
HOLD = "hold"
#: The step of a path under which a key that was seen before has no effect again.
KEYED = "keyed"


class Notes:
    """What one case has on record; the file is the truth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def effects(self) -> list[dict[str, Any]]:
        return [line for line in read_record(self.folder) if line["effect"]]

    def write(self, *, key: str | None, text: str, is_keyed: bool) -> int:
        """Write a note, unless its key was seen; return its number."""
        with self._lock:
            effects = self.effects()
            known = [line["number"] for line in effects if is_keyed and line["key"] == key]
            number = known[0] if known else len(effects) + 1
            line = {"key": key, "text": text, "number": number, "effect": not known}
            handle = os.open(self.folder / RECORD, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, json.dumps(line).encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
            return number


def read_record(folder: Path) -> list[dict[str, Any]]:
    """Return every write that reached the target, in order."""
    try:
        lines = (folder / RECORD).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path

    def do_POST(self) -> None:
        notes, kind = self._place()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Idempotency-Key") or body.get("key")
        number = notes.write(key=key, text=body["text"], is_keyed=kind == KEYED)
        hold = notes.folder / HOLD
        waiting = threading.Event()
        while hold.exists():
            waiting.wait(0.02)
        self._answer(201, {"number": number})

    def do_GET(self) -> None:
        notes, _ = self._place()
        if self.path.endswith("/latest"):
            count = len(notes.effects())
            self._answer(200, {"count": count}, ETag=f'"v{count}"')
        else:
            self._answer(200, {"notes": notes.effects()})

    def _place(self) -> tuple[Notes, str]:
        _, case, kind, *_ = self.path.split("/")
        with _places_lock:
            return _places.setdefault(case, Notes(self.root / case)), kind

    def _answer(self, status: int, body: object, **headers: str) -> None:
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the record says it."""


_places: dict[str, Notes] = {}
_places_lock = threading.Lock()


def main() -> None:
    Handler.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
