"""A long log is read by two processes, and they find together what one would find."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.audit_files import verify_file
from bot.core.audit.export import read_header
from bot.core.audit.form import FormAudit
from bot.core.audit.problems import Fault
from bot.core.audit.verify import Known, LogAudit, Report, Verdict
from bot.form_of_log import look_at_form, looking_at_form
from tests.audit.logs import Log, audit
from tests.audit.test_tampering import INSIDERS


def by_two(lines: list[bytes]) -> Report:
    whole = LogAudit(read_header(lines[0]), Known(), form=False)
    for line in lines[1:]:
        whole.entry(line)
    form = FormAudit()
    form.read(lines[1:])
    whole.add(form.problems, form.opened)
    return whole.report()


@pytest.mark.parametrize("tamper", INSIDERS, ids=lambda tamper: tamper.__name__.strip("_"))
def test_two_find_what_one_finds(log: Log, tamper: Callable[[Log], object]) -> None:
    tamper(log)
    log.renumber()
    lines = log.lines()
    one, two = audit(lines), by_two(lines)
    assert (two.verdict, two.root, two.opened) == (one.verdict, one.root, one.opened)
    assert two.counts == one.counts
    assert Counter(two.problems) == Counter(one.problems)
    told = [problem.index for problem in two.problems if problem.index is not None]
    assert told == sorted(told)


@pytest.fixture
def file(log: Log, tmp_path: Path) -> Callable[[], Path]:
    def write() -> Path:
        path = tmp_path / "log.jsonl"
        path.write_bytes(b"".join(log.lines()))
        return path

    return write


def read_by_two(path: Path) -> Report:
    what, report = verify_file(path, Known(), progress=lambda _done, _of: None, long_bytes=0)
    assert what == "log"
    return report


def test_a_second_process_finds_nothing_in_a_log_that_is_whole(
    log: Log, file: Callable[[], Path]
) -> None:
    report = read_by_two(file())
    assert (report.verdict, report.problems) == (Verdict.UNANCHORED, ())
    assert report.opened == audit(log.lines()).opened > 0


def test_a_second_process_finds_an_opening_that_opens_something_else(
    log: Log, file: Callable[[], Path]
) -> None:
    path = file()
    text = path.read_text(encoding="utf-8")
    assert '"salt":"' in text
    first = text.index('"salt":"') + len('"salt":"')
    changed = "1" if text[first] == "0" else "0"
    path.write_text(text[:first] + changed + text[first + 1 :], encoding="utf-8")
    report = read_by_two(path)
    assert report.verdict is Verdict.INVALID
    assert report.counts == {Fault.BAD_COMMITMENT: 1}


def test_what_a_second_process_that_ends_early_has_not_found_the_first_finds(
    log: Log, file: Callable[[], Path]
) -> None:
    with file().open("rb") as lines, looking_at_form(lines) as second:
        second.process.kill()
        assert second.found() is None
    with file().open("rb") as lines:
        assert look_at_form(lines).opened == audit(log.lines()).opened
