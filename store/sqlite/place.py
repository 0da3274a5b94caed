"""Where a database file may lie, and that one bot alone has it open."""

import fcntl
import os
import re
from pathlib import Path
from typing import Final

from bot.core.errors import StoreRefused

#: What the kernel says is mounted where; absent outside Linux.
MOUNTS: Final = Path("/proc/mounts")

#: File systems whose locks or shared memory do not hold between machines:
#: https://www.sqlite.org/wal.html, "WAL does not work over a network filesystem".
_NETWORK: Final = frozenset(
    {
        "9p",
        "acfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.mount-s3",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
    }
)
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def require_local(path: Path, *, mounts: Path = MOUNTS) -> None:
    """Return if *path* lies on a disk of this machine.

    Raises:
        StoreRefused: it lies on a network file system.
    """
    kind = _file_system(path.absolute().parent.resolve(), mounts)
    if kind in _NETWORK:
        raise StoreRefused(
            f"{path} lies on a network file system ({kind}). "
            "SQLite can lose committed records there.",
            remedy="Put the data directory on a local disk, or use PostgreSQL.",
        )


def _file_system(folder: Path, mounts: Path) -> str | None:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return None
    kind, deepest = None, -1
    for line in lines:
        _, _, rest = line.partition(" ")
        where, _, rest = rest.partition(" ")
        mounted = Path(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), where))
        # The last line of the deepest place counts: a later mount hides an earlier one.
        if folder.is_relative_to(mounted) and len(mounted.parts) >= deepest:
            deepest = len(mounted.parts)
            kind = rest.partition(" ")[0]
    return kind


class FileLock:
    """The right to be the one process that has *path* open, until it is released or dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            StoreRefused: another process has it.
            OSError: the lock's file cannot be made.
        """
        beside = path.with_name(path.name + ".lock")
        self._descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StoreRefused(
                f"{path} is already open in another Keyturn (process {holder or 'unknown'}).",
                remedy=f"Stop it first, or ask it: while it runs, the commands speak to it. "
                f"`ps -p {holder or 'PID'}` shows what it is.",
            ) from None
        except BaseException:
            os.close(self._descriptor)
            raise
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others have it. The file stays: removing it would race with who opens it next."""
        os.close(self._descriptor)
