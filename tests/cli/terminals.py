"""Terminals that are as wide as a test wants."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress

from tests.cli.deployments import KEYTURN, Deployment

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(deployment: Deployment, *words: str, columns: int, **environment: str) -> str:
    """Return what `keyturn` writes to a terminal of *columns* columns, escapes and all."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [KEYTURN, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=deployment.home.parent,
        env={**deployment.environ(), "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(theirs)
        written = b""
        # A terminal that nobody writes to any more ends with an error, not with nothing.
        with suppress(OSError):
            while piece := os.read(ours, 65_536):
                written += piece
        process.wait(timeout=60)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def without_escapes(text: str) -> str:
    return _ESCAPE.sub("", text)
