from typing import Annotated

import typer

from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, facts, local, out, table
from bot.cli.run import ask
from bot.service.key_rotation import KeyKind

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="List the deployment's own keys, and put new ones in their place.",
)

_USES = {
    KeyKind.GRANT: ("signs grants", "published, for grants it signed"),
    KeyKind.LOG: ("signs checkpoints", "signs too, for those who know only this one"),
    KeyKind.SHELF: ("encrypts sessions and card references", "reads what it encrypted"),
}
_DONE = {
    KeyKind.GRANT: "Grants are signed with it from now on; those before stay good until they end.",
    KeyKind.LOG: "Checkpoints are signed with it too. Give its name to those who verify the log.",
    KeyKind.SHELF: "What is kept from now on is encrypted with it. Everybody stays signed in.",
}


@app.command("list")
def list_(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """List every key: its kind, when it was made, what it is used for, its public name."""
    found = ask(config, lambda api: api.get("keys"), json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("kind", "made", "use", "name"),
        [
            (
                key["kind"],
                local(key["made_at"]),
                _USES[KeyKind(key["kind"])][0 if key["in_use"] else 1],
                key["name"],
            )
            for key in found["keys"]
        ],
        empty="There are no keys. `keyturn serve --init` makes them.",
    )


@app.command()
def rotate(
    kind: Annotated[KeyKind, typer.Argument(help="Which key.", metavar="KIND")],
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a new key and use it at once, without a restart; the old ones are kept to read with."""
    found = ask(
        config, lambda api: api.post("keys", kind.value, "rotate"), json_wanted=json, debug=debug
    )
    if json:
        as_json(found)
        return
    facts({"kind": found["kind"], "name": found["name"]})
    out.print(_DONE[kind])
