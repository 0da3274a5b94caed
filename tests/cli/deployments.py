"""Deployments that tests start and speak to in real processes."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

KEYTURN = Path(sysconfig.get_path("scripts")) / "keyturn"
START_WITHIN_S = 40


@dataclass
class Deployment:
    """A folder with settings, and the command `keyturn` spoken to it in real processes."""

    home: Path
    ports: dict[str, int]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.home / "keyturn.yaml"

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [KEYTURN, *words],
            env={**self.environ(), **environment},
            cwd=self.home.parent,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )

    def done(self, *words: str) -> str:
        ran = self.run(*words)
        assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json"))

    def start(self, *words: str) -> tuple[subprocess.Popen[str], list[str]]:
        """Run `keyturn serve`; return it and what it printed until it was ready."""
        process = subprocess.Popen(
            [KEYTURN, "serve", *words],
            env=self.environ(),
            cwd=self.home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "Ctrl-C stops the bot" in line:
                return process, lines
        process.wait()
        process.stdout.close()
        return pytest.fail("keyturn serve ended: " + "\n".join(lines))

    @contextmanager
    def serving(self, *words: str) -> Iterator[list[str]]:
        """Run `keyturn serve` meanwhile, and yield what it printed until it was ready."""
        process, lines = self.start(*words)
        with process:
            try:
                yield lines
            finally:
                process.send_signal(signal.SIGTERM)
                rest, _ = process.communicate(timeout=START_WITHIN_S)
        assert process.returncode == 0, "\n".join(lines) + rest
        assert "Traceback" not in rest

    def set(self, name: str, value: str) -> None:
        """Replace the top-level setting *name*."""
        text = self.config.read_text()
        changed, count = re.subn(rf"(?m)^{name}:.*$", lambda _: f"{name}: {value}", text)
        assert count == 1
        self.config.write_text(changed)

    def environ(self) -> dict[str, str]:
        names = ("PATH", "PYTHONPATH", "LANG", "HOME")
        known = {name: os.environ[name] for name in names if name in os.environ}
        return {**known, "KEYTURN_HOME": str(self.home), **self.environment}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def asked(
    deployment: Deployment,
    listener: str,
    path: str,
    *,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
) -> Answer:
    """Return what a listener answers; redirects are not followed."""
    connection = http.client.HTTPConnection("127.0.0.1", deployment.ports[listener], timeout=5)
    with closing(connection):
        if form is None:
            connection.request("GET", path, headers=dict(headers))
        else:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(form), {**kind, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())


def asked_to_propose(
    deployment: Deployment,
    token: str,
    action: Mapping[str, Any],
    *,
    key: str = "one",
    **more: Any,
) -> Any:
    """Return the answer of the agents' API to a new proposal of *action*."""
    connection = http.client.HTTPConnection("127.0.0.1", deployment.ports["agents"], timeout=10)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    with closing(connection):
        connection.request("POST", "/v1/proposals", json.dumps({"action": action, **more}), headers)
        return json.load(connection.getresponse())


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def make_deployment(home: Path) -> Deployment:
    """Return what `keyturn init` writes, on ports that are free now."""
    names = ("agents", "people")
    deployment = Deployment(home, dict(zip(names, free_ports(len(names)), strict=True)))
    deployment.done("init")
    text = deployment.config.read_text()
    text = re.sub(r"(?m)^public_url:.*$", f"public_url: {url(deployment, 'people')}", text)
    for name in names:
        text, count = re.subn(
            rf"(?m)^  {name}: \{{.*\}}$",
            f"  {name}: {{host: 127.0.0.1, port: {deployment.ports[name]}}}",
            text,
        )
        assert count == 1
    deployment.config.write_text(text)
    return deployment


def url(deployment: Deployment, listener: str) -> str:
    return f"http://127.0.0.1:{deployment.ports[listener]}"
