from pathlib import Path
from typing import Annotated

import typer

from adapters.slack.config import Mode
from adapters.slack.manifest import OPTIONAL_SCOPES, SCOPES, manifest
from bot.cli.options import Config, Debug
from bot.cli.output import as_json, err, plain
from bot.cli.run import run
from bot.core.errors import SettingsInvalid
from bot.settings import load

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Set up the Slack app of this deployment.",
)

_NAME = "slack"
_PUBLIC_PATH = "/slack"


@app.callback()
def _slack() -> None:
    """Set up the Slack app of this deployment."""


@app.command("manifest")
def manifest_(
    *,
    mode: Annotated[
        Mode | None, typer.Option(help="How Slack and the bot speak; else as chats.slack says.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Where Slack reaches the bot in mode http; else public_url."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Leave out what each scope is for.")
    ] = False,
    config: Config,
    debug: Debug = False,
) -> None:
    """Print the manifest to paste at api.slack.com/apps, as JSON.

    What each scope is for is printed beside it, on the error stream.
    """

    async def said() -> tuple[Mode, str | None, bool]:
        return _of_settings(config)

    wanted, base_url, installs = run(said, debug=debug)
    wanted = mode or wanted
    if url is not None:
        base_url = f"{url.rstrip('/')}{_PUBLIC_PATH}"
    if base_url is None and (wanted is Mode.HTTP or installs):
        raise typer.BadParameter(
            "Slack has to reach the bot in mode http. Give --url, or set public_url in "
            f"{config.name}.",
            param_hint="--url",
        )
    as_json(manifest(wanted, base_url=base_url, installs=installs))
    if not quiet:
        for scope, reason in SCOPES.items():
            err.print(f"  {plain(scope)}: {plain(reason)}")
        for scope, reason in OPTIONAL_SCOPES.items():
            err.print(f"  {plain(scope)}, may be left out: {plain(reason)}")


def _of_settings(config: Path) -> tuple[Mode, str | None, bool]:
    """Return what the settings say; there may be none yet, because the app is made first."""
    if not config.exists():
        return Mode.SOCKET, None, False
    settings = load(config)
    section = settings.chats.get(_NAME, {})
    try:
        mode = Mode(str(section.get("mode", Mode.SOCKET)))
    except ValueError:
        raise SettingsInvalid(
            "The settings cannot be used.",
            problems=[f"chats.{_NAME}.mode: write socket or http."],
        ) from None
    path = str(section.get("public_path", _PUBLIC_PATH))
    base_url = None if settings.public_url is None else f"{settings.url_for_people}{path}"
    return mode, base_url, section.get("client_id") is not None
