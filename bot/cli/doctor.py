from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.admin import admin, is_answered
from bot.cli.findings import Finding, Status, fail, files_named, from_error, ok, warn
from bot.cli.look_at_files import about_files
from bot.cli.look_at_network import about_network
from bot.cli.look_at_records import about_records
from bot.cli.look_at_slack import about_slack
from bot.cli.look_at_teams import about_teams
from bot.cli.options import Config, Debug, Json
from bot.cli.output import FAILED, as_json, fits, hanging, out, plain
from bot.cli.run import run
from bot.core.errors import KeyturnError, RefusesToStart, SettingsInvalid
from bot.settings import load

app = typer.Typer(add_completion=False)

_MARKS = {
    Status.OK: "[green]ok  [/]",
    Status.WARN: "[yellow]warn[/]",
    Status.FAIL: "[bold red]fail[/]",
}


class About(StrEnum):
    """The chats whose service can be asked."""

    SLACK = "slack"
    TEAMS = "teams"


@app.command()
def doctor(
    about: Annotated[
        About | None, typer.Argument(help="Ask this service about one chat; else look at all here.")
    ] = None,
    *,
    canary: Annotated[
        str | None,
        typer.Option(help="With a chat: a person who gets a card, which is taken away again."),
    ] = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Look for what is wrong, or will be, and say which setting it is and what to do."""
    if canary is not None and about is None:
        raise typer.BadParameter("Say which chat: keyturn doctor teams", param_hint="--canary")

    async def look() -> list[Finding]:
        if about is None:
            return await examine(config)
        return await examine_chat(config, about, canary=canary)

    found = run(look, json_wanted=json, debug=debug)
    failed = [one for one in found if one.status is Status.FAIL]
    if json:
        as_json({"findings": [one.plain() for one in found], "healthy": not failed})
    else:
        _show(found)
    if failed:
        raise typer.Exit(FAILED)


async def examine_chat(config: Path, about: About, *, canary: str | None) -> list[Finding]:
    """Return what the service of the chat *about* says about the deployment of *config*."""
    look = about_slack if about is About.SLACK else about_teams
    try:
        settings = load(config)
        return [one async for one in look(settings, config=config, canary=canary)]
    except RefusesToStart as error:
        return from_error(error)


async def examine(config: Path) -> list[Finding]:
    """Return everything that can be told about the deployment of *config*."""
    try:
        settings = load(config)
    except SettingsInvalid as error:
        return from_error(error)
    found = [ok("settings", f"{config} is understood")]
    running = await is_answered(settings.admin_socket)
    found += [one async for one in about_files(settings)]
    found += [one async for one in about_network(settings, running=running)]
    if not settings.data_dir.is_dir():
        return found
    try:
        async with admin(config) as api:
            found.append(_store(running=running, kind=settings.store.type))
            found += [one async for one in about_records(api)]
    except RefusesToStart as error:
        failed = [one for one in found if one.status is Status.FAIL]
        known = {one.what for one in failed}
        files = frozenset[str]().union(*map(files_named, failed))
        found += [
            one
            for one in from_error(error)
            if one.what not in known and not files_named(one) & files
        ]
    except KeyturnError as error:
        found.append(fail("listeners.admin.socket", error.message, error.remedy))
    return found


def _store(*, running: bool, kind: str) -> Finding:
    what = "the running bot has it open" if running else "it opens"
    if kind == "memory":
        return warn("store.type", "memory forgets everything at exit", "Write sqlite to keep it.")
    return ok("store.type", f"{kind}: {what}")


def _show(found: list[Finding]) -> None:
    """Print what is well on one line each, and what is not below it, nearest to the reader."""
    for status in (Status.OK, Status.WARN, Status.FAIL):
        for one in (one for one in found if one.status is status):
            out.print(f"{_MARKS[status]}  [bold]{plain(one.setting)}[/]", end="")
            if status is Status.OK and fits(f"ok    {one.setting}  {one.what}"):
                out.print(f"  {plain(one.what)}")
                continue
            out.print()
            hanging(one.what, indent=6)
            if one.remedy:
                hanging(one.remedy, indent=6, style="dim")
    counts = [f"{sum(one.status is status for one in found)} {status.value}" for status in Status]
    out.print(f"\n{', '.join(counts)}")
