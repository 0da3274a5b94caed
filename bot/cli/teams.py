from pathlib import Path
from typing import Annotated

import typer

from adapters.teams.manifest import OTHERS, SCOPES, Role
from adapters.teams.package import build, read_package
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, err, out, plain
from bot.cli.run import run
from bot.core.errors import SettingsInvalid
from bot.settings import Settings, load

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Build the app packages that an admin uploads to Teams.",
)

_NAME = "teams"


@app.callback()
def _teams() -> None:
    """Build the app packages that an admin uploads to Teams."""


@app.command("package")
def package_(
    *,
    file: Annotated[
        Path | None, typer.Option("--out", "-o", help="The zip; else keyturn-teams.zip here.")
    ] = None,
    connector: Annotated[
        str | None,
        typer.Option(help="Build the app of this connector of type teams, instead of the chat's."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Leave out what each permission is for.")
    ] = False,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Build the zip to upload in the Teams admin center, from the settings.

    What each permission is for is printed beside it, on the error stream.
    """
    target = file or Path("keyturn-teams.zip" if connector is None else f"{connector}-teams.zip")

    async def written() -> tuple[Role, dict[str, str]]:
        role, place, section = _section(load(config), connector)
        app_id, package = read_package(section, place=place)
        target.write_bytes(build(role, package, app_id=app_id))
        return role, {"app": package.app or app_id, "version": package.version}

    role, told = run(written, json_wanted=json, debug=debug)
    if json:
        as_json({"file": str(target), **told})
    else:
        out.print(f"The app package is in {plain(target)}. Upload it in the Teams admin center.")
    if not quiet:
        for name, reason in {**SCOPES[role], **OTHERS}.items():
            err.print(f"  {plain(name)}: {plain(reason)}")


def _section(settings: Settings, connector: str | None) -> tuple[Role, str, dict[str, object]]:
    if connector is None:
        place, found, role = f"chats.{_NAME}", settings.chats.get(_NAME), Role.ASKS
    else:
        place, role = f"connectors.{connector}", Role.WRITES
        found = settings.connectors.get(connector)
        if found is not None and found.get("type") != _NAME:
            found = None
    if found is None:
        raise SettingsInvalid(
            "The package cannot be built.",
            problems=[f"{place}: there is no such section for Teams. See docs/howto/teams.md."],
        )
    return role, place, found
