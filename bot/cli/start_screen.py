"""What `keyturn serve` shows once everything answers.

Whatever is meant to be copied stands alone at the left, without a frame and never wrapped.
"""

import shlex
import shutil
import sys
from pathlib import Path

from rich.rule import Rule

from bot.cli.newcomer import SAMPLE_AGENT, SAMPLE_VERB, Newcomer
from bot.cli.output import out, plain, to_copy
from bot.settings import Settings

_BODY = (
    f'{{"action": {{"verb": "{SAMPLE_VERB}", "resource": "forum:demo", '
    f'"params": {{"author": "{SAMPLE_AGENT}", '
    '"text": "Hello. An agent wrote this, and a person let it."}}, '
    '"rationale": {"why": "Somebody wants to see how Keyturn works."}}'
)


def start_screen(settings: Settings, newcomer: Newcomer | None) -> None:
    """Say where everything is, and what to try first."""
    out.print(Rule("[bold]Keyturn is running[/]", style="dim"))
    _line("Inbox for people", settings.url_for_people)
    _line("API for agents", f"{settings.listeners.agents.url}/v1")
    _line("Settings", _here(settings.file))
    _line("Commands", f"{_program()} --help")
    out.print()
    if newcomer is None:
        out.print(
            f"To sign in: {_program()} signin HANDLE prints a link. "
            f"{_program()} person list shows who."
        )
    else:
        _first_steps(settings, newcomer)
    out.print()
    out.print("Ctrl-C stops the bot. Nothing that is recorded is lost.", style="dim")
    out.print(Rule(style="dim"))


def sample_proposal(settings: Settings, token_file: Path) -> str:
    """Return the command that proposes a comment as the sample agent; it works as pasted."""
    token = f"$(cat {shlex.quote(_here(token_file))})"
    return (
        f"curl -sS {settings.listeners.agents.url}/v1/proposals \\\n"
        f'  -H "Authorization: Bearer {token}" \\\n'
        '  -H "Idempotency-Key: try-$(date +%s)" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{_BODY}'"
    )


def _first_steps(settings: Settings, newcomer: Newcomer) -> None:
    who = plain(newcomer.handle)
    out.print(f"[bold]1.[/] Sign in as {who}. The link works once, for ten minutes:\n")
    to_copy(newcomer.sign_in_url)
    if newcomer.token_file is None:
        out.print(
            "\n[bold]2.[/] Add a connector to the settings (connectors), start again, and register"
            " an agent:\n   keyturn agent create --help"
        )
        return
    out.print(f"\n[bold]2.[/] In another terminal, propose something as {SAMPLE_AGENT}:\n")
    to_copy(sample_proposal(settings, newcomer.token_file))
    out.print("\n[bold]3.[/] Read the card in the inbox, and decide.", end="")
    if newcomer.forum is not None:
        out.print(f" What you approve appears at {plain(newcomer.forum)}/demo/", end="")
    out.print()


def _program() -> str:
    """Return how this program is called from here: by its name, where the shell finds it so."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    is_found = found is not None and called.exists() and Path(found).samefile(called)
    return called.name if is_found else _here(called)


def _line(name: str, value: str) -> None:
    out.print(f"{name:<17} [bold]{plain(value)}[/]")


def _here(path: Path) -> str:
    """Return *path* as it is named from where the user is."""
    here = Path.cwd()
    absolute = path.absolute()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
