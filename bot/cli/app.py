"""The commands by name; each is imported when it is used, so that every one starts quickly."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from bot.cli.examples import EXAMPLES

#: By what one wants, in the order of the help. Beside each stands its summary, so that neither
#: the help nor the shell's completion has to import them all.
GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Begin": {
            "serve": "Run the bot until it is told to stop.",
            "init": "Write settings, a policy and keys.",
            "doctor": "Look for what is wrong, and say what to do.",
            "demo": "Replay the forum incident.",
            "slack": "Print the manifest of the Slack app.",
            "teams": "Build the package of the Teams app.",
        },
        "Who": {
            "signin": "Print a link that signs a person in.",
            "person": "Register people, give them roles.",
            "agent": "Register agents, limit them, renew tokens.",
            "resource": "Register resource servers, renew tokens.",
            "keys": "List and renew the deployment's own keys.",
            "channel": "Say which channels are told what happens.",
        },
        "What": {
            "policy": "Check, explain, show and load the policy.",
            "proposals": "Look at what agents proposed.",
            "undo": "Ask a person to undo what was done.",
            "audit": "Export the log, verify it, tell its story.",
        },
        "Stop": {
            "halt": "Stop: in force when this returns.",
            "resume": "Let new work begin again.",
            "halts": "List what is stopped.",
        },
        "Keep": {
            "backup": "Copy everything while the bot runs.",
            "restore": "Go back to a backup.",
            "version": "Print the version.",
        },
    }
)

#: Every command, with the module that has it.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {name: f"bot.cli.{name}" for group in GROUPS.values() for name in group}
)


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the group's own signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            if near := get_close_matches(cmd_name, COMMANDS, n=1):
                ctx.fail(f"No such command '{cmd_name}'. Did you mean '{near[0]}'?")
            return None
        own = _imported(COMMANDS[cmd_name]).app
        # Help is plain text everywhere: frames break where a terminal is narrow.
        own.rich_markup_mode = None
        command = typer.main.get_command(own)
        command.name = cmd_name
        for way, part in _parts(command, (cmd_name,)):
            if example := EXAMPLES.get(" ".join(way)):
                part.epilog = f"\b\nExample:\n  {example}"
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the same
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(9), told) for name, told in commands.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[CompletionItem]:
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=told)
            for group in GROUPS.values()
            for name, told in group.items()
            if name.startswith(incomplete)
        ]


def _imported(name: str) -> Any:
    """Return the module *name*.

    What it brings stays: to look through it for garbage meanwhile takes a fifth of the time.
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.enable()


def _parts(command: Any, way: Sequence[str]) -> Iterator[tuple[Sequence[str], Any]]:
    yield way, command
    for name, part in getattr(command, "commands", {}).items():
        yield from _parts(part, (*way, name))


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
