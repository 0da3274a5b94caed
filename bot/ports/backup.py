"""Backups of the whole deployment, made while it runs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Protocol

from bot.core.backup_manifest import Manifest
from bot.core.canonical import Json
from bot.core.leaf import timestamp


@unique
class Stage(StrEnum):
    COPYING = "copying"  #: the database, in pages
    VERIFYING = "verifying"  #: the log in the copy, in entries


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupProgress:
    stage: Stage
    done: int
    total: int

    def plain(self) -> dict[str, Json]:
        return {"stage": self.stage.value, "done": self.done, "total": self.total}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade:
    """``folder`` holds a whole backup that was read again and verified."""

    folder: str
    manifest: Manifest

    def plain(self) -> dict[str, Json]:
        manifest = self.manifest
        return {
            "made": {
                "folder": self.folder,
                "made_at": timestamp(manifest.made_at),
                "origin": manifest.origin,
                "epoch": manifest.epoch,
                "size": manifest.size,
                "root": manifest.root.hex(),
                "with_keys": manifest.with_keys,
                "bytes": sum(one.size_bytes for one in manifest.files.values()),
            }
        }


class Backups(Protocol):
    """Makes backups, one at a time."""

    def make(self, into: str, *, with_keys: bool) -> AsyncIterator[BackupProgress | BackupMade]:
        """Make a new folder in the folder *into*; tell how far it is, and what was made last.

        It MUST hold up neither the loop nor who writes, and MUST leave either a whole backup or
        none under the folder's name.

        Raises:
            Conflict: another backup is being made.
            RefusesToStart: the copy cannot be made, or is not whole; the message says what to do.
        """
        ...
