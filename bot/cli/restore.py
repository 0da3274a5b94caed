import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.status import Status

from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, err, facts, local, out, plain
from bot.cli.run import run
from bot.core.leaf import timestamp
from bot.durable import copy_whole
from bot.restoring import Done, missing_settings
from bot.restoring import restore as put_back
from bot.settings import load
from bot.system_clock import SystemClock

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    backup: Annotated[
        Path, typer.Argument(help="The folder that `keyturn backup` made.", metavar="BACKUP")
    ],
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Go back to a backup: everything is stopped, and nothing that was open is ever carried out."""
    # Whatever is made from here on is its user's alone.
    os.umask(0o077)
    backup = backup.expanduser().absolute()
    done = run(lambda: _watched(config, backup), json_wanted=json, debug=debug)
    if json:
        as_json(_plain(done))
    else:
        _show(done)


async def _watched(config: Path, backup: Path) -> Done:
    for source, target in missing_settings(config, backup):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy_whole(source, target)
    settings = load(config)
    with Status("restoring", console=err) as status:
        return await put_back(settings, backup, clock=SystemClock(), tell=status.update)


def _show(done: Done) -> None:
    manifest = done.manifest
    facts(
        {
            "backup of": local(timestamp(manifest.made_at)),
            "log": f"goes on after {manifest.size} entries as {done.origin}",
            **_counts(done),
            "replaced files": done.kept or "there were none",
        }
    )
    out.print(
        "\n[bold]Everything is stopped.[/] What was open is ended or in doubt: it may have been "
        "carried out after the backup."
    )
    for sentence in _warnings(done):
        out.print(f"[yellow]-[/] {plain(sentence)}")
    out.print("\nNext:")
    out.print("  keyturn doctor        says what is missing")
    out.print("  keyturn serve         starts the bot; people settle in the inbox what is in doubt")
    out.print("  keyturn halts         names the stop; keyturn resume HALT lets new work begin")


def _warnings(done: Done) -> list[str]:
    told = []
    if done.safe is not None and not done.learned_from:
        told.append(
            "What was proposed after the backup is not known here. An agent that repeats such a "
            "request gets a new proposal: look at the targets before you resume."
        )
    if done.safe is not None and done.safe.erase_again:
        people = ", ".join(done.safe.erase_again)
        told.append(
            f"Erased after the backup, and back again: {people}. Settle what is in doubt for "
            "them, then erase them again."
        )
    return told


def _counts(done: Done) -> dict[str, object]:
    safe = done.safe
    if safe is None:
        return {}
    return {
        "ended": safe.revoked,
        "in doubt": safe.in_doubt,
        "known from since": safe.carried_over,
        "rights taken back": safe.narrowed,
        "erased again": safe.erased,
    }


def _plain(done: Done) -> dict[str, Any]:
    return {
        "backup_made_at": timestamp(done.manifest.made_at),
        "origin": done.origin,
        "epoch": done.epoch,
        "size_before": done.manifest.size,
        "kept": None if done.kept is None else str(done.kept),
        "counts": _counts(done),
        "warnings": _warnings(done),
    }
