"""Plants each fault into a copy of the sources, and sees whether its regression finds it.

``python -m tests.regressions.faults [NAME or ID...]``: without a name, all of them. What is found
is kept in ``seen.json``, from which the table of known failures says so.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.regressions.planted import FAULTS, Edit, Fault
from tests.regressions.seen import fingerprint, keep
from tests.regressions.table import rows

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("bot", "adapters", "store", "sdk", "tests", "pyproject.toml", "README.md", "LICENSE")
AT_ONCE = 3
WITHIN_S = 1_500
#: pytest: the tests ran, and some failed.
_FAILED = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one fault; ``said`` is how the test told it, or why it is no proof."""

    fault: Fault
    found: bool
    said: str


def misplaced(edits: Iterable[Edit], root: Path = ROOT) -> Iterator[str]:
    """Yield what is wrong with each edit whose old text is not there exactly once."""
    for edit in edits:
        count = sum(_read(file).count(edit.old) for file in _files(edit, root))
        if count != 1:
            yield f"{edit.place} has {count} times: {edit.old!r}"


def plant(fault: Fault, root: Path) -> None:
    """Change the sources in *root*."""
    for edit in fault.edits:
        assert not list(misplaced([edit], root)), fault.name
        (file,) = (file for file in _files(edit, root) if edit.old in _read(file))
        file.write_text(_read(file).replace(edit.old, edit.new), encoding="utf-8")


def _files(edit: Edit, root: Path) -> list[Path]:
    place = root / edit.place
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def copy_of_the_sources(root: Path, copy: Path) -> Path:
    """Return *copy*, which then holds what the tests need of *root*."""
    copy.mkdir()
    for name in SOURCES:
        source, target = root / name, copy / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return copy


def try_out(fault: Fault, base: Path) -> Trial:
    """Run the regression of *fault* on a copy of *base* that has it, and see whether it fails."""
    with tempfile.TemporaryDirectory(prefix="keyturn-fault-") as folder:
        copy = copy_of_the_sources(base, Path(folder) / "keyturn")
        plant(fault, copy)
        ran = _run(copy, *_words(fault))
    lines = re.findall(r"(?m)^(?:E {3}.*|(?:FAILED|ERROR) .*)$", ran.stdout)
    # A bot that does not even start proves nothing about the test.
    found = ran.returncode == _FAILED and "ERROR at setup" not in ran.stdout
    return Trial(fault, found, "\n".join(lines[:3]) or (ran.stdout + ran.stderr)[-800:])


def _words(fault: Fault) -> list[str]:
    return [fault.test, *(["-k", fault.only] if fault.only else [])]


def _run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *words),
            *("-x", "-q", "-p", "no:cacheprovider", "--tb=short", "-W", "default", "--timeout=600"),
        ],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'sdk'}"},
        capture_output=True,
        check=False,
        text=True,
        timeout=WITHIN_S,
    )


def chosen(names: Sequence[str]) -> list[Fault]:
    """Return the faults of these names, or of the tests that these ids of the table name."""
    tests = {row.test for row in rows() if row.failure.id in names}
    return [f for f in FAULTS if not names or f.name in names or f.test in tests]


def main(names: Sequence[str]) -> int:
    faults = chosen(names)
    with tempfile.TemporaryDirectory(prefix="keyturn-faults-") as folder:
        # Others may be writing the sources: everything is tried on what they are now.
        base = copy_of_the_sources(ROOT, Path(folder) / "keyturn")
        whole = sorted({fault.test for fault in faults if not fault.only})
        for words in (whole, *(_words(fault) for fault in faults if fault.only)):
            control = _run(base, *words) if words else None
            if control is not None and control.returncode != 0:
                sys.stdout.write(f"without a fault it fails already:\n{control.stdout[-2000:]}")
                return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            missed = [t for t in pool.map(lambda f: try_out(f, base), faults) if not _tell(t)]
    sys.stdout.write(f"{len(faults) - len(missed)} of {len(faults)} found\n")
    return min(len(missed), 1)


def _tell(trial: Trial) -> bool:
    """Say what came of a trial and keep it; return whether the fault was found."""
    word = "found " if trial.found else "MISSED"
    said = "".join(f"       {line}\n" for line in trial.said.splitlines()[:2])
    sys.stdout.write(f"{word} {trial.fault.name}: {trial.fault.says}\n{said}")
    sys.stdout.flush()
    if trial.found:
        keep({trial.fault.name: fingerprint(trial.fault)})
    return trial.found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
