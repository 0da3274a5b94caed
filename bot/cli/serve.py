import asyncio
import gc
import os
import resource
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bot import logs
from bot.cli import sample_forum
from bot.cli.admin import speaking
from bot.cli.first_files import FORUM_FOLDER, write_missing
from bot.cli.newcomer import Newcomer, welcome
from bot.cli.options import Config, Debug
from bot.cli.output import out, plain
from bot.cli.run import run
from bot.cli.start_screen import start_screen
from bot.deployment import Bot
from bot.main import serve as serve_bot
from bot.settings import load

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    *,
    init: Annotated[
        bool,
        typer.Option(
            "--init",
            help="First write what is missing, register you and a sample agent, "
            "and run the sample forum where it is installed.",
        ),
    ] = False,
    config: Config,
    debug: Debug = False,
) -> None:
    """Run the bot until it is told to stop (Ctrl-C or SIGTERM)."""
    # Whatever the bot makes from here on is its user's alone.
    os.umask(0o077)
    _open_many_files()
    run(lambda: _serve(config, init=init), debug=debug, new_loop=_fast_loop())


def _open_many_files() -> None:
    """Take as many open files as the system allows: every caller that waits is one.

    The usual 1,024 to begin with are few enough for one hostile caller to leave none for the
    database.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems name no limit and still have one: then it stays as it is.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the loop of the extra `uvloop` where it is installed."""
    if find_spec("uvloop") is None:
        return None
    new_loop: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return new_loop


async def _serve(config: Path, *, init: bool) -> None:
    for path in write_missing(config) if init else ():
        out.print(f"[green]written[/]  {plain(path)}")
    settings = load(config)
    logs.begin(settings.log.level, settings.log.format)
    folder = config.parent / FORUM_FOLDER
    forum = sample_forum.url_of(folder) if init and sample_forum.is_installed() else None

    async def ready(bot: Bot) -> None:
        newcomer: Newcomer | None = None
        if init:
            async with speaking(settings, settings.admin_socket) as api:
                newcomer = await welcome(api, forum=forum)
        start_screen(bot.settings, newcomer)
        # What is there now stays until the end: to look through it for garbage, again and again,
        # would hold everybody up for as long as a commit takes.
        gc.freeze()

    async with AsyncExitStack() as closing:
        if forum is not None:
            await closing.enter_async_context(sample_forum.running(folder, url=forum))
        await serve_bot(settings, ready=ready)
