"""Who is behind what a chat has proven: a person, an account that is nobody's yet, or nobody."""

from dataclasses import dataclass
from typing import TypeAlias

from bot.core.actors import Person
from bot.core.identity import ChatIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """``identity`` belongs to ``person``, who is active."""

    person: Person
    identity: ChatIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    """An account of our own organisation that belongs to no person yet."""

    identity: ChatIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An account that may not act here; ``message`` tells it why, in one plain sentence."""

    message: str


Identified: TypeAlias = Known | Unlinked | Refused
