"""Many submits at once, sent by wrk: a program in C, so that the load costs little itself."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benches.body import NUMBER, submit_body

_SCRIPT: Final = Path(__file__).with_name("submit.lua")
_THREADS: Final = 2
_CONNECTIONS_A_TOKEN: Final = 8


class NotMeasured(Exception):
    """Something cannot be measured here; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one round of load came to; ``wrong`` counts what was not answered with 202."""

    requests: int
    seconds: float
    wrong: int
    lost: int
    first_wrong: str
    p50_ms: float
    p99_ms: float
    slowest_ms: float

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds

    @property
    def error(self) -> str | None:
        if not (self.wrong or self.lost):
            return None
        return (
            f"{self.wrong} of {self.requests} were not answered with 202 and {self.lost} were "
            f"lost. {self.first_wrong}"
        )


def wrk() -> str:
    """Return the path of wrk, installing it where that is possible.

    Raises:
        NotMeasured: it is not there and cannot be installed.
    """
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], capture_output=True, check=False)  # noqa: S607 - as root PATH is the operator's
    found = shutil.which("wrk")
    if found is None:
        raise NotMeasured("wrk is missing. On Debian: apt-get install wrk")
    return found


def load(
    program: str,
    port: int,
    *,
    connections: int,
    seconds: float,
    tokens: Sequence[str],
    run: str,
    folder: Path,
) -> Answered:
    """Submit as fast as the server answers; *run* makes the keys differ from other rounds'."""
    asked = folder / f"asked-{connections}"
    if not asked.exists():
        own = tokens[: max(1, connections // _CONNECTIONS_A_TOKEN)]
        asked.write_text("\n".join([*submit_body(NUMBER).split(NUMBER), *own]), encoding="utf-8")
    return answered_by(
        program,
        port,
        connections=connections,
        seconds=seconds,
        script=_SCRIPT,
        arguments=[run, str(asked)],
    )


def answered_by(
    program: str,
    port: int,
    *,
    connections: int,
    seconds: float,
    script: Path,
    arguments: Sequence[str],
) -> Answered:
    """Send what *script* makes of *arguments* as fast as the server answers."""
    said = subprocess.run(  # noqa: S603 - found above
        [
            program,
            f"--threads={min(_THREADS, connections)}",
            f"--connections={connections}",
            f"--duration={max(1, round(seconds))}s",
            "--timeout=10s",
            f"--script={script}",
            f"http://127.0.0.1:{port}",
            "--",
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return _answered(said.stdout, said.stderr)


def _answered(said: str, complaint: str) -> Answered:
    lines = {word: rest for word, _, rest in (line.partition(" ") for line in said.splitlines())}
    if "RESULT" not in lines:
        raise NotMeasured(f"wrk said nothing that can be read: {said}{complaint}")
    numbers = [int(number) for number in lines["RESULT"].split()]
    requests, duration_us, wrong, lost, p50_us, p99_us, slowest_us = numbers
    return Answered(
        requests=requests,
        seconds=duration_us / 1e6,
        wrong=wrong,
        lost=lost,
        first_wrong=lines.get("WORDS", ""),
        p50_ms=p50_us / 1e3,
        p99_ms=p99_us / 1e3,
        slowest_ms=slowest_us / 1e3,
    )
