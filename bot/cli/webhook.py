from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.admin import Admin
from bot.cli.first_files import write_private
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, out, plain, to_copy
from bot.cli.run import ask
from bot.cli.secret_file import require_writable


def webhook(
    agent: Annotated[str, typer.Argument(help="The agent's name or id.", metavar="AGENT")],
    *,
    url: Annotated[str | None, typer.Option(help="Tell the agent there from now on.")] = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new signing secret for the same address.")
    ] = False,
    overlap_s: Annotated[
        int, typer.Option(help="With --rotate: for how many seconds the old one signs too.", min=0)
    ] = 0,
    off: Annotated[bool, typer.Option("--off", help="Tell the agent nothing any more.")] = False,
    secret_file: Annotated[
        Path | None,
        typer.Option(help="Write the secret there (mode 0600) instead of printing it."),
    ] = None,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say where an agent is told what happened, renew what signs it, or show how it stands."""
    if sum((url is not None, rotate, off)) > 1:
        raise typer.BadParameter("Choose one of --url, --rotate and --off.")

    async def question(api: Admin) -> Any:
        require_writable(secret_file)
        if url is not None:
            return await api.put("agents", agent, "webhook", body={"url": url})
        if rotate:
            body = {"overlap_s": overlap_s}
            return await api.post("agents", agent, "webhook", "rotate", body=body)
        if off:
            return await api.delete("agents", agent, "webhook")
        return await api.get("agents", agent)

    found = ask(config, question, json_wanted=json, debug=debug)
    if secret_file is not None and "secret" in found:
        write_private(secret_file, found.pop("secret"), replace=True)
        found["secret_file"] = str(secret_file)
    if json:
        as_json(found)
        return
    out.print(f"{plain(found['name'])}: {plain(webhook_line(found['webhook']))}")
    if "secret_file" in found:
        out.print(f"What signs the messages is in {plain(found['secret_file'])}.")
    elif "secret" in found:
        out.print("What signs the messages, shown this once. Give it to the agent alone:\n")
        to_copy(found["secret"])


def webhook_line(webhook: Mapping[str, Any] | None) -> str:
    """Return in words whether and where an agent is told."""
    if webhook is None:
        return "not told; it has to ask"
    if webhook["stopped"] is not None:
        return f"no longer told at {webhook['url']}: {webhook['stopped']}"
    return f"told at {webhook['url']}"
