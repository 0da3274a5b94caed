"""What the project's files must not say: where they were written, and what was left open."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

# Put together from pieces, so that this file passes its own test.
_FOLDERS = ("home", "root", "tmp", "Users", "work")
_REGISTRIES = (
    ("pypi", "org"),
    ("files", "pythonhosted", "org"),
    ("registry", "npmjs", "org"),
    ("registry", "yarnpkg", "com"),
    ("deb", "debian", "org"),
    ("proxy", "golang", "org"),
)
_OPEN_ENDS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")

MACHINE_PATH = re.compile(rf"(?<![\w.}}>*~])/(?:{'|'.join(_FOLDERS)})/")
REGISTRY = re.compile("|".join(re.escape(".".join(host)) for host in _REGISTRIES))
OPEN_END = re.compile(rf"\b(?:{'|'.join(_OPEN_ENDS)})\b")

FORBIDDEN = {
    "a path of one machine": MACHINE_PATH,
    "a package registry's host": REGISTRY,
    "an open end": OPEN_END,
}


def ours(root: Path) -> list[Path]:
    """Return what git tracks, or would track with the next `git add`."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            check=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git cannot list the files here: {error}")
    paths = (root / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def forbidden_words(paths: Iterable[Path]) -> list[str]:
    return [
        f"{path}:{number}: {what}: {hit.group()}"
        for path in paths
        if (text := _text(path)) is not None
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if (hit := pattern.search(line))
    ]


def _text(path: Path) -> str | None:
    raw = path.read_bytes()
    if b"\0" in raw:
        return None
    return raw.decode("utf-8", errors="replace")


def test_our_files_speak_of_the_project_alone(repo: Path) -> None:
    paths = ours(repo)
    assert repo / "pyproject.toml" in paths
    assert forbidden_words(paths) == []


@pytest.mark.parametrize(
    "planted",
    [
        f"read /{_FOLDERS[0]}/dana/notes.md",
        f'open("/{_FOLDERS[1]}/key")',
        f"cd /{_FOLDERS[2]}/x",
        f"see https://{'.'.join(_REGISTRIES[0])}/project/x",
        f"index = {'.'.join(_REGISTRIES[2])}",
        f"# {_OPEN_ENDS[0]}: later",
        f"# {_OPEN_ENDS[1]} later",
    ],
)
def test_a_forbidden_word_is_caught(tmp_path: Path, planted: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"first line\n{planted}\n")
    found = forbidden_words([page])
    assert len(found) == 1
    assert found[0].startswith(f"{page}:2: ")


@pytest.mark.parametrize(
    "innocent",
    ["GET /v1/work/items", "~/work/bot", "a method and its test", "mktemp XXXXXX", "/var/lib/x"],
)
def test_an_innocent_line_is_left_alone(tmp_path: Path, innocent: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(innocent)
    assert forbidden_words([page]) == []


def test_a_binary_file_is_not_read_as_text(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\0" + _OPEN_ENDS[0].encode())
    assert forbidden_words([picture]) == []
