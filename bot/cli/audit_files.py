"""Files that hold a log, a receipt, or what somebody knew before."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from bot.core.audit.export import FORMAT as LOG
from bot.core.audit.export import Header, NotReadable, read_header
from bot.core.audit.receipts import verify_receipt
from bot.core.audit.verify import Known, LogAudit, Report
from bot.core.checkpoint import Checkpoint, parse_checkpoint
from bot.core.receipt import FORMAT as RECEIPT
from bot.core.signed_note import Note, NoteInvalid
from bot.form_of_log import look_at_form, looking_at_form

_LINES_A_STEP: Final = 2000
#: A second process takes a tenth of a second to begin: below this it saves nothing.
LONG_BYTES: Final = 32 * 1024 * 1024
_MOST_RECEIPT_BYTES: Final = 64 * 1024 * 1024

#: Told how many entries were read, and how many there are.
Progress = Callable[[int, int], None]


def verify_file(
    path: Path, known: Known, *, progress: Progress, long_bytes: int = LONG_BYTES
) -> tuple[str, Report]:
    """Return whether *path* holds a log or a receipt, and what was found about it.

    A log of *long_bytes* or more is read by two processes.

    Raises:
        NotReadable: it holds neither, or cannot be read.
    """
    with _opened(path) as file:
        first = file.readline()
        if not first.strip():
            raise NotReadable("This file is empty.")
        if _format_of(first) == LOG:
            is_long = str(path) != "-" and path.stat().st_size >= long_bytes
            if is_long and (os.cpu_count() or 1) > 1:
                return "log", _verify_by_two(path, first, file, known, progress)
            return "log", _verify_log(first, file, known, progress)
        whole = first + file.read(_MOST_RECEIPT_BYTES)
        if _format_of(whole) == RECEIPT:
            return "receipt", verify_receipt(orjson.loads(whole), known)
    raise NotReadable("This is neither an exported log nor a receipt.")


def read_known(path: Path) -> tuple[Checkpoint, Note]:
    """Return the checkpoint that somebody kept in *path*: a note, or JSON with one in it.

    Raises:
        NotReadable: there is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("{"):
            # log-state.json, what `audit checkpoint --json` prints, an export, a receipt.
            value = orjson.loads(text.partition("\n")[0] if _format_of(text) is None else text)
            text = value.get("note") or value.get("checkpoint") or ""
        return parse_checkpoint(text)
    except OSError as error:
        raise NotReadable(f"{path} cannot be read: {error.strerror}.") from error
    except (NoteInvalid, UnicodeDecodeError, orjson.JSONDecodeError, AttributeError) as error:
        raise NotReadable(
            f"{path} does not hold a checkpoint.",
            remedy="Give the file that `keyturn audit checkpoint` wrote, whole and unchanged.",
        ) from error


def _verify_log(first: bytes, lines: Iterable[bytes], known: Known, progress: Progress) -> Report:
    header = read_header(first)
    audit = LogAudit(header, known)
    _read(audit, header, lines, progress)
    return audit.report()


def _read(audit: LogAudit, header: Header, lines: Iterable[bytes], progress: Progress) -> None:
    for number, line in enumerate(lines, start=1):
        audit.entry(line)
        if number % _LINES_A_STEP == 0:
            progress(number, header.checkpoint.size)
    progress(audit.size, header.checkpoint.size)


def _verify_by_two(
    path: Path, first: bytes, lines: Iterable[bytes], known: Known, progress: Progress
) -> Report:
    """Verify a long log with the form of its entries looked at by a second process.

    That is half of the work, and no part of it needs what the other half finds.
    """
    header = read_header(first)
    audit = LogAudit(header, known, form=False)
    with path.open("rb") as file, looking_at_form(file) as second:
        _read(audit, header, lines, progress)
        found = second.found()
    if found is None:
        with path.open("rb") as file:
            alone = look_at_form(file)
        found = alone.problems, alone.opened
    audit.add(*found)
    return audit.report()


def _format_of(text: bytes | str) -> object:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value.get("format") if isinstance(value, dict) else None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise NotReadable(
            f"{path} cannot be read: {error.strerror}.", remedy="Name a file that is there."
        ) from error
