from typing import Annotated

import typer

from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, local, out, plain, to_copy
from bot.cli.run import ask

app = typer.Typer(add_completion=False)


@app.command()
def signin(
    person: Annotated[str, typer.Argument(help="The person's handle or id.", metavar="PERSON")],
    *,
    ttl_s: Annotated[
        int, typer.Option(help="For how many seconds the link works.", min=10, max=3600)
    ] = 600,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Print a link that signs a person in to the inbox, once and not for long."""
    found = ask(
        config,
        lambda api: api.post("people", person, "sign-in-link", body={"ttl_s": ttl_s}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
        return
    out.print(f"For {plain(person)} alone. It works once, until {local(found['expires_at'])}:\n")
    to_copy(found["url"])
