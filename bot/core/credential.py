"""What every connector's credential has to be, however it is sent."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

from pydantic import ValidationError

from bot.core.errors import SettingsInvalid

T = TypeVar("T")

MIN_CHARS: Final = 8  #: a shorter one could not be told from other text in an answer

_VISIBLE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class CredentialRefused(Exception):
    """The credential cannot be used; the message does not repeat it."""


def one_line(secret: str, *, called: str) -> str:
    """Return *secret* without the line end that editors leave; *called* is its name for people.

    Raises:
        CredentialRefused: it is empty, short, or not one line of printable ASCII.
    """
    line = secret.removesuffix("\n").removesuffix("\r")
    if not _VISIBLE.fullmatch(line):
        raise CredentialRefused(f"the {called} is empty or not one line of printable ASCII")
    if len(line) < MIN_CHARS:
        raise CredentialRefused(f"the {called} is shorter than {MIN_CHARS} characters")
    return line


class Referring(Protocol):
    """A section that says where a credential is kept."""

    @property
    def reference(self) -> str: ...


R = TypeVar("R", bound=Referring)


def credential_in(
    section: Mapping[str, object],
    read: Callable[[object], R],
    *,
    secrets: Callable[[str], str],
    use: Callable[[R, str], T],
    place: str,
    problems: list[str],
) -> T | None:
    """Return what *use* makes of the credential that *section* refers to.

    *read* parses its part of the section. Where there is none, or it cannot be parsed, that is
    told with the whole section.
    """
    try:
        found = read(section.get("credential"))
    except ValidationError:
        return None
    return kept_under(
        found.reference,
        secrets=secrets,
        use=lambda secret: use(found, secret),
        place=f"{place}.credential",
        problems=problems,
    )


def kept_under(
    reference: str,
    *,
    secrets: Callable[[str], str],
    use: Callable[[str], T],
    place: str,
    problems: list[str],
) -> T | None:
    """Return what *use* makes of the secret under *reference*.

    Where there is none, or none that can be used, *problems* says so with *place* before it.
    """
    try:
        return use(secrets(reference))
    except SettingsInvalid as error:
        problems += [f"{place}: {problem}" for problem in error.problems or [error.message]]
    except CredentialRefused as error:
        problems.append(f"{place}: {error}")
    return None
