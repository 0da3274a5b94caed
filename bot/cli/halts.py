from typing import Annotated, Any

import typer

from bot.cli.admin import Admin
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, local, table
from bot.cli.people_by_id import People
from bot.cli.run import ask

app = typer.Typer(add_completion=False)


@app.command()
def halts(
    *,
    past: Annotated[bool, typer.Option("--past", help="Also those that were ended.")] = False,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List what is stopped."""
    query = {} if past else {"active": "true"}

    async def question(api: Admin) -> tuple[Any, People, dict[str, str]]:
        agents = await api.get("agents")
        names = {agent["id"]: agent["name"] for agent in agents["agents"]}
        return await api.get("halts", **query), await People.of(api), names

    found, people, agents = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("what", "since", "by", "reason", "ended", "id"),
        [
            (
                _what(one, people, agents),
                local(one["set_at"]),
                people.actor(one["set_by"]),
                one["reason"],
                "no" if one["active"] else local(one["resumed_at"]),
                one["id"],
            )
            for one in found["halts"]
        ],
        empty="Nothing is stopped.",
    )


def _what(halt: dict[str, Any], people: People, agents: dict[str, str]) -> str:
    match halt["scope"]:
        case "all":
            return "everything"
        case "connector":
            return f"connector {halt['connector']}"
        case "agent":
            return f"agent {agents.get(halt['agent'], halt['agent'])}"
        case _:
            agent = agents.get(halt["agent"], halt["agent"])
            return f"agent {agent} for {people.name(halt['principal'])}"
