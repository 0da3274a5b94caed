"""What others take for the same work on the same machine: a proposal in, durable, a person to ask.

They are installed from the package index into an environment of their own, at the version named
here, and only for the time of the bench. Whoever cannot be installed is left out, with the reason.
"""

import json
import secrets
import subprocess
import sys
import venv
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benches.body import NUMBER, submit_body
from benches.load import answered_by
from benches.process import DidNotStart, Server, free_port, running
from benches.spread import Spread

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).with_name("peers.lua")
_INSTALLED_WITHIN_S: Final = 180
#: Keyturn is a program for Linux and macOS: so is what it is measured beside.
_BIN: Final = "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """``command`` is a program of its environment and its arguments, ``{port}`` among them."""

    name: str
    package: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    ready: str
    path: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFound:
    """``per_s`` are submits; ``times`` is how many of them Keyturn does meanwhile."""

    name: str
    per_s: Spread
    p50_ms: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    found: Sequence[PeerFound]
    keyturn_per_s: Spread
    times_the_fastest: float
    skipped: Sequence[str]


_TOKEN: Final = secrets.token_hex(32)
_ACTION: Final = json.loads(submit_body(NUMBER))["action"]
_AIR_GATE: Final = json.dumps(
    {
        "agent_id": "agent-0",
        "action_type": "api_call",
        "tool_name": _ACTION["verb"],
        "payload": _ACTION["params"],
        "input_context": json.loads(submit_body(NUMBER))["rationale"]["why"],
    }
)
_UVICORN: Final = ("--host", "127.0.0.1", "--port", "{port}", "--no-access-log")


def _air_gate(name: str, storage: str) -> Peer:
    return Peer(
        name=name,
        package="air-gate[server]==0.3.0",
        command=("uvicorn", "air_gate.proxy:app", *_UVICORN, "--log-level", "error"),
        environment={
            "GATE_STORAGE_PATH": storage,
            "GATE_APPROVAL_TOKEN": _TOKEN,
            "GATE_SIGNING_KEY": _TOKEN,
            # It redacts what it takes for personal data; Keyturn shows people what they approve.
            "GATE_PII_REDACTION": "false",
        },
        ready="/health",
        path="/actions",
        body=_AIR_GATE,
    )


PEERS: Final = (
    _air_gate("air-gate 0.3.0, a file, not synced", "events.jsonl"),
    _air_gate("air-gate 0.3.0, SQLite", "events.db"),
    Peer(
        name="awaithumans 0.1.12, SQLite",
        package="awaithumans[server]==0.1.12",
        command=(
            *("awaithumans", "dev", "--host", "127.0.0.1", "--port", "{port}"),
            *("--db-path", "tasks.db", "--log-level", "ERROR"),
        ),
        environment={
            "AWAITHUMANS_ADMIN_API_TOKEN": _TOKEN,
            "AWAITHUMANS_PAYLOAD_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        },
        headers={"Authorization": f"Bearer {_TOKEN}"},
        ready="/api/health",
        path="/api/tasks",
        body=json.dumps(
            {
                "task": "Publish an answer",
                "payload": _ACTION,
                "payload_schema": {},
                "response_schema": {},
                "timeout_seconds": 3600,
                "idempotency_key": NUMBER,
            }
        ),
    ),
)
#: Not measured, and why.
LEFT_OUT: Final = (
    "agentgate 0.16.0 (npm): it listens on every interface, and a bench opens none of them",
)


def measure(
    program: str, *, keyturn_per_s: Spread, folder: Path, rounds: int, seconds: float
) -> Peers:
    """Submit to each peer in turn as Keyturn was submitted to in the same run."""
    found, skipped = [], list(LEFT_OUT)
    for peer in PEERS:
        try:
            found.append(_measure(peer, program, folder, rounds=rounds, seconds=seconds))
        except (_NotInstalled, DidNotStart) as error:
            skipped.append(f"{peer.name}: {str(error)[-300:]}")
    fastest = max((peer.per_s.median for peer in found), default=0.0)
    return Peers(
        found=found,
        keyturn_per_s=keyturn_per_s,
        times_the_fastest=keyturn_per_s.median / fastest if fastest else 0.0,
        skipped=skipped,
    )


class _NotInstalled(Exception):
    """A package could not be installed; the message is what the installer said."""


def _measure(peer: Peer, program: str, folder: Path, *, rounds: int, seconds: float) -> PeerFound:
    place = folder / peer.name.replace(" ", "-").replace(",", "")
    place.mkdir()
    environment = _installed(peer.package, folder)
    port = free_port()
    asked = place / "asked"
    before, after = peer.body.split(NUMBER, 1)
    headers = [f"{name}: {value}" for name, value in peer.headers.items()]
    asked.write_text("\n".join([before, after, *headers]), encoding="utf-8")
    first, *arguments = (part.format(port=port) for part in peer.command)
    with running(
        [str(environment / _BIN / first), *arguments],
        port=port,
        log=place / "log",
        environment=peer.environment,
        ready=peer.ready,
        folder=place,
    ) as server:
        rounds_found = [
            _load(program, server, peer=peer, asked=asked, run=f"{n}", seconds=seconds)
            for n in range(rounds)
        ]
    return PeerFound(
        name=peer.name,
        per_s=Spread.of(per_s for per_s, _ in rounds_found),
        p50_ms=Spread.of(p50_ms for _, p50_ms in rounds_found),
    )


def _load(
    program: str, server: Server, *, peer: Peer, asked: Path, run: str, seconds: float
) -> tuple[float, float]:
    # A key is used once in a bench, so that nobody answers from memory.
    text = asked.read_text(encoding="utf-8").splitlines()
    this = asked.with_name(f"asked-{run}")
    this.write_text("\n".join([f"{text[0]}{run}-", *text[1:]]), encoding="utf-8")
    answered = answered_by(
        program,
        server.port,
        connections=CONNECTIONS,
        seconds=seconds,
        script=_SCRIPT,
        arguments=[peer.path, str(this)],
    )
    if answered.wrong or answered.lost:
        raise DidNotStart(f"{answered.wrong} answers were no success, {answered.lost} were lost")
    return answered.per_s, answered.p50_ms


def _installed(package: str, folder: Path) -> Path:
    """Return an environment with *package* in it.

    Raises:
        _NotInstalled: with what the installer said.
    """
    place = folder / package.partition("[")[0]
    if place.exists():
        return place
    venv.create(place, with_pip=True)
    try:
        subprocess.run(  # noqa: S603 - the environment just made
            [str(place / _BIN / "python"), "-m", "pip", "install", "--quiet", package],
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALLED_WITHIN_S,
        )
    except subprocess.CalledProcessError as error:
        raise _NotInstalled(f"cannot be installed on {sys.platform}: {error.stderr}") from error
    except subprocess.TimeoutExpired as error:
        raise _NotInstalled("could not be installed in time") from error
    return place
