"""Every problem, verdict and exit code that an auditor can meet is explained."""

import re
from pathlib import Path

from bot.cli.audit_report import EXIT_CODES, NOT_READABLE
from bot.core.audit.problems import Fault
from bot.core.audit.verify import Verdict


def rows(repo: Path, heading: str) -> dict[str, str]:
    """Return the first two cells of each row of the table below *heading*."""
    page = (repo / "docs/reference/audit.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"(?m)^\| (?!name|verdict|-)`?([^`|]+)`? \| ([^|]+) \|", section))


def test_every_problem_is_explained_and_nothing_else_is(repo: Path) -> None:
    assert set(rows(repo, "Problems")) == {fault.value for fault in Fault}


def test_every_verdict_has_its_own_documented_exit_code(repo: Path) -> None:
    documented = rows(repo, "Verdicts")

    assert {name: int(code) for name, code in documented.items() if name != "–"} == {
        verdict.value: EXIT_CODES[verdict] for verdict in Verdict
    }
    assert int(documented["–"]) == NOT_READABLE
    assert len({*EXIT_CODES.values(), NOT_READABLE}) == len(Verdict) + 1
