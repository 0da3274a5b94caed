from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.backups import FolderBackups
from bot.chosen import DATABASE
from bot.cli.admin import is_answered, speaking
from bot.cli.audit_progress import progress_bar
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, facts, local, out, plain
from bot.cli.run import run
from bot.ports.backup import Stage
from bot.settings import load
from bot.system_clock import SystemClock
from store.sqlite.place import FileLock

app = typer.Typer(add_completion=False)

_ABOUT = {Stage.COPYING: "Copying, in pages", Stage.VERIFYING: "Verifying, in entries"}


@app.command()
def backup(
    into: Annotated[
        Path, typer.Argument(help="A folder in which a new one is made.", metavar="FOLDER")
    ],
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys into it: guard it like them.")
    ] = False,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy database, log state, settings and policy while the bot runs, and verify the copy."""
    made = run(
        lambda: _watched(config, into.expanduser().absolute(), with_keys=with_keys),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(made)
        return
    facts(
        {
            "backup": made["folder"],
            "made": local(made["made_at"]),
            "log": f"{made['size']} entries of {made['origin']}",
            "size": f"{made['bytes'] / (1 << 20):.1f} MiB",
        }
    )
    out.print("\nEvery page, every entry and every file was read again and is whole.")
    if with_keys:
        out.print("[bold]It holds the keys.[/] Whoever has it can sign in this deployment's name.")
    else:
        out.print("It holds no keys: keep those of the folder keys apart from it.")
    out.print(f"To go back to it: keyturn restore {plain(made['folder'])}")


async def _watched(config: Path, into: Path, *, with_keys: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    with (
        progress_bar(_ABOUT[Stage.COPYING]) as copied,
        progress_bar(_ABOUT[Stage.VERIFYING]) as verified,
    ):
        bars: dict[str, Callable[[int, int], None]] = {
            Stage.COPYING.value: copied,
            Stage.VERIFYING.value: verified,
        }
        async for step in _steps(config, into, with_keys=with_keys):
            if "made" in step:
                made = step["made"]
            else:
                bars[step["stage"]](step["done"], step["total"])
    return made


async def _steps(config: Path, into: Path, *, with_keys: bool) -> AsyncIterator[dict[str, Any]]:
    """Ask the running bot, or make the backup here while none runs."""
    settings = load(config)
    if await is_answered(settings.admin_socket):
        body = {"into": str(into), "with_keys": with_keys}
        async with speaking(settings, settings.admin_socket) as api:
            async for step in api.follow("backup", body=body):
                yield step
        return
    lock = FileLock(settings.data_dir / DATABASE)
    try:
        async for made in FolderBackups(settings, clock=SystemClock()).make(
            str(into), with_keys=with_keys
        ):
            yield made.plain()
    finally:
        lock.release()
