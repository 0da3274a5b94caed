from importlib.metadata import version as version_of

import typer

from bot.cli.options import Json
from bot.cli.output import as_json

app = typer.Typer(add_completion=False)


@app.command()
def version(*, json: Json = False) -> None:
    """Print the version."""
    found = version_of("keyturn")
    if json:
        as_json({"version": found})
    else:
        print(f"keyturn {found}")
