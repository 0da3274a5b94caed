from typing import Annotated, Any

import typer

from bot.cli.options import Config, Debug, Json, Reason
from bot.cli.output import REFUSED, as_json, facts, out, plain
from bot.cli.run import ask

_TIMEOUT_S = 3600.0


def erase(
    person: Annotated[str, typer.Argument(help="The person's handle or id.", metavar="PERSON")],
    *,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what.")] = False,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Remove everything that is kept about a person, for good. The log still verifies."""
    if yes:
        gone = ask(
            config,
            lambda api: api.post(
                "people", person, "erasure", body={"reason": reason}, within_s=_TIMEOUT_S
            ),
            json_wanted=json,
            debug=debug,
        )
        _show_gone(gone, json_wanted=json)
        return
    found = ask(
        config, lambda api: api.get("people", person, "erasure"), json_wanted=json, debug=debug
    )
    if json:
        as_json(found)
    else:
        _show_scope(found, person)
    if found["obstacles"]:
        raise typer.Exit(REFUSED)


def _show_gone(gone: dict[str, Any], *, json_wanted: bool) -> None:
    if json_wanted:
        as_json(gone)
        return
    facts(_counts(gone))
    out.print("\nErased. No byte of it is left in the files of the database.")
    out.print("Backups and exports made before still hold it: delete them, or make them anew.")


def _show_scope(found: dict[str, Any], person: str) -> None:
    facts({"person": f"{found['handle']} ({found['person']})", **_counts(found)})
    if found["obstacles"]:
        out.print("\n[bold]Something has to end first:[/]")
        for obstacle in found["obstacles"]:
            out.print(f"  [red]-[/] {plain(obstacle)}")
        out.print("Nothing was erased.")
        return
    out.print(
        "\nIds, states, times and the entries of the log stay. What is open for this person ends, "
        "they can no longer sign in,\nand nothing of it can be brought back."
    )
    out.print(f"Nothing was erased. To do it: keyturn audit erase {plain(person)} --reason … --yes")


def _counts(found: dict[str, Any]) -> dict[str, object]:
    return {
        "log": f"{found['openings']} values in {found['entries']} entries",
        "proposals": f"{found['proposals']}, {found['ended']} of them open",
        "agents": found["agents"],
        "stops": found["halts"],
        "admin tokens": found["tokens"],
        "linked accounts": found["identities"],
    }
