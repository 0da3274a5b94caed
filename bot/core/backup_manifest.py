"""What a backup says about itself: every file with its digest, and how far its log had come."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from bot.core.errors import InvalidInput
from bot.core.leaf import timestamp

FORMAT: Final = "keyturn.backup"
VERSION: Final = 1

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class BackupInvalid(InvalidInput):
    """A folder is not a backup, or not the whole of one."""

    code = "backup_invalid"
    title = "This is not a whole backup"
    default_remedy = "Name the folder that `keyturn backup` made, or take another backup."


@dataclass(frozen=True, slots=True)
class FileDigest:
    """``sha256`` is hexadecimal."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``origin``, ``epoch``, ``size`` and ``root`` are those of the log in the copy."""

    deployment: str
    keyturn: str
    made_at: datetime
    schema: int
    origin: str
    epoch: int
    size: int
    root: bytes
    with_keys: bool
    files: Mapping[str, FileDigest]

    def text(self) -> str:
        value = {
            "format": FORMAT,
            "version": VERSION,
            "keyturn": self.keyturn,
            "deployment": self.deployment,
            "made_at": timestamp(self.made_at),
            "schema": self.schema,
            "log": {
                "origin": self.origin,
                "epoch": self.epoch,
                "size": self.size,
                "root": self.root.hex(),
            },
            "with_keys": self.with_keys,
            "files": {
                name: {"sha256": one.sha256, "bytes": one.size_bytes}
                for name, one in self.files.items()
            },
        }
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"


def parse_manifest(text: bytes) -> Manifest:
    """Return the manifest that *text* is.

    Raises:
        BackupInvalid: it is none that this version knows.
    """
    try:
        value: Mapping[str, Any] = orjson.loads(text)
        if value["format"] != FORMAT or value["version"] != VERSION:
            raise BackupInvalid(
                "This is no backup that this Keyturn knows.",
                remedy="Restore it with the Keyturn that made it, or a newer one.",
            )
        log = value["log"]
        return Manifest(
            deployment=_text(value["deployment"]),
            keyturn=_text(value["keyturn"]),
            made_at=datetime.fromisoformat(value["made_at"]).astimezone(UTC),
            schema=int(value["schema"]),
            origin=_text(log["origin"]),
            epoch=int(log["epoch"]),
            size=int(log["size"]),
            root=bytes.fromhex(log["root"]),
            with_keys=value["with_keys"] is True,
            files={_inside(name): _digest(one) for name, one in value["files"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupInvalid("The manifest of this backup is damaged.") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _digest(value: Mapping[str, Any]) -> FileDigest:
    if not _SHA256.fullmatch(value["sha256"]):
        raise ValueError
    return FileDigest(value["sha256"], int(value["bytes"]))


def _inside(name: str) -> str:
    """Return *name*, which leads nowhere but into the backup."""
    parts = name.split("/")
    if len(parts) > 2 or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError
    return name
