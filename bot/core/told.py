"""What a person is told after they pressed or typed something."""

from dataclasses import dataclass
from typing import Final, assert_never

from bot.core.errors import KeyturnError
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded

RECORDED: Final = "Recorded"
NOT_RECORDED: Final = "Not recorded"
NOT_RECORDED_YET: Final = "Not recorded yet"


@dataclass(frozen=True, slots=True)
class Told:
    """``title`` in a few words, ``message`` in sentences."""

    title: str
    message: str


def told_of(outcome: Pressed) -> Told:
    """Return what came of a click."""
    match outcome:
        case Recorded(message=message):
            return Told(RECORDED, message)
        case NotRecorded(message=message):
            return Told(NOT_RECORDED, message)
        case NotYetRecorded(message=message):
            return Told(NOT_RECORDED_YET, message)
        case _:
            assert_never(outcome)


def told_why(error: KeyturnError) -> Told:
    """Return why something could not be done, and what to do next."""
    return Told(NOT_RECORDED, f"{error.message} {error.remedy}".strip())
