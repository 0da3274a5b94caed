"""Key files: made once, kept outside the database, readable by their owner alone."""

import re
from pathlib import Path

from bot.core.errors import SettingsInvalid
from bot.secret_refs import private_file_problem

#: Encrypts what chats keep: sessions, references to cards.
SHELF_KEY = "shelf.key"
SHELF_KEY_BYTES = 32


def read_key(path: Path, *, length_bytes: int) -> bytes:
    """Return the key in *path*, which holds it in hexadecimal.

    Raises:
        SettingsInvalid: it is missing, readable by others, not a key, or an obvious example.
    """
    if problem := private_file_problem(path):
        raise _invalid(path, problem if path.exists() else f"{path} is not there.")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch(rf"[0-9a-f]{{{2 * length_bytes}}}", text):
        raise _invalid(path, f"{path} does not hold {length_bytes} bytes in hexadecimal.")
    key = bytes.fromhex(text)
    if len(set(key)) < length_bytes // 4:
        raise _invalid(path, f"{path} holds an example key.")
    return key


def _invalid(path: Path, problem: str) -> SettingsInvalid:
    return SettingsInvalid(
        f"The key {path.name} cannot be used.",
        problems=[problem],
        remedy="`keyturn serve --init` makes a missing key. A lost shelf key signs everybody out; "
        "no decision is lost.",
    )
