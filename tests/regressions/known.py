"""Known failures of the field, each beside the test that keeps it out of Keyturn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])

MARK = "known_failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``title`` says what fails elsewhere, ``promise`` what Keyturn does instead."""

    id: str
    title: str
    seen_in: str
    promise: str


def known_failure(*, id: str, title: str, seen_in: str, promise: str) -> Callable[[Test], Test]:
    """Say that a test proves the absence of a failure; a test may prove that of several."""

    def mark(test: Test) -> Test:
        failures = (
            Failure(id=id, title=title, seen_in=seen_in, promise=promise),
            *failures_of(test),
        )
        setattr(test, MARK, failures)
        return test

    return mark


def failures_of(test: object) -> tuple[Failure, ...]:
    found: tuple[Failure, ...] = getattr(test, MARK, ())
    return found
