"""What people type to Keyturn in a chat."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.core.link_code import LinkCodeText, read_link_code

_MAX_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits for me?"""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop something; without a ``name`` it is asked what."""

    name: str = ""
    is_everything: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """End a stop."""


@dataclass(frozen=True, slots=True)
class Agents:
    """Which agents are mine?"""


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """Which person is this account?"""


@dataclass(frozen=True, slots=True)
class Link:
    """Join this account to the person of ``code``."""

    code: LinkCodeText


@dataclass(frozen=True, slots=True)
class Channels:
    """Where do notices go?"""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be typed; ``problem`` says first what was wrong, if something was."""

    problem: str = ""


Command: TypeAlias = Pending | Stop | Resume | Agents | WhoAmI | Link | Channels | Help

_ALONE: Final[dict[str, Command]] = {
    "pending": Pending(),
    "resume": Resume(),
    "agents": Agents(),
    "whoami": WhoAmI(),
    "channels": Channels(),
    "help": Help(),
}


def help_lines(chat: str) -> tuple[tuple[str, str], ...]:
    """Return what can be typed in *chat*, by the name people know it by, and what each does."""
    return (
        ("pending", "shows what waits for your decision"),
        ("stop", "asks what to stop; it takes effect at once"),
        ("stop NAME", "stops the agent of that name"),
        ("stop all", "stops every agent; for admins"),
        ("resume", "ends a stop; what was stopped stays stopped"),
        ("agents", "lists the agents that act for you or are yours"),
        ("whoami", f"says which person this {chat} account is"),
        ("link CODE", f"links this {chat} account to you; the web inbox gives you the code"),
        ("channels", "sets which channels get notices; for admins"),
        ("help", "shows this list"),
    )


def parse(text: str, *, prefix: str = "") -> Command:
    """Return what *text* asks for; whatever is not understood is answered with the help.

    *prefix* is what people type before it in this chat, such as ``/keyturn``.
    """
    if len(text) > _MAX_CHARS:
        return Help("That is too long.")
    given = text.split()
    if not given:
        return Help()
    first, rest = given[0].lower(), given[1:]
    if first == "stop":
        return _stop(rest)
    if first == "link":
        return _link(rest)
    command = _ALONE.get(first)
    if command is None:
        return Help("That is not known here.")
    if rest and not isinstance(command, Help):
        typed = f"{prefix} {first}".strip()
        return Help(f"{typed} takes nothing after it.")
    return command


def _stop(rest: list[str]) -> Command:
    if not rest:
        return Stop()
    if len(rest) > 1:
        return Help("Name one agent, or all.")
    if rest[0].lower() == "all":
        return Stop(is_everything=True)
    return Stop(name=rest[0])


def _link(rest: list[str]) -> Command:
    code = read_link_code(" ".join(rest))
    if code is None:
        return Help("Type the code as you got it, and nothing after it.")
    return Link(code)
