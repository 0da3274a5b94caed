"""A server in a process of its own, and what it has used of the machine."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_READY_WITHIN_S = 30.0
_ENDS_WITHIN_S = 20.0


class DidNotStart(Exception):
    """A server never became ready; the message is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """``ready_s`` is how long it took from the start of the process to its first ready answer."""

    process: subprocess.Popen[bytes] = field(repr=False)
    port: int
    ready_s: float

    @property
    def cpu_s(self) -> float:
        """How long its threads, those that live now, have been on a core; 0 where not known."""
        total_ns = 0
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            try:
                total_ns += int(task.read_text(encoding="ascii").split()[0])
            except OSError:
                continue  # it ended meanwhile
        return total_ns / 1e9

    @property
    def resident_mib(self) -> float:
        """How much memory it holds; 0 where that is not known."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0.0
        found = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(next(found, "0")) / 1024


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    environment: Mapping[str, str],
    ready: str = "/readyz",
    folder: Path | None = None,
) -> Iterator[Server]:
    """Run *command* until the server it starts is ready, and end it afterwards.

    Raises:
        DidNotStart: it ended, or did not become ready.
    """
    started = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **environment},
        )
    try:
        while not _is_ready(port, ready):
            if process.poll() is not None or time.perf_counter() - started > _READY_WITHIN_S:
                said = log.read_text(encoding="utf-8", errors="replace")
                raise DidNotStart(f"{' '.join(command)} did not become ready:\n{said[-2000:]}")
            time.sleep(0.002)
        yield Server(process=process, port=port, ready_s=time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
