"""Runs one command: its coroutine to the end, its errors as sentences."""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from bot.cli.admin import Admin, admin
from bot.cli.output import FAILED, err, fail, plain
from bot.core.errors import KeyturnError
from bot.core.secret_scan import without_secrets

T = TypeVar("T")


class FileTrouble(KeyturnError):
    """A file that was named cannot be read or written."""

    code = "file"
    title = "A file cannot be used"
    default_remedy = "Name another file or folder, or let this user use that one."


def run(
    work: Callable[[], Awaitable[T]],
    *,
    json_wanted: bool = False,
    debug: bool = False,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Return what *work* returns, or end the process with a sentence and an exit code."""

    async def whole() -> T:
        return await work()

    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(whole())
    except KeyturnError as error:
        if debug:
            _end_with_traceback()
        fail(error, json_wanted=json_wanted)
    except (typer.Exit, typer.Abort):
        raise
    except OSError as error:
        if debug:
            _end_with_traceback()
        if error.filename is None:
            _end_unexpectedly(error)
        reason = (error.strerror or type(error).__name__).lower()
        fail(FileTrouble(f"{error.filename}: {reason}."), json_wanted=json_wanted)
    except Exception as error:  # noqa: BLE001  the process ends here
        if debug:
            _end_with_traceback()
        _end_unexpectedly(error)


def _end_unexpectedly(error: Exception) -> NoReturn:
    what = without_secrets(f"{type(error).__name__}: {error}")
    err.print(f"[bold red]error:[/] {plain(what)}")
    err.print("This should not happen. Run the command again with --debug and report it.")
    sys.exit(FAILED)


def _end_with_traceback() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.write(without_secrets(traceback.format_exc()))
    sys.exit(FAILED)


def ask(
    config: Path,
    question: Callable[[Admin], Awaitable[Any]],
    *,
    json_wanted: bool = False,
    debug: bool = False,
) -> Any:
    """Return what *question* gets from the bot of *config*, whether it runs already or not."""

    async def whole() -> Any:
        async with admin(config) as api:
            return await question(api)

    return run(whole, json_wanted=json_wanted, debug=debug)
