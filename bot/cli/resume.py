from typing import Annotated

import typer

from bot.cli.options import Config, Debug, Json, Reason
from bot.cli.output import as_json, out, plain
from bot.cli.run import ask

app = typer.Typer(add_completion=False)


@app.command()
def resume(
    halt: Annotated[str, typer.Argument(help="The halt's id; `keyturn halts` lists them.")],
    *,
    reason: Reason,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Let new work begin again. What was stopped stays stopped."""
    found = ask(
        config,
        lambda api: api.post("halts", halt, "resume", body={"reason": reason}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
    else:
        out.print(f"{plain(found['id'])} is ended. What it stopped stays stopped.")
