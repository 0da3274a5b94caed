"""The log, brought out of a bot page by page, and written as the file that was asked for."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum, unique
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, assert_never

import orjson

from bot.cli.admin import Admin
from bot.core.audit.cloudevents import cloud_event
from bot.core.audit.export import header_of
from bot.core.audit.ocsf import ocsf_event
from bot.core.errors import InvalidInput
from bot.core.signed_note import NoteKey, parse_note

#: Told how many entries were written, and how many there are.
Progress = Callable[[int, int], None]


@unique
class Format(StrEnum):
    JSONL = "jsonl"
    OCSF = "ocsf"
    CLOUDEVENTS = "cloudevents"


async def export(
    api: Admin, path: Path | None, *, format_: Format, with_openings: bool, progress: Progress
) -> Mapping[str, Any]:
    """Write the log up to its present head to *path*, or to the standard output.

    Returns the checkpoint that it ends at.

    Raises:
        InvalidInput: *path* exists already.
    """
    head: Mapping[str, Any] = await api.get("checkpoint")
    size = head["size"]
    with created(path) as file:
        if format_ is Format.JSONL:
            keys = [NoteKey.parse(key) for key in head["keys"]]
            header = header_of(parse_note(head["note"]), keys, with_openings=with_openings)
            file.write(header.line())
        written = 0
        async for entries in pages(api, with_openings=with_openings, until=size):
            file.write(b"".join(_line(entry, format_, head["origin"]) for entry in entries))
            written += len(entries)
            progress(written, size)
    return head


async def pages(
    api: Admin, *, with_openings: bool, start: int = 0, until: int | None = None
) -> AsyncIterator[list[Mapping[str, Any]]]:
    """Yield the entries of the log from *start* on, a page at a time."""
    openings = "true" if with_openings else "false"
    while until is None or start < until:
        page = await api.get("log", start=str(start), openings=openings)
        entries = page["entries"] if until is None else page["entries"][: until - start]
        if not entries:
            return
        yield entries
        start += len(entries)


def _line(entry: Mapping[str, Any], format_: Format, origin: str) -> bytes:
    value: Mapping[str, Any]
    match format_:
        case Format.JSONL:
            value = entry
        case Format.OCSF:
            raw = entry["body"].encode()
            value = ocsf_event(raw, origin=origin, product_version=version("keyturn"))
        case Format.CLOUDEVENTS:
            value = cloud_event(entry["body"].encode(), origin=origin)
        case _:
            assert_never(format_)
    return orjson.dumps(value) + b"\n"


@contextmanager
def created(path: Path | None) -> Iterator[BinaryIO]:
    """Open *path* for its owner alone; what is not finished does not have its name."""
    if path is None or str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists():
        raise InvalidInput(f"{path} exists.", remedy="Name another file, or move it away.")
    unfinished = path.with_name(path.name + ".part")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)
