import json as json_text
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.admin import Admin, admin
from bot.cli.options import Config, Debug, Json
from bot.cli.output import FAILED, as_json, facts, out, plain, table
from bot.cli.run import ask, run
from bot.core.errors import InvalidInput, PolicyInvalid
from bot.core.policy_file import parse_policy
from bot.settings import load

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Check, explain, show and load the policy."
)


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(help="A policy file; else the one in the settings.")
    ] = None,
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what is wrong with a policy file, or doubtful, without loading it."""
    found = run(lambda: _check(file, config), json_wanted=json, debug=debug)
    if json:
        as_json(found)
    elif not found["problems"]:
        out.print("The policy loads, and nothing in it looks unintended.")
    else:
        for one in found["problems"]:
            line = f"line {one['line']}: " if one["line"] else ""
            out.print(plain(f"{line}{one['message']}"))
            if one.get("remedy"):
                out.print(f"  [dim]{plain(one['remedy'])}[/]")
        out.print("\nIt loads." if found["loads"] else "\n[bold red]It does not load.[/]")
    if found["problems"]:
        raise typer.Exit(FAILED)


@app.command()
def explain(
    verb: Annotated[str, typer.Argument(help="For example forum.comment")],
    resource: Annotated[str, typer.Argument(help="For example forum:demo")],
    *,
    agent: Annotated[str, typer.Option(help="Who would propose it, by name or id.")],
    principal: Annotated[
        str | None, typer.Option("--for", help="On whose behalf, by handle or id.")
    ] = None,
    params: Annotated[str, typer.Option(help="The params, as JSON; @FILE reads a file.")] = "{}",
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what the policy in force would decide, and what each rule did."""
    body = {
        "agent": agent,
        "verb": verb,
        "resource": resource,
        "on_behalf_of": principal,
    }

    async def question(api: Admin) -> Any:
        return await api.post("policy", "explain", body={**body, "params": _params(params)})

    found = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    out.print(f"[bold]{_verdict(found)}[/]\n")
    table(
        ("rule", "line", "matches", "counts", "why not"),
        [
            (
                rule["id"],
                rule["line"],
                rule["match"],
                "yes" if rule["counted"] else "no",
                rule["why_not"],
            )
            for rule in found["rules"]
        ],
        empty="There are no rules.",
    )


@app.command()
def show(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """Show the policy in force."""
    found = ask(config, lambda api: api.get("policy"), json_wanted=json, debug=debug)
    if json:
        as_json(found)
        return
    facts({"digest": found["digest"], "rules": found["rules"]})
    print(f"\n{found['text']}", end="")


@app.command()
def reload(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """Put the policy file in force now; a bad one changes nothing."""
    found = ask(config, lambda api: api.post("policy", "reload"), json_wanted=json, debug=debug)
    if json:
        as_json(found)
    else:
        out.print(f"In force: {plain(found['digest'])} ({found['rules']} rules)")


async def _check(file: Path | None, config: Path) -> Any:
    text = _text(load(config).policy if file is None else file)
    try:
        parse_policy(text)
    except PolicyInvalid as error:
        # No bot starts with such a file, so none is asked.
        problems = [{"line": None, "message": problem} for problem in error.problems]
        return {"loads": False, "problems": problems}
    async with admin(config) as api:
        return await api.post("policy", "check", body={"text": text})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"The policy {path} cannot be read.", remedy="Name a file that is there, in UTF-8."
        ) from error


def _params(given: str) -> Any:
    try:
        text = Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given
        return json_text.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            "--params is not JSON.", remedy="""Write it like '{"text": "Hello"}'."""
        ) from error


def _verdict(found: dict[str, Any]) -> str:
    match found["verdict"]:
        case "allow":
            return plain(f"allow: it would be done without asking anybody{_released(found)}")
        case "deny":
            return plain(f"deny: {found['reason']}")
        case _:
            approval = found["approval"]
            who = ", ".join(approval["approvers"])
            many = f"{approval['count']} of " if approval["mode"] == "four_eyes" else ""
            return plain(f"hold ({approval['mode']}): {many}{who} would be asked{_released(found)}")


def _released(found: dict[str, Any]) -> str:
    return f", and it may be released to {', '.join(found['release'])}" if found["release"] else ""
