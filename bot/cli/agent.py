from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.admin import Admin
from bot.cli.options import Config, Debug, Json, Overlap, Reason
from bot.cli.output import as_json, facts, local, out, plain, table
from bot.cli.people_by_id import People
from bot.cli.run import ask
from bot.cli.secret_file import TokenFile, require_writable, show_token
from bot.cli.webhook import webhook, webhook_line

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Register agents, limit them, renew or end their tokens.",
)

_Agent = Annotated[str, typer.Argument(help="The agent's name or id.", metavar="AGENT")]
_Principals = Annotated[
    list[str] | None,
    typer.Option("--for", help="A person it may act for, by handle or id. May be repeated."),
]
_Verbs = Annotated[
    list[str] | None,
    typer.Option("--verb", help="A verb it may propose; * stands for any text. May be repeated."),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What rules and cards call it.")],
    *,
    owner: Annotated[str, typer.Option(help="The person who answers for it.")],
    purpose: Annotated[str, typer.Option(help="What it is for; people see it on each card.")],
    principals: _Principals = None,
    verbs: _Verbs = None,
    token_file: TokenFile = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Register an agent and show its token, this once."""
    body = {
        "name": name,
        "owner": owner,
        "purpose": purpose,
        "principals": principals or [],
        "verbs": verbs or [],
    }

    async def question(api: Admin) -> Any:
        require_writable(token_file)
        return await api.post("agents", body=body)

    found = ask(config, question, json_wanted=json, debug=debug)
    _show_token(found, token_file, json_wanted=json)


@app.command("list")
def list_(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """List every agent."""

    async def question(api: Admin) -> tuple[Any, People]:
        return await api.get("agents"), await People.of(api)

    found, people = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    table(
        ("name", "owner", "acts for", "verbs", "active", "id"),
        [
            (
                agent["name"],
                people.name(agent["owner"]),
                people.names(agent["principals"]) or "nobody",
                " ".join(agent["verbs"]) or "none",
                "yes" if agent["active"] else "no",
                agent["id"],
            )
            for agent in found["agents"]
        ],
        empty="There are no agents. `keyturn agent create --help` says how to register one.",
    )


@app.command()
def show(agent: _Agent, *, config: Config, json: Json = False, debug: Debug = False) -> None:
    """Show one agent."""

    async def question(api: Admin) -> tuple[Any, People]:
        return await api.get("agents", agent), await People.of(api)

    found, people = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
    else:
        _show(found, people)


@app.command()
def rotate(
    agent: _Agent,
    *,
    overlap_s: Overlap = 0,
    token_file: TokenFile = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Give an agent a new token; the old ones end, after the overlap if there is one."""

    async def question(api: Admin) -> Any:
        require_writable(token_file)
        return await api.post("agents", agent, "rotate", body={"overlap_s": overlap_s})

    found = ask(config, question, json_wanted=json, debug=debug)
    _show_token(found, token_file, json_wanted=json)


@app.command()
def revoke(
    agent: _Agent, *, reason: Reason, config: Config, json: Json = False, debug: Debug = False
) -> None:
    """End an agent for good: its tokens, its waiting proposals, its right to propose."""
    found = ask(
        config,
        lambda api: api.post("agents", agent, "revoke", body={"reason": reason}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
    else:
        out.print(f"{plain(found['name'])} is revoked. What it had waiting is stopped.")


@app.command()
def limits(
    agent: _Agent,
    *,
    principals: _Principals = None,
    verbs: _Verbs = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Replace for whom an agent may act and what it may propose; what is left out stays."""

    async def question(api: Admin) -> tuple[Any, People]:
        before = await api.get("agents", agent)
        body = {
            "principals": before["principals"] if principals is None else principals,
            "verbs": before["verbs"] if verbs is None else verbs,
        }
        return await api.put("agents", agent, "limits", body=body), await People.of(api)

    found, people = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
    else:
        _show(found, people)


app.command()(webhook)


def _show(agent: dict[str, Any], people: People) -> None:
    facts(
        {
            "name": agent["name"],
            "id": agent["id"],
            "purpose": agent["purpose"],
            "owner": people.name(agent["owner"]),
            "acts for": people.names(agent["principals"]) or "nobody",
            "may propose": " ".join(agent["verbs"]) or "nothing",
            "active": "yes" if agent["active"] else "no",
            "webhook": webhook_line(agent["webhook"]),
            "registered": local(agent["created_at"]),
        }
    )


def _show_token(agent: dict[str, Any], token_file: Path | None, *, json_wanted: bool) -> None:
    show_token(
        agent,
        token_file,
        about=f"{agent['name']} ({agent['id']})",
        for_whom="the agent",
        json_wanted=json_wanted,
    )
