"""A file that a new token or secret is written into, instead of being printed.

It is made before anything is asked of the bot: a token is shown once, and one that cannot be kept
would be lost, while those before it have ended already.
"""

import os
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from bot.cli.first_files import write_private
from bot.cli.output import as_json, out, plain, to_copy
from bot.core.errors import InvalidInput

TokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--token-file", help="Write the token there (mode 0600) instead of printing it."),
]


def require_writable(path: Path | None) -> None:
    """Return if a secret can be written to *path*, or if there is none.

    Raises:
        InvalidInput: it cannot.
    """
    if path is None:
        return
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder.", remedy="Name a file in it.")
    if not path.parent.is_dir():
        raise InvalidInput(
            f"{path} cannot be written: there is no folder {path.parent}.",
            remedy="Make the folder first, or name another file. Nothing was changed.",
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InvalidInput(
            f"{path} cannot be written by this user.",
            remedy="Name a file in a folder of yours. Nothing was changed.",
        )


def show_token(
    found: dict[str, Any],
    path: Path | None,
    *,
    about: str,
    for_whom: str,
    json_wanted: bool,
) -> None:
    """Show the token in *found* this once, or put it into *path*; *about* says whose it is."""
    if path is not None:
        write_private(path, found.pop("token"), replace=True)
        found["token_file"] = str(path)
    if json_wanted:
        as_json(found)
        return
    out.print(plain(about))
    if path is not None:
        out.print(f"Its token is in {plain(path)}.")
        return
    out.print(f"Its token, shown this once. Keep it where only {for_whom} can read it:\n")
    to_copy(found["token"])
