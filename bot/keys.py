"""Key files: made here, kept outside the database, readable by their owner alone.

A file holds its keys from the oldest to the newest, one a line; the last one is in use. A line
``# made TIME`` says when the key below it was made; without one, the file's own time does.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.core.errors import SettingsInvalid
from bot.core.signed_note import NoteInvalid, Signer
from bot.durable import write_whole
from bot.secret_refs import private_file_problem

#: Encrypts what chats keep: sessions, references to cards.
SHELF_KEY = "shelf.key"
SHELF_KEY_BYTES = 32

#: Sign grants: the one with the highest number signs, the others are still published.
GRANT_KEY = "grant-1.key"
GRANT_KEY_BYTES = 32
_GRANT_KEY = re.compile(r"grant-([1-9][0-9]{0,8})\.key")

#: Signs the checkpoints of the log: the last line signs, with those before it.
LOG_KEY = "log.key"
#: How far the log had come; beside the database, so that putting back an older one is seen.
LOG_STATE = "log-state.json"

_MADE = "# made "
_SHELF_REMEDY = (
    "Put it back from where you keep a copy, or delete it: `keyturn serve --init` makes a new one. "
    "Then everybody has to sign in again; no decision is lost."
)
_GRANT_REMEDY = (
    "Put it back from where you keep a copy, or delete it: `keyturn serve --init` makes a new one. "
    "Grants that it signed can then no longer be redeemed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """One key as it stands in its file."""

    text: str = field(repr=False)
    made_at: datetime


def key_lines(path: Path) -> Sequence[KeyLine]:
    """Return every key in *path*, oldest first.

    Raises:
        SettingsInvalid: it is missing, or readable by others.
    """
    if problem := private_file_problem(path):
        raise _invalid(path, problem if path.exists() else f"{path} is not there.")
    return tuple(_lines(path))


def add_key(path: Path, text: str, *, made_at: datetime) -> None:
    """Put *text* below the keys in *path*, which need not be there; durable, and never half."""
    before = tuple(_lines(path)) if path.exists() else ()
    lines = (*before, KeyLine(text=text, made_at=made_at))
    write_whole(path, "".join(map(_spelled, lines)).encode("ascii"))


def _spelled(line: KeyLine) -> str:
    made = line.made_at.astimezone(UTC).isoformat(timespec="seconds")
    return f"{_MADE}{made}\n{line.text}\n"


def grant_key_files(folder: Path) -> Sequence[Path]:
    """Return the key files of grants in *folder*, oldest first."""
    found = ((path, _GRANT_KEY.fullmatch(path.name)) for path in folder.glob("grant-*.key"))
    return [path for _, path in sorted((int(name[1]), path) for path, name in found if name)]


def new_grant_key(folder: Path, *, made_at: datetime) -> bytes:
    """Make the next key file of grants in *folder*, durably, and return its key."""
    files = grant_key_files(folder)
    newest = _GRANT_KEY.fullmatch(files[-1].name) if files else None
    key = secrets.token_bytes(GRANT_KEY_BYTES)
    path = folder / f"grant-{1 if newest is None else int(newest[1]) + 1}.key"
    add_key(path, key.hex(), made_at=made_at)
    return key


def read_log_keys(path: Path) -> Sequence[Signer]:
    """Return the keys of the log in *path*, oldest first.

    Raises:
        SettingsInvalid: it is missing, readable by others, or holds none.
    """
    if problem := private_file_problem(path):
        raise _invalid_log_key(path, problem if path.exists() else f"{path} is not there.")
    try:
        found = [Signer.parse(line.text) for line in _lines(path)]
    except NoteInvalid as error:
        raise _invalid_log_key(path, f"{path}: {error.message}.") from error
    if not found or len({signer.key.name for signer in found}) > 1:
        raise _invalid_log_key(path, f"{path} does not hold the keys of one log.")
    return found


def read_keys(path: Path, *, length_bytes: int) -> Sequence[bytes]:
    """Return the keys in *path*, which holds them in hexadecimal, oldest first; never none.

    Raises:
        SettingsInvalid: it is missing, readable by others, holds none or an obvious example.
    """
    keys = [_key(path, line.text, length_bytes) for line in key_lines(path)]
    if not keys:
        raise _invalid(path, _no_key(path, length_bytes))
    return keys


def read_key(path: Path, *, length_bytes: int) -> bytes:
    """Return the one key in *path*; raises as :func:`read_keys`."""
    keys = read_keys(path, length_bytes=length_bytes)
    if len(keys) > 1:
        raise _invalid(path, f"{path} holds more than one key.")
    return keys[0]


def _lines(path: Path) -> Iterator[KeyLine]:
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    made_at = written_at
    for raw in path.read_text(encoding="ascii", errors="replace").splitlines():
        line = raw.strip()
        if line.startswith("#"):
            made_at = _time(line) or written_at
        elif line:
            yield KeyLine(text=line, made_at=made_at)
            made_at = written_at


def _time(comment: str) -> datetime | None:
    try:
        told = datetime.fromisoformat(comment.removeprefix(_MADE))
    except ValueError:
        return None
    return told if told.tzinfo is not None else None


def _key(path: Path, text: str, length_bytes: int) -> bytes:
    if not re.fullmatch(rf"[0-9a-f]{{{2 * length_bytes}}}", text):
        raise _invalid(path, _no_key(path, length_bytes))
    key = bytes.fromhex(text)
    if len(set(key)) < length_bytes // 4:
        raise _invalid(path, f"{path} holds an example key.")
    return key


def _no_key(path: Path, length_bytes: int) -> str:
    return f"{path} does not hold {length_bytes} bytes in hexadecimal."


def _invalid_log_key(path: Path, problem: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"The key {path.name} cannot be used.",
        problems=[problem],
        remedy="Put it back from where you keep a copy. For a new deployment, "
        "`keyturn serve --init` makes it.",
    )


def _invalid(path: Path, problem: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"The key {path.name} cannot be used.",
        problems=[problem],
        remedy=_GRANT_REMEDY if _GRANT_KEY.fullmatch(path.name) else _SHELF_REMEDY,
    )
