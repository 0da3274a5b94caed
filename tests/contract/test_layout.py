"""One idea a module, and a name that says which."""

from collections.abc import Iterable
from pathlib import Path

import pytest

MAX_LINES = 500
EMPTY_NAMES = frozenset(
    {"common", "helper", "helpers", "lib", "manager", "managers", "misc", "util", "utils"}
)
SOURCE_FOLDERS = ("bot", "adapters", "store", "sdk", "benches", "tests")


def modules(root: Path) -> list[Path]:
    return [
        path
        for folder in SOURCE_FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]


def too_long(paths: Iterable[Path]) -> list[str]:
    lengths = ((path, path.read_text(encoding="utf-8").count("\n")) for path in paths)
    return [f"{path}: {lines} lines" for path, lines in lengths if lines > MAX_LINES]


def named_after_nothing(paths: Iterable[Path], root: Path) -> list[str]:
    return [
        str(path)
        for path in paths
        if EMPTY_NAMES.intersection(path.relative_to(root).with_suffix("").parts)
    ]


def test_every_module_fits_on_a_few_screens(repo: Path) -> None:
    assert too_long(modules(repo)) == []


def test_no_module_is_named_after_nothing(repo: Path) -> None:
    assert named_after_nothing(modules(repo), repo) == []


def test_the_source_folders_are_found(repo: Path) -> None:
    found = {path.relative_to(repo).parts[0] for path in modules(repo)}
    assert {"bot", "adapters", "store", "tests"} <= found


def test_a_long_module_is_caught(tmp_path: Path) -> None:
    long, short = tmp_path / "bot/long.py", tmp_path / "bot/short.py"
    long.parent.mkdir()
    long.write_text("x = 1\n" * (MAX_LINES + 1))
    short.write_text("x = 1\n" * MAX_LINES)
    assert too_long(modules(tmp_path)) == [f"{long}: {MAX_LINES + 1} lines"]


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common/cards.py", "manager.py"])
def test_an_empty_name_is_caught(tmp_path: Path, name: str) -> None:
    planted = tmp_path / "bot" / name
    planted.parent.mkdir(parents=True)
    planted.touch()
    assert named_after_nothing(modules(tmp_path), tmp_path) == [str(planted)]
