"""The page of known failures is whole and up to date; planted faults still fit the sources."""

from collections import Counter
from pathlib import Path

import pytest

from tests.regressions.faults import misplaced
from tests.regressions.items import GATES, items
from tests.regressions.known import Failure
from tests.regressions.planted import FAULTS, Edit, Fault
from tests.regressions.seen import fingerprint, seen
from tests.regressions.table import ROOT, named_tests, page, rows

PAGE = ROOT / "docs/explanation/known-failures.md"
_ANEW = "python -m tests.regressions.table docs/explanation/known-failures.md"


def test_the_page_equals_the_tests() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"write it anew: {_ANEW}"


def test_every_item_is_there_exactly_once() -> None:
    assert Counter(row.failure.id for row in rows()) == Counter(items())


def test_the_items_are_those_that_were_collected(shared: Path) -> None:
    notes = (shared / "notes/users-complain.md").read_text(encoding="utf-8")
    groups = notes.partition("## 1.")[2].partition("## 2.")[0].split("\n### ")[1:]
    told = {group[0]: group.count("\n**[") for group in groups}
    twelve = notes.partition("## 4.")[2]
    gates = (shared / "notes/peers.md").read_text(encoding="utf-8").partition("## 4.")[2]
    numbered = [n for n in range(1, 30) if f"\n{n}. **" in gates.partition("**Pattern")[0]]
    counted = Counter(item[0] for item in items())

    assert {name: told[name] for name in "ABCEF"} == {name: counted[name] for name in "ABCEF"}
    assert counted["T"] == sum(f"\n{n}. " in twelve for n in range(1, 30))
    assert numbered == list(range(1, len(GATES) + 1))


def test_every_test_that_is_named_is_there() -> None:
    assert [test for test, is_there in named_tests().items() if not is_there] == []


def _is_told_well(failure: Failure) -> bool:
    told = (failure.title, failure.seen_in, failure.promise)
    is_a_sentence = failure.promise[:1].isupper() and failure.promise.endswith(".")
    return all(told) and not any(sign in "".join(told) for sign in "|\n") and is_a_sentence


def test_what_is_said_about_each_item_fits_its_line() -> None:
    assert [row.failure.id for row in rows() if not _is_told_well(row.failure)] == []


def test_every_regression_was_seen_to_fail() -> None:
    tests = {row.test for row in rows() if row.test is not None}
    known = seen()
    failed = {fault.test for fault in FAULTS if known[fault.name]}
    assert tests - failed == set(), "plant a fault, then: python -m tests.regressions.faults NAME"


def test_names_of_faults_differ() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_still_fits_the_sources(fault: Fault) -> None:
    assert list(misplaced(fault.edits)) == []
    assert all(edit.old != edit.new for edit in fault.edits)


def test_a_fault_whose_place_is_gone_is_noticed() -> None:
    assert len(list(misplaced([Edit("bot/core", "no such line stands here", "")]))) == 1
    assert len(list(misplaced([Edit("bot/core", "import", "")]))) == 1
    assert len(list(misplaced([Edit("bot/no_such_file.py", "import", "")]))) == 1


def test_a_fault_that_was_changed_has_to_be_seen_again() -> None:
    one = Fault("a", "t", "says", (Edit("f", "old", "new"),))
    others = [
        Fault("a", "u", "says", (Edit("f", "old", "new"),)),
        Fault("a", "t", "says", (Edit("f", "old", "newer"),)),
        Fault("a", "t", "says", (Edit("g", "old", "new"),)),
    ]
    assert fingerprint(one) not in map(fingerprint, others)
