"""Processes that run `keyturn` and are forked from one that has imported it already.

They are processes like any other: they have their own memory, their own locks and their own end.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.faults.nursery_preload"])


class Born:
    """One such process; ``said`` is the reading end of what it prints."""

    def __init__(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], path: Path, folder: Path
    ) -> None:
        reading, writing = _forking.Pipe(duplex=False)
        self._process = _forking.Process(
            target=_run,
            args=(writing, tuple(arguments), dict(environment), str(path), str(folder)),
        )
        self._process.start()
        writing.close()
        self.said = reading

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable when the process has ended."""
        return self._process.sentinel

    @property
    def code(self) -> int | None:
        """The exit code; the number of a signal, negative, if one ended it; None if it lives."""
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self.said.close()
        self._process.close()


def _run(
    writing: Connection,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    path: str,
    folder: str,
) -> None:
    for descriptor in (1, 2):
        os.dup2(writing.fileno(), descriptor)
    writing.close()
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, path)
    sys.argv = ["keyturn", *arguments]
    # Imported here, so that whoever starts these processes does not have to.
    from bot.cli import main  # noqa: PLC0415

    main()
