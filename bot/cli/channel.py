from enum import StrEnum
from typing import Annotated, Any

import typer

from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, out, plain, table
from bot.cli.run import ask

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Say which channels of a chat are told what happens. No content is ever told there.",
)


class TopicName(StrEnum):
    """What a channel may be told of."""

    undeliverable = "undeliverable"
    halt = "halt"
    in_doubt = "in_doubt"
    not_mine = "not_mine"
    digest = "digest"


_ALL = [topic.value for topic in TopicName]


@app.command("set")
def set_(
    place: Annotated[str, typer.Argument(help="The channel's id in the chat, such as C024BE91L.")],
    *,
    chat: Annotated[str, typer.Option(help="The chat, by its name in the settings.")],
    name: Annotated[str, typer.Option(help="What people call the channel.")] = "",
    topics: Annotated[
        list[TopicName] | None,
        typer.Option("--topic", help="May be repeated; everything without it."),
    ] = None,
    agents: Annotated[
        list[str] | None,
        typer.Option("--agent", help="Only of these agents; * stands for any. May be repeated."),
    ] = None,
    verbs: Annotated[
        list[str] | None,
        typer.Option("--verb", help="Only of these verbs; * stands for any. May be repeated."),
    ] = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell a channel what happens, in place of what it was told until now."""
    body = {
        "chat": chat,
        "place": place,
        "place_name": name,
        "topics": [topic.value for topic in topics] if topics else _ALL,
        "agents": agents or [],
        "verbs": verbs or [],
    }
    found = ask(
        config, lambda api: api.put("notice-routes", body=body), json_wanted=json, debug=debug
    )
    if json:
        as_json(found)
        return
    out.print(f"{plain(_named(found))} is told of: {plain(', '.join(found['topics']))}.")


@app.command("list")
def list_(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """List every channel that is told something."""
    found = ask(config, lambda api: api.get("notice-routes"), json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("channel", "chat", "told of", "agents", "verbs", "id"),
        [
            (
                _named(route),
                route["chat"],
                " ".join(route["topics"]),
                " ".join(route["agents"]) or "all",
                " ".join(route["verbs"]) or "all",
                route["id"],
            )
            for route in found["notice_routes"]
        ],
        empty="No channel is told anything. `keyturn channel set --help` says how to name one.",
    )


@app.command()
def end(
    route: Annotated[str, typer.Argument(help="The id that `keyturn channel list` shows.")],
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell a channel nothing any more."""
    found = ask(
        config, lambda api: api.delete("notice-routes", route), json_wanted=json, debug=debug
    )
    if json:
        as_json(found)
    else:
        out.print(f"{plain(_named(found))} is told nothing any more.")


def _named(route: dict[str, Any]) -> str:
    name: str = route["place_name"]
    return name if name == route["place"] else f"{name} ({route['place']})"
