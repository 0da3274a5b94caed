"""What a doctor saw: one thing it looked at, the setting behind it, and what to do."""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Health(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """``setting`` is what was looked at, ``remedy`` what to do; empty when all is well."""

    health: Health
    setting: str
    what: str
    remedy: str = ""


def ok(setting: str, what: str) -> Look:
    return Look(health=Health.OK, setting=setting, what=what)


def warn(setting: str, what: str, remedy: str) -> Look:
    return Look(health=Health.WARN, setting=setting, what=what, remedy=remedy)


def fail(setting: str, what: str, remedy: str) -> Look:
    return Look(health=Health.FAIL, setting=setting, what=what, remedy=remedy)
