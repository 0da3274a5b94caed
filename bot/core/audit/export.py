"""The file of an exported log: one header, then one line for each entry, oldest first.

An entry's line holds the exact text of its body, so that verifying hashes what was stored and
encodes nothing anew, and the openings that are kept and were asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bot.core.checkpoint import Checkpoint, parse_checkpoint
from bot.core.errors import InvalidInput
from bot.core.leaf import Leaf, Opening
from bot.core.signed_note import Note, NoteInvalid, NoteKey

FORMAT: Final = "keyturn.log"
VERSION: Final = 1
_SHOWN_CHARS: Final = 60


class NotReadable(InvalidInput):
    """What should be verified is not a log or a receipt that can be read."""

    code = "not_readable"
    title = "This file cannot be verified"
    default_remedy = "Export it again with `keyturn audit export`, and copy it whole."


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first line of an export says: the checkpoint it ends at, and the log's keys."""

    checkpoint: Checkpoint
    note: Note
    keys: tuple[NoteKey, ...]
    with_openings: bool

    def line(self) -> bytes:
        return _dumped(
            {
                "format": FORMAT,
                "version": VERSION,
                "origin": self.checkpoint.origin,
                "size": self.checkpoint.size,
                "keys": [str(key) for key in self.keys],
                "openings": self.with_openings,
                "checkpoint": str(self.note),
            }
        )


def header_of(note: Note, keys: Iterable[NoteKey], *, with_openings: bool) -> Header:
    """Return the header of an export up to the checkpoint in *note*."""
    return Header(
        checkpoint=Checkpoint.of(note), note=note, keys=tuple(keys), with_openings=with_openings
    )


def entry_line(body: bytes, openings: Iterable[Opening]) -> bytes:
    """Return the line of one entry."""
    return _dumped(entry_value(body, openings))


def entry_value(body: bytes, openings: Iterable[Opening]) -> dict[str, Any]:
    return {
        "body": body.decode(),
        "openings": [{"path": o.path, "salt": o.salt, "value": o.value} for o in openings],
    }


def leaf_value(leaf: Leaf, *, with_openings: bool) -> dict[str, Any]:
    """Return *leaf* as it stands in an export."""
    return entry_value(leaf.body, leaf.openings if with_openings else ())


def read_header(line: bytes) -> Header:
    """Return the header that is the first *line* of a file.

    Raises:
        NotReadable: it is not the header of an export that this version knows.
    """
    value = read_object(line, what="line 1")
    if value.get("format") != FORMAT:
        raise NotReadable("This is not an exported log: its first line is not the header of one.")
    require_version(value, known=VERSION)
    try:
        checkpoint, note = parse_checkpoint(value["checkpoint"])
        keys = tuple(NoteKey.parse(key) for key in value["keys"])
        header = Header(
            checkpoint=checkpoint, note=note, keys=keys, with_openings=bool(value["openings"])
        )
    except NoteInvalid as error:
        raise NotReadable(f"The header of this file is damaged: {error.message}.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise NotReadable("The header of this file is damaged: a field is missing.") from error
    if (value.get("origin"), value.get("size")) != (checkpoint.origin, checkpoint.size):
        raise NotReadable("The header of this file contradicts the checkpoint in it.")
    return header


def require_version(value: Mapping[str, Any], *, known: int) -> None:
    version = value.get("version")
    if version != known:
        raise NotReadable(
            f"This file has format version {str(version)[:_SHOWN_CHARS]}; "
            f"this Keyturn reads version {known}.",
            remedy="Verify it with the Keyturn that wrote it, or a newer one.",
        )


def read_object(line: bytes, *, what: str) -> dict[str, Any]:
    """Return the JSON object in *line*.

    Raises:
        NotReadable: it is none; *what* says where.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        start = line[:_SHOWN_CHARS].decode("utf-8", "replace").strip()
        raise NotReadable(
            f"{what.capitalize()} is not JSON: {start!r}."
            if start
            else f"{what.capitalize()} is empty."
        ) from None
    if not isinstance(value, dict):
        raise NotReadable(f"{what.capitalize()} is not a JSON object.")
    return value


def _dumped(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"
