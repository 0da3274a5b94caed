"""What became of a click: counted, not counted, or not known in time."""

from dataclasses import dataclass
from typing import TypeAlias

from bot.core.ids import PersonId
from bot.core.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The click counted; ``message`` says what it led to."""

    state: State
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRecorded:
    """The click did not count; ``code`` is stable and ``message`` tells why and what to do.

    ``decided_by`` is who was first, where somebody was.
    """

    code: str
    message: str
    state: State | None = None
    decided_by: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYetRecorded:
    """The commit takes longer than the chat can wait; it goes on and changes the card."""

    message: str


Pressed: TypeAlias = Recorded | NotRecorded | NotYetRecorded
