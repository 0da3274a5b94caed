"""The commands by name; each is imported when it is used, so that every one starts quickly."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup

#: In the order of the help: to start, then who, then what, then stop, then find out.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "serve": "bot.cli.serve",
        "init": "bot.cli.init",
        "doctor": "bot.cli.doctor",
        "signin": "bot.cli.signin",
        "person": "bot.cli.person",
        "agent": "bot.cli.agent",
        "resource": "bot.cli.resource",
        "keys": "bot.cli.keys",
        "policy": "bot.cli.policy",
        "proposals": "bot.cli.proposals",
        "undo": "bot.cli.undo",
        "audit": "bot.cli.audit",
        "halt": "bot.cli.halt",
        "resume": "bot.cli.resume",
        "halts": "bot.cli.halts",
        "backup": "bot.cli.backup",
        "restore": "bot.cli.restore",
        "demo": "bot.cli.demo",
        "version": "bot.cli.version",
    }
)


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the group's own signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            if near := get_close_matches(cmd_name, COMMANDS, n=1):
                ctx.fail(f"No such command '{cmd_name}'. Did you mean '{near[0]}'?")
            return None
        command = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="keyturn",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "Exit codes: 0 done, 1 failed or a check found something, 2 wrong usage, "
        "3 does not start like this, 4 the bot cannot be reached, 5 the bot refused."
    ),
)


@app.callback()
def keyturn() -> None:
    """Hold what AI agents want to write until a person turns the key."""


def main() -> None:
    app(prog_name="keyturn")
