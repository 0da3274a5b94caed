"""What `keyturn doctor` tells: one thing it looked at, the setting, and what to do."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.core.errors import RefusesToStart, StoreRefused
from bot.core.secret_scan import without_secrets
from bot.settings import Settings

_PLACED = re.compile(r"(?:(line \d+), )?([a-z_]+(?:[.\[][^\s:]*)*): (.+)", re.DOTALL)

_FILE = re.compile(r"[\w.-]+\.(?:key|json|sqlite3|yaml)\b")


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``setting`` names what to look at, ``remedy`` what to do; empty when all is well."""

    status: Status
    setting: str
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        # What is found may be a credential in the wrong place.
        for name in ("setting", "what", "remedy"):
            object.__setattr__(self, name, without_secrets(getattr(self, name)))

    def plain(self) -> dict[str, str]:
        return asdict(self)


def ok(setting: str, what: str) -> Finding:
    return Finding(status=Status.OK, setting=setting, what=what)


def warn(setting: str, what: str, remedy: str) -> Finding:
    return Finding(status=Status.WARN, setting=setting, what=what, remedy=remedy)


def fail(setting: str, what: str, remedy: str) -> Finding:
    return Finding(status=Status.FAIL, setting=setting, what=what, remedy=remedy)


def from_error(error: RefusesToStart) -> list[Finding]:
    """Return what *error* says about which settings."""
    if not error.problems:
        return [fail(_kept_in(error), error.message.rstrip("."), error.remedy)]
    return [_from_problem(problem, error) for problem in error.problems]


def files_named(finding: Finding) -> frozenset[str]:
    """Return the names of the files that *finding* is about."""
    return frozenset(_FILE.findall(finding.what))


def _from_problem(problem: str, error: RefusesToStart) -> Finding:
    placed = _PLACED.fullmatch(problem)
    if placed and (placed[1] or re.split(r"[.\[]", placed[2])[0] in Settings.model_fields):
        what, remedy = halves(placed[3], error.remedy)
        return fail(placed[2], f"{placed[1]}: {what}" if placed[1] else what, remedy)
    what, remedy = halves(problem, error.remedy)
    if problem.startswith("line "):
        # What the file says could not be read as settings at all.
        return fail("settings", problem.rstrip("."), "Correct that line, and those around it.")
    return fail(_kept_in(error), what, remedy)


def _kept_in(error: RefusesToStart) -> str:
    if isinstance(error, StoreRefused):
        return "store"
    return "data_dir" if error.problems else "settings"


def halves(problem: str, remedy: str) -> tuple[str, str]:
    """Return what is wrong and what to do, where *problem* says both; else *remedy* does."""
    for mark in (". ", ": "):
        what, found, rest = problem.partition(mark)
        if found:
            return what, rest[:1].upper() + rest[1:]
    return problem.rstrip("."), remedy
