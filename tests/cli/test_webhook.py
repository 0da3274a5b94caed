"""An agent's webhook, in real processes: set by command, and told although the bot was killed."""

import http.client
import http.server
import json
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from tests.cli.deployments import Deployment, asked_to_propose, free_ports
from tests.cli.test_stopping import notes
from tests.webhooks.receiver import Received, is_signed

WITHIN_S = 40
DENY = """
version: 1
rules:
  - id: closed
    verbs: [notes.add]
    effect: {deny: "Notes are closed."}
"""


@contextmanager
def receiving(port: int) -> Iterator["SimpleQueue[Received]"]:
    """Take every message that comes to *port* meanwhile."""
    received: SimpleQueue[Received] = SimpleQueue()

    class Takes(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.put(Received(headers, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Takes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def told(deployment: Deployment) -> Deployment:
    """A deployment with one agent, whose proposals no rule allows."""
    deployment.set("connectors", json.dumps({"notes": notes("http://127.0.0.1:9")}))
    (deployment.home / "policy.yaml").write_text(DENY)
    with deployment.config.open("a") as settings:
        settings.write("\nwebhooks: {private_hosts: [127.0.0.1]}\n")
    deployment.done("person", "create", "dana")
    deployment.done(
        *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
        *("--for", "dana", "--verb", "notes.*"),
        *("--token-file", str(deployment.home / "helper.token")),
    )
    return deployment


def asked_for(deployment: Deployment, path: str, token: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", deployment.ports["agents"], timeout=10)
    with closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return json.load(connection.getresponse())


def test_an_agent_is_told_although_the_bot_was_killed_and_the_receiver_was_down(
    told: Deployment,
):
    [port] = free_ports(1)
    token = (told.home / "helper.token").read_text().strip()
    secret_file = told.home / "helper.secret"
    action = {"verb": "notes.add", "resource": "notes:x", "params": {"text": "Hello"}}
    process, _ = told.start()
    with process:
        try:
            told.done(
                *("agent", "webhook", "helper", "--url", f"http://127.0.0.1:{port}/hook"),
                *("--secret-file", str(secret_file)),
            )
            proposal = asked_to_propose(told, token, action)
        finally:
            process.kill()
            process.communicate()
    assert proposal["state"] == "denied"

    with receiving(port) as received, told.serving():
        message = received.get(timeout=WITHIN_S)
        page = asked_for(told, "/v1/events", token)

    secret = secret_file.read_text().strip()
    assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
    assert is_signed(message, secret)
    data = json.loads(message.body)["data"]
    assert data["proposal"] == proposal["id"]
    assert [event["state"] for event in page["events"]] == ["denied"]
    assert page["events"][0]["cursor"] == data["cursor"]
    for path in told.home.rglob("*"):
        if path.is_file() and path != secret_file:
            assert secret.removeprefix("whsec_").encode() not in path.read_bytes(), path


def test_a_webhook_is_shown_renewed_and_ended_by_command(told: Deployment, tmp_path: Path):
    url = "https://agent.your-company.net/hook"
    assert "not told" in told.done("agent", "webhook", "helper")
    first = told.json("agent", "webhook", "helper", "--url", url)
    assert first["webhook"] == {"url": url, "secrets": 1, "stopped": None}
    assert url in told.done("agent", "show", "helper")
    second = told.json("agent", "webhook", "helper", "--rotate", "--overlap-s", "60")
    assert second["webhook"]["secrets"] == 2
    assert len({first["secret"], second["secret"]}) == 2
    assert "secret" not in told.json("agent", "webhook", "helper")
    assert told.json("agent", "webhook", "helper", "--off")["webhook"] is None
    refused = told.run("agent", "webhook", "helper", "--url", "http://agent.your-company.net/")
    assert refused.returncode == 5
    assert "not https" in refused.stderr
    both = told.run("agent", "webhook", "helper", "--off", "--rotate")
    assert both.returncode != 0
