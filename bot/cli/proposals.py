from enum import StrEnum
from typing import Annotated, Any

import typer

from bot.cli.admin import Admin
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, facts, local, out, table
from bot.cli.people_by_id import People
from bot.cli.run import ask
from bot.core.states import State

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Look at what agents proposed. Deciding is for people, in their inbox.",
)

StateName = StrEnum("StateName", [(state.name, state.value) for state in State])  # type: ignore[misc]


@app.command("list")
def list_(
    *,
    state: Annotated[
        list[StateName] | None,
        typer.Option(
            help=f"Only in this state, one of {', '.join(State)}. May be repeated.",
            metavar="STATE",
        ),
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    principal: Annotated[str | None, typer.Option(help="Only for this person.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=200)] = 50,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List proposals, newest first."""
    query: dict[str, Any] = {"limit": str(limit)}
    if state:
        query["state"] = [one.value for one in state]
    if agent is not None:
        query["agent"] = agent
    if principal is not None:
        query["principal"] = principal

    async def question(api: Admin) -> tuple[Any, People, dict[str, str]]:
        agents = await api.get("agents")
        names = {one["id"]: one["name"] for one in agents["agents"]}
        return await api.get("proposals", **query), await People.of(api), names

    found, people, names = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("changed", "state", "agent", "for", "verb", "effect", "id"),
        [
            (
                local(one["changed_at"]),
                one["state"],
                names.get(one["agent"], one["agent"]),
                people.name(one["principal"]),
                one["verb"],
                one["effect"],
                one["id"],
            )
            for one in found["proposals"]
        ],
        empty="There are no such proposals.",
    )


@app.command()
def show(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show everything that is kept about one proposal."""

    async def question(api: Admin) -> tuple[Any, People]:
        return await api.get("proposals", proposal), await People.of(api)

    found, people = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    facts(
        {
            "state": found["state"],
            "effect": found["effect"],
            "target": found["target"],
            "who sees it": found["audience"]["who"],
            "verb": found["action"]["verb"],
            "resource": found["action"]["resource"],
            "for": people.name(found["principal"]),
            "digest": found["digest"],
            "rules": " ".join(found["rules"]) or "–",
            "delivery": found["delivery"],
            "proposed": local(found["created_at"]),
            "changed": local(found["changed_at"]),
            **_outcome(found),
        }
    )
    out.print("\n[bold]params[/]")
    as_json(found["action"]["params"])
    if found["decisions"]:
        out.print("\n[bold]decisions[/]")
        table(
            ("at", "who", "what", "where", "reason"),
            [
                (
                    local(one["at"]),
                    people.name(one["person"]),
                    one["choice"],
                    one["chat"],
                    one["reason"],
                )
                for one in found["decisions"]
            ],
            empty="",
        )
    out.print("\n[bold]log[/]")
    table(
        ("leaf", "at", "what"),
        [(leaf["index"], local(leaf["at"]), leaf["type"]) for leaf in found["leaves"]],
        empty="nothing",
    )


def _outcome(found: dict[str, Any]) -> dict[str, str]:
    told: dict[str, str] = {}
    if found["reason"]:
        told["reason"] = found["reason"]
    if found["outcome"]:
        told["outcome"] = f"{found['outcome']['result']}: {found['outcome']['detail']}"
        if found["outcome"]["reference"]:
            told["reference"] = found["outcome"]["reference"]
    return told
