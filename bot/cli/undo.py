from typing import Annotated, Any

import typer

from bot.cli.admin import Admin
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, out, plain
from bot.cli.people_by_id import People
from bot.cli.run import ask as answered

app = typer.Typer(add_completion=False)


@app.command()
def undo(
    proposal: Annotated[str, typer.Argument(help="The id of what was done.")],
    *,
    ask: Annotated[
        str | None,
        typer.Option(help="Who is asked, by handle: its principal, or who approved it."),
    ] = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask a person to undo what was done. They decide, in their inbox; nothing is done before."""

    async def question(api: Admin) -> tuple[Any, People]:
        body = {} if ask is None else {"person": ask}
        return await api.post("proposals", proposal, "undo", body=body), await People.of(api)

    found, people = answered(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    who = plain(people.name(found["principal"]))
    if found["state"] == "pending":
        out.print(f"[bold]{who} is asked.[/] Nothing is done before they approve it.")
    else:
        out.print(f"It is undone already, or being undone: the undo is {found['state']}.")
    out.print(f"To see it: keyturn proposals show {plain(found['id'])}")
