"""Every error of this package.

KeyturnError
├── Refused            the gate answered with a problem
├── GrantRefused       the grant permits nothing: do not carry the action out
└── GateUnreachable    nobody can tell: do not carry the action out
"""

from collections.abc import Mapping
from typing import Any


class KeyturnError(Exception):
    """``code`` is stable; ``remedy`` says what to do next."""

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.remedy = remedy


class Refused(KeyturnError):
    """``status`` is the HTTP status of the gate's problem (RFC 9457)."""

    def __init__(self, message: str, *, code: str, remedy: str = "", status: int) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.status = status


class GrantRefused(KeyturnError):
    """The action must not be carried out, whatever the reason."""


class GateUnreachable(KeyturnError):
    """The gate did not answer, or not in a way that can be understood."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            code="gate_unreachable",
            remedy="Try again with the same Idempotency-Key: it is not known how far it came.",
        )


def problem_words(problem: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return message, code and remedy of a problem, whatever it holds."""
    words = (problem.get(name) for name in ("detail", "code", "remedy"))
    detail, code, remedy = (word if isinstance(word, str) else "" for word in words)
    return detail or "The gate refused.", code or "unknown", remedy
