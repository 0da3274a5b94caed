"""Signed tree heads: which log, how many entries, what root; in the form of C2SP tlog-checkpoint.

Specification: https://c2sp.org/tlog-checkpoint
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from bot.core.merkle import HASH_BYTES
from bot.core.signed_note import Note, NoteInvalid, Signer, parse_note, sign

LOG_ID_BYTES: Final = 8

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NOT_IN_AN_ORIGIN: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The log ``origin`` had ``size`` entries under the root hash ``root``."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed_by(self, signers: Iterable[Signer]) -> Note:
        return sign(self.body(), signers)

    @classmethod
    def of(cls, note: Note) -> Self:
        """Return what *note* says; lines behind the root are extensions and are not read.

        Raises:
            NoteInvalid: its text is not that of a checkpoint.
        """
        lines = note.text.split("\n")
        origin, size, encoded = lines[:3] if len(lines) > 3 else ("", "", "")
        root = _root(encoded)
        if not origin or not _SIZE.fullmatch(size) or root is None:
            raise NoteInvalid("this is not a checkpoint: its lines are origin, size and root hash")
        return cls(origin=origin, size=int(size), root=root)


def parse_checkpoint(written: str) -> tuple[Checkpoint, Note]:
    """Return the checkpoint in the signed note *written*; no signature is checked here.

    Raises:
        NoteInvalid: *written* is not a note, or not a checkpoint.
    """
    note = parse_note(written)
    return Checkpoint.of(note), note


def new_origin(deployment: str, entropy: bytes) -> str:
    """Return the name of a new log of *deployment*, made unique by *entropy*."""
    name = _NOT_IN_AN_ORIGIN.sub("-", deployment).strip("-") or "unnamed"
    return f"keyturn/{name}/{entropy[:LOG_ID_BYTES].hex()}"


def _root(encoded: str) -> bytes | None:
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return root if len(root) == HASH_BYTES else None
