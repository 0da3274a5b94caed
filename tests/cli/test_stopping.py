"""How the bot ends: what was begun is finished, and nothing is left behind."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.deployments import Deployment, asked_to_propose

ALLOW = """version: 1
rules: [{id: notes, verbs: [notes.add], effect: allow}]
"""


class SlowTarget:
    """Takes notes over HTTP, and answers only when it is told to."""

    def __init__(self) -> None:
        self.notes: list[object] = []
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                target.notes.append(
                    json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                )
                target.asked.set()
                target.may_answer.wait(30)
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def target() -> Iterator[SlowTarget]:
    slow = SlowTarget()
    thread = threading.Thread(target=slow.server.serve_forever)
    thread.start()
    yield slow
    slow.may_answer.set()
    slow.server.shutdown()
    slow.server.server_close()
    thread.join()


def test_what_is_being_carried_out_is_finished_before_the_bot_ends(
    deployment: Deployment, target: SlowTarget
):
    (deployment.home / "policy.yaml").write_text(ALLOW)
    deployment.set("connectors", json.dumps({"notes": notes(target.url)}))
    deployment.done("person", "create", "dana")
    token = deployment.json(
        *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
        *("--for", "dana", "--verb", "notes.*"),
    )["token"]
    process, _ = deployment.start()
    with process:
        assert process.stdout is not None
        action = {"verb": "notes.add", "resource": "notes:x", "params": {"text": "once"}}
        assert asked_to_propose(deployment, token, action)["state"] in {"approved", "executing"}
        assert target.asked.wait(10)
        process.send_signal(signal.SIGTERM)
        assert any("stopping" in line for line in process.stdout)
        target.may_answer.set()
        process.stdout.read()
    assert process.returncode == 0
    (proposal,) = deployment.json("proposals", "list")["proposals"]
    assert proposal["state"] == "succeeded"
    assert target.notes == [{"text": "once"}]


@pytest.mark.skipif(
    find_spec("isso") is None, reason="the extra demo, which brings Isso, is missing"
)
def test_a_bot_that_is_killed_leaves_no_forum_behind(tmp_path: Path):
    deployment = Deployment(tmp_path / "keyturn-data", {})
    process, lines = deployment.start("--init")
    with process:
        forum = next(line for line in lines if "/demo/" in line).rpartition("http://")[2]
        host, _, port = forum.partition("/")[0].partition(":")
        assert answers(host, int(port))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    until = time.monotonic() + 10
    while answers(host, int(port)):
        assert time.monotonic() < until, "the forum goes on by itself"


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def notes(base_url: str) -> dict[str, object]:
    return {
        "type": "http",
        "base_url": base_url,
        "allow_private": True,
        "verbs": {
            "notes.add": {
                "summary": "Add a note",
                "kind": "write",
                "resource": "notes:{book}",
                "params": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["text"],
                    "properties": {"text": {"type": "string"}},
                },
                "request": {
                    "method": "POST",
                    "path": "/{resource.book}",
                    "body": {"text": "{params.text}"},
                },
                "audience": {"reach": "private", "who": "You"},
                "say": {"effect": "Add a note"},
            }
        },
    }
