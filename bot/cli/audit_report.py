"""What verifying found, in words and as JSON, with the exit code that says which kind it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bot.cli.output import out, plain
from bot.core.audit.verify import Report, Verdict

#: Beside the codes that every command has.
EXIT_CODES: Final[Mapping[Verdict, int]] = MappingProxyType(
    {Verdict.VERIFIED: 0, Verdict.UNANCHORED: 10, Verdict.DIVERGED: 11, Verdict.INVALID: 12}
)
NOT_READABLE: Final = 13

_MOST_SHOWN: Final = 20
_MEANS: Final[Mapping[Verdict, str]] = MappingProxyType(
    {
        Verdict.VERIFIED: "[bold green]verified[/]: nothing is wrong, and it agrees with what you "
        "knew before.",
        Verdict.UNANCHORED: "[bold yellow]consistent, but not anchored[/]: nothing is wrong in it. "
        "Whether it is the one that others were shown cannot be told: nothing you knew before was "
        "held against it.",
        Verdict.DIVERGED: "[bold red]diverged[/]: it contradicts what you knew before.",
        Verdict.INVALID: "[bold red]invalid[/]: it is damaged, or tells what cannot have happened.",
    }
)


def as_value(report: Report) -> dict[str, Any]:
    """Return *report* for scripts."""
    return {
        "verdict": report.verdict.value,
        "origin": report.origin,
        "entries": report.size,
        "root": report.root.hex(),
        "signed_by_known_key": report.signed_by_known_key,
        "agrees_with_known_sizes": list(report.agreed),
        "witnessed_by": list(report.witnessed_by),
        "openings_checked": report.opened,
        "unknown_types": report.unknown_types,
        "problems_total": report.total,
        "problems_by_fault": {fault.value: n for fault, n in report.counts.items()},
        "problems": [
            {"entry": p.index, "fault": p.fault.value, "what": p.what} for p in report.problems
        ],
    }


def show(report: Report, *, what: str) -> None:
    """Print *report* about *what*, for example ``log``."""
    out.print(f"This {what} is {_MEANS[report.verdict]}")
    out.print(f"  [dim]log[/]       {plain(report.origin)}")
    out.print(f"  [dim]entries[/]   {report.size:,}; values shown in clear: {report.opened:,}")
    out.print(f"  [dim]root[/]      {report.root.hex()}")
    out.print(f"  [dim]key[/]       {_key(report)}")
    out.print(f"  [dim]known[/]     {_known(report)}")
    out.print(f"  [dim]witnesses[/] {_witnesses(report)}")
    for name, count in sorted(report.unknown_types.items()):
        out.print(
            f"  [yellow]not understood:[/] {count} entries of the type {plain(name)}; "
            "a newer Keyturn may know it."
        )
    _problems(report)


def _key(report: Report) -> str:
    if report.signed_by_known_key:
        return "signed by the key that you gave"
    return "signed by the key that the file itself names; give the one you know with --vkey"


def _known(report: Report) -> str:
    if report.agreed:
        sizes = ", ".join(f"{size:,}" for size in report.agreed)
        return f"agrees with the checkpoint that you gave, of size {sizes}"
    return "nothing was held against it; keep checkpoints, and give one with --checkpoint"


def _witnesses(report: Report) -> str:
    if report.witnessed_by:
        return "signed by " + ", ".join(map(plain, report.witnessed_by))
    return "none has signed: whoever holds the log's key could show others another log"


def _problems(report: Report) -> None:
    if not report.total:
        return
    out.print(f"\n{report.total:,} {'problem' if report.total == 1 else 'problems'}:")
    for problem in report.problems[:_MOST_SHOWN]:
        where = "the whole" if problem.index is None else f"entry {problem.index}"
        out.print(f"  [red]-[/] {where}: [bold]{problem.fault}[/], {plain(problem.what)}")
    if report.total > _MOST_SHOWN:
        out.print(f"  and {report.total - _MOST_SHOWN:,} more; --json lists the first 100.")
