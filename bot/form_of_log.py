"""The second reader of a long log: a process of its own that looks at the form of the entries.

As a program it reads an export from its input and writes what it found as JSON. It imports
little, because a reader who is late saves nothing.
"""

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from bot.core.audit.form import FormAudit
from bot.core.audit.problems import Fault, Problem, Problems


@dataclass(frozen=True, slots=True)
class Second:
    """The other process, at work."""

    process: subprocess.Popen[bytes]

    def found(self) -> tuple[Problems, int] | None:
        """Return the problems and how many values were opened; None where it came to no end."""
        said, _ = self.process.communicate()
        if self.process.returncode != 0:
            return None
        told = orjson.loads(said)
        problems = Problems()
        problems.told = [Problem(index, Fault(fault), what) for index, fault, what in told["told"]]
        problems.counts.update({Fault(fault): count for fault, count in told["counts"].items()})
        return problems, int(told["opened"])


@contextmanager
def looking_at_form(file: BinaryIO) -> Iterator[Second]:
    """Have another process look at the export in *file*, which must be at its beginning."""
    # -P: what lies in the folder somebody stands in is never imported.
    command = [sys.executable, "-P", "-m", __name__]
    with subprocess.Popen(  # noqa: S603
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield Second(process)
        finally:
            process.kill()


def look_at_form(file: BinaryIO) -> FormAudit:
    """Return what is found in the export in *file*, which must be at its beginning.

    Raises:
        NotReadable: a line is no entry of an export.
    """
    found = FormAudit()
    file.readline()
    found.read(file)
    return found


def main() -> None:
    gc.disable()
    found = look_at_form(sys.stdin.buffer)
    told: dict[str, Any] = {
        "told": [[one.index, one.fault, one.what] for one in found.problems.told],
        "counts": dict(found.problems.counts),
        "opened": found.opened,
    }
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main()
