from typing import Annotated, Any

import typer

from bot.cli.options import Config, Debug, Json, Reason
from bot.cli.output import as_json, out, plain
from bot.cli.run import ask

app = typer.Typer(add_completion=False)


@app.command()
def halt(
    *,
    agent: Annotated[str | None, typer.Option(help="Stop this agent, by name or id.")] = None,
    principal: Annotated[
        str | None, typer.Option(help="Stop it only for this person; needs --agent.")
    ] = None,
    connector: Annotated[str | None, typer.Option(help="Stop all through this connector.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Stop everything.")] = False,
    reason: Reason,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Stop: in force when this returns. What waits is ended, and nothing new begins."""
    body = _target(agent, principal, connector, everything)
    found = ask(
        config,
        lambda api: api.post("halts", body={**body, "reason": reason}),
        json_wanted=json,
        debug=debug,
    )
    if json:
        as_json(found)
        return
    out.print("[bold]Stopped.[/] What was being carried out at this moment may still finish.")
    out.print(f"To let new work begin again: keyturn resume {plain(found['id'])} --reason ...")


def _target(
    agent: str | None, principal: str | None, connector: str | None, everything: bool
) -> dict[str, Any]:
    named = [agent is not None, connector is not None, everything]
    if named.count(True) != 1:
        raise typer.BadParameter("Say what to stop: one of --agent, --connector and --all.")
    if principal is not None and agent is None:
        raise typer.BadParameter("--principal needs --agent: it stops that agent for one person.")
    if everything:
        return {"scope": "all"}
    if connector is not None:
        return {"scope": "connector", "connector": connector}
    if principal is not None:
        return {"scope": "agent_for_principal", "agent": agent, "principal": principal}
    return {"scope": "agent", "agent": agent}
