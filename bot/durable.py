"""Files and folders that are there, whole, once these return."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from bot.core.backup_manifest import FileDigest

_CHUNK_BYTES: Final = 1 << 20


def write_whole(path: Path, data: bytes) -> None:
    """Replace what is in *path*, for its owner's eyes only."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    move(new, path)


def copy_whole(source: Path, target: Path) -> None:
    """Copy *source* to *target*, which is not there yet, for its owner's eyes only."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as writing, source.open("rb") as reading:
        shutil.copyfileobj(reading, writing, _CHUNK_BYTES)
        writing.flush()
        os.fsync(writing.fileno())


def move(source: Path, target: Path) -> None:
    """Give *source* the name *target*, on the same disk."""
    source.replace(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def remove(path: Path) -> None:
    """Remove *path* if it is there."""
    path.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make the content of the file, or the names in the folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of_file(path: Path) -> FileDigest:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileDigest(digest, file.tell())
