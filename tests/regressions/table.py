"""The page of known failures, made from the tests that keep them out.

``python -m tests.regressions.table docs/explanation/known-failures.md`` writes it; a test compares.
"""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import assert_never

from tests.regressions.entries import ENTRIES, Covered, Later, NotOurs
from tests.regressions.items import GATES, GROUPS, items
from tests.regressions.known import Failure, failures_of
from tests.regressions.planted import FAULTS
from tests.regressions.seen import seen

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent

_HEAD = """\
# Known failures

*Written by `python -m tests.regressions.table docs/explanation/known-failures.md` from the tests in
`tests/regressions`.*

Gates between agents and the world fail in ways that are known: their users have told them in
public, and other gates were read and tried. Each line is one such failure, what Keyturn promises
instead, and the test that holds it to that. The tests speak to a running `keyturn serve` as agents
and people do: over HTTP, and with pages as a browser gets them.

A test that has never failed proves little. So each of them was seen to fail: a fault was planted in
a copy of the sources, and the test had to find it. `python -m tests.regressions.faults` does all of
that again.

"""
_NOT_YET = "not yet"
_NOT_OURS = "cannot happen here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; ``test`` is None where there is none to name."""

    failure: Failure
    test: str | None
    kind: str


def rows() -> Iterator[Row]:
    """Yield every line, in no order."""
    for file in sorted(HERE.glob("test_*.py")):
        module = import_module(f"tests.regressions.{file.stem}")
        for name, value in vars(module).items():
            if name.startswith("test_"):
                node = f"{file.relative_to(ROOT)}::{name}"
                for failure in failures_of(value):
                    yield Row(failure=failure, test=node, kind="tested")
    for entry in ENTRIES:
        match entry:
            case Covered(by=by):
                yield Row(failure=entry, test=by, kind="tested")
            case Later():
                yield Row(failure=entry, test=None, kind=_NOT_YET)
            case NotOurs():
                yield Row(failure=entry, test=None, kind=_NOT_OURS)
            case _:
                assert_never(entry)


def page() -> str:
    by_id = {row.failure.id: row for row in rows()}
    counts = _counts(list(by_id.values()))
    return _HEAD + counts + "".join(_sections(by_id))


def named_tests() -> Mapping[str, bool]:
    """Return for every test that a line names whether it is there."""
    return {row.test: _is_there(row.test) for row in rows() if row.test is not None}


def _is_there(node: str) -> bool:
    name, _, function = node.partition("::")
    file = ROOT / name
    if not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(
        isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name == function
        for part in tree.body
    )


def _counts(found: Sequence[Row]) -> str:
    tested = [row.test for row in found if row.test is not None]
    told = [
        f"{len(tested)} of {len(found)} are tested, by {len(set(tested))} tests",
        f"{sum(row.kind == _NOT_YET for row in found)} belong to parts that are not built yet",
        f"{sum(row.kind == _NOT_OURS for row in found)} cannot happen in this design",
    ]
    return "; ".join(told) + ".\n"


def _sections(by_id: Mapping[str, Row]) -> Iterator[str]:
    for group, title in GROUPS.items():
        yield f"\n## {title}\n"
        if group != "P":
            yield from _lines([by_id[i] for i in items() if i[0] == group])
            continue
        for number, (kind, _) in enumerate(GATES, start=1):
            yield f"\n### {kind[0].upper()}{kind[1:]}\n"
            yield from _lines([by_id[i] for i in items() if i[:-1] == f"P{number}"])


def _lines(found: Sequence[Row]) -> Iterator[str]:
    yield "\n| | what fails elsewhere | seen in | what Keyturn does | test | seen to fail with |\n"
    yield "| --- | --- | --- | --- | --- | --- |\n"
    for row in found:
        failure = row.failure
        test = row.kind if row.test is None else _link(row.test)
        cells = (
            *(failure.id, failure.title, failure.seen_in, failure.promise),
            *(test, _seen_with(row.test)),
        )
        yield f"| {' | '.join(cells)} |\n"


def _link(test: str) -> str:
    """Return a link to the file of *test*, with its name as the sentence that it is."""
    file, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../../{file})"


def _seen_with(test: str | None) -> str:
    known = seen()
    found = [fault.says for fault in FAULTS if fault.test == test and known.get(fault.name)]
    return "; ".join(found)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
