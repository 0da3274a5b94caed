"""Credentials are named in the settings, never written there: ``env:NAME`` or ``file:/path``."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from bot.core.errors import SettingsInvalid

#: Resolves one reference; raises SettingsInvalid, whose text never holds the value.
Secrets: TypeAlias = Callable[[str], str]

MAX_SECRET_BYTES = 65_536

#: What people leave in a copied example.
_PLACEHOLDER = re.compile(
    r"(?i)^(?:<[^<>]*>|\$\{[^}]*\}|x{4,}|\*{4,}|(?:your|insert|put|enter)[-_].*"
    r"|.*change[-_ ]?(?:me|this)\b.*|.*replace[-_ ]?(?:me|this)\b.*)$"
)
#: What is no secret either, though it may well be a word elsewhere in the settings.
_WORD = re.compile(
    r"(?i)^(?:example|placeholder|dummy|sample|test|secret|password|token|todo|api)"
    r"(?:[-_ ]?(?:key|secret|token|password|value))?$"
)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def is_placeholder(value: str) -> bool:
    """Return whether *value* is an example that nobody replaced."""
    return _PLACEHOLDER.match(value.strip()) is not None


class SecretRefs:
    """Resolves references against an environment and the folder of the settings."""

    def __init__(self, environment: Mapping[str, str], *, folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def __call__(self, reference: str) -> str:
        """Return the credential that *reference* names.

        Raises:
            SettingsInvalid: not a reference, nothing there, readable by others, a placeholder.
        """
        scheme, colon, rest = reference.partition(":")
        if not colon or scheme not in {"env", "file"} or not rest:
            # The text is not repeated: it may be the credential itself.
            raise _invalid(
                "a credential is written where a reference belongs",
                "Write env:NAME or file:/path/to/file, and keep the credential there.",
            )
        value = self._from_environment(rest) if scheme == "env" else self._from_file(rest)
        if is_placeholder(value) or _WORD.match(value):
            raise _invalid(f"{reference} holds an example value", "Put the real credential there.")
        return value

    def _from_environment(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            # What cannot be a name may be the credential itself.
            shown = name if _VARIABLE.fullmatch(name) else "that is named"
            raise _invalid(
                f"the environment variable {shown} is not set",
                "Set it for the process that runs `keyturn serve`.",
            )
        return value

    def _from_file(self, name: str) -> str:
        path = self._folder / Path(name).expanduser()
        if problem := private_file_problem(path):
            raise SettingsInvalid(problem, problems=[problem])
        value = path.read_bytes()[:MAX_SECRET_BYTES].decode("utf-8", errors="replace").strip()
        if not value:
            raise _invalid(f"{path} is empty", "Put the credential into it.")
        return value


def private_file_problem(path: Path) -> str | None:
    """Return why *path* cannot hold a secret, and what to do; None when it can."""
    try:
        status = path.stat()
    except OSError as error:
        return f"{path} cannot be read: {(error.strerror or 'no reason given').lower()}. Create it."
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a file. Name a file."
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(status.st_mode)
        return f"{path} may be read by others (mode {mode:04o}). Run: chmod 600 {path}"
    if not os.access(path, os.R_OK):
        return f"{path} may not be read by this user. Give the file to the user that runs keyturn."
    return None


def _invalid(what: str, remedy: str) -> SettingsInvalid:
    problem = f"{what}. {remedy}"
    return SettingsInvalid(what, problems=[problem], remedy=remedy)
