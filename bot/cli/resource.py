from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.admin import Admin
from bot.cli.options import Config, Debug, Json, Overlap, Reason
from bot.cli.output import as_json, out, plain, table
from bot.cli.run import ask
from bot.cli.secret_file import TokenFile, require_writable, show_token

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Register resource servers, which redeem grants; renew or end their tokens.",
)

_Server = Annotated[
    str, typer.Argument(help="The resource server's name or id.", metavar="RESOURCE")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    *,
    audience: Annotated[
        str, typer.Option(help="The audience that rules and connectors name, such as its URL.")
    ],
    token_file: TokenFile = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Register a resource server and show its token, this once."""
    body = {"name": name, "audience": audience}

    async def question(api: Admin) -> Any:
        require_writable(token_file)
        return await api.post("resource-servers", body=body)

    found = ask(config, question, json_wanted=json, debug=debug)
    _show_token(found, token_file, json_wanted=json)


@app.command("list")
def list_(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """List every resource server."""
    found = ask(config, lambda api: api.get("resource-servers"), json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("name", "audience", "active", "id"),
        [
            (
                server["name"],
                server["audience"],
                "yes" if server["active"] else "no",
                server["id"],
            )
            for server in found["resource_servers"]
        ],
        empty="There are no resource servers. `keyturn resource create --help` says how to "
        "register one.",
    )


@app.command()
def rotate(
    server: _Server,
    *,
    overlap_s: Overlap = 0,
    token_file: TokenFile = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Give a resource server a new token; the old ones end, after the overlap if there is one."""

    async def question(api: Admin) -> Any:
        require_writable(token_file)
        return await api.post("resource-servers", server, "rotate", body={"overlap_s": overlap_s})

    found = ask(config, question, json_wanted=json, debug=debug)
    _show_token(found, token_file, json_wanted=json)


@app.command()
def revoke(
    server: _Server, *, reason: Reason, config: Config, json: Json = False, debug: Debug = False
) -> None:
    """End a resource server for good: it redeems nothing any more."""
    found = ask(
        config,
        lambda api: api.post("resource-servers", server, "revoke", body={"reason": reason}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
    else:
        out.print(f"{plain(found['name'])} is revoked. It redeems nothing any more.")


def _show_token(server: dict[str, Any], token_file: Path | None, *, json_wanted: bool) -> None:
    show_token(
        server,
        token_file,
        about=f"{server['name']} ({server['id']}), for {server['audience']}",
        for_whom="the resource server",
        json_wanted=json_wanted,
    )
