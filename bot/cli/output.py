"""What the commands print: tables for people, JSON for scripts, errors that say what to do."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.core.errors import KeyturnError, RefusesToStart
from bot.core.secret_scan import without_secrets
from bot.core.untrusted import Untrusted, show

FAILED = 1
REFUSED_TO_START = 3
NOT_REACHABLE = 4
REFUSED = 5

#: Where nobody looks at a terminal, no line is folded for the width of one.
_WIDE = 10_000

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)
_tables = Console(highlight=False, width=None if out.is_terminal else _WIDE)


class NotReachable(KeyturnError):
    """The bot seems to run, but does not answer on its socket."""

    code = "not_reachable"
    title = "The bot cannot be reached"


def as_json(value: Any) -> None:
    """Print *value* for scripts, on one line for each entry of the top level."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def plain(text: object) -> str:
    """Return *text* harmless for a terminal: nothing in it moves, hides or colours anything."""
    return escape(_harmless(text))


def _harmless(text: object) -> str:
    return show(Untrusted(str(text))).replace("\n", " ")


def _cell(value: object) -> Text:
    return Text(_harmless(value))


def to_copy(text: str) -> None:
    """Print *text* exactly, so that it can be copied: nothing is wrapped, marked or escaped."""
    out.print(Text(text, style="cyan"))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print *rows* below *columns*, or *empty* when there are none."""
    if not rows:
        out.print(empty)
        return
    grid = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column, overflow="fold", no_wrap=column == "id")
    for row in rows:
        grid.add_row(*map(_cell, row))
    unfolded = Measurement.get(_tables, _tables.options.update(max_width=_WIDE), grid)
    if unfolded.maximum <= _tables.width:
        _tables.print(grid)
    else:
        _one_below_another(columns, rows)


def _one_below_another(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print each row as a few lines of its own, for a terminal that is too narrow for a table."""
    for number, row in enumerate(rows):
        if number:
            out.print()
        facts(dict(zip(columns, row, strict=True)))


def fits(text: str) -> bool:
    """Return whether *text* stands on one line of the terminal."""
    return len(text) <= _tables.width


def hanging(text: str, *, indent: int, style: str = "") -> None:
    """Print *text* with every line of it *indent* characters from the left."""
    _tables.print(Padding(Text(_harmless(text), style=style), (0, 0, 0, indent), expand=False))


def facts(pairs: Mapping[str, object]) -> None:
    """Print one thing, a line for each of what is known about it."""
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        grid.add_row(name, _cell(value))
    _tables.print(grid)


def local(moment: str | None) -> str:
    """Return an RFC 3339 time as people here read it."""
    if not moment:
        return "–"
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def fail(error: KeyturnError, *, json_wanted: bool = False) -> NoReturn:
    """Print what is wrong and what to do, and end with the exit code that says which kind it is.

    Raises:
        typer.Exit: always.
    """
    # What is wrong may be a credential in the wrong place, and errors repeat what is wrong.
    message, remedy = without_secrets(error.message), without_secrets(error.remedy)
    found = error.problems if isinstance(error, RefusesToStart) else ()
    problems = [without_secrets(problem) for problem in found]
    if json_wanted:
        as_json(
            {
                "error": error.code,
                "message": message,
                "problems": problems,
                "remedy": remedy,
            }
        )
    else:
        err.print(f"[bold red]error:[/] {plain(message)}")
        for problem in problems:
            err.print(f"  [red]-[/] {plain(problem)}")
        err.print(plain(remedy))
    sys.stdout.flush()
    raise typer.Exit(exit_code(error))


def exit_code(error: KeyturnError) -> int:
    """Return the documented exit code of *error*."""
    match error:
        case RefusesToStart():
            return REFUSED_TO_START
        case NotReachable():
            return NOT_REACHABLE
        case _ if 400 <= error.status < 500 or error.status == 503:
            return REFUSED
        case _:
            return FAILED
