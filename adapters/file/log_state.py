"""The state of the log in a file beside the database: replaced whole, durable when it says so."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Final

import orjson

from bot.core.errors import StoreRefused
from bot.ports.log_state import LogState

FORMAT: Final = "keyturn.log-state"
VERSION: Final = 1
_REMEDY: Final = (
    "Put the file back from the machine's last state. If it is lost, or the database was put back "
    "from a backup, run `keyturn restore`: it stops everything and begins a new log."
)


class FileLogState:
    """Implements :class:`bot.ports.log_state.LogKeeper`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()

    async def read(self) -> LogState:
        return await asyncio.to_thread(read_state, self._path)

    async def keep(self, state: LogState) -> None:
        await asyncio.to_thread(self._keep, state)

    def _keep(self, state: LogState) -> None:
        # Whoever is cancelled leaves a thread that still writes: the next one waits for it.
        with self._writing:
            keep_state(self._path, state)


def state_text(state: LogState) -> str:
    """Return *state* as it stands in the file."""
    value = {
        "format": FORMAT,
        "version": VERSION,
        "origin": state.origin,
        "epoch": state.epoch,
        "size": state.size,
        "root": state.root.hex(),
        "note": state.note,
    }
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"


def read_state(path: Path) -> LogState:
    """Return the state in *path*.

    Raises:
        StoreRefused: it is not there, damaged, or of a newer Keyturn.
    """
    try:
        value = orjson.loads(path.read_bytes())
        if value["format"] != FORMAT or value["version"] != VERSION:
            raise _refused(path, "is not a state of a log that this Keyturn knows")
        return LogState(
            origin=value["origin"],
            epoch=int(value["epoch"]),
            size=int(value["size"]),
            root=bytes.fromhex(value["root"]),
            note=value["note"],
        )
    except FileNotFoundError:
        raise _refused(path, "is not there: it says how far the log had come") from None
    except OSError as error:
        raise _refused(path, f"cannot be read ({error})") from error
    except (KeyError, TypeError, ValueError):
        raise _refused(path, "is damaged") from None


def keep_state(path: Path, state: LogState) -> None:
    """Replace what is in *path*.

    Raises:
        OSError: it could not be made durable.
    """
    new = path.with_name(path.name + ".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(state_text(state))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _refused(path: Path, what: str) -> StoreRefused:
    return StoreRefused(f"{path} {what}.", remedy=_REMEDY)
