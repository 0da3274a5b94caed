"""What the documents point at is there, and what they show as an example can be used."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from adapters.http import create
from bot.core.canonical import MAX_DEPTH
from bot.core.policy_file import parse_policy
from bot.main import SystemClock
from tests.contract.test_tracked_text import ours

#: Made by the end-to-end test of the demo: may be missing until it has run.
PICTURES_TO_COME = frozenset({"docs/pictures/card-light.png", "docs/pictures/card-dark.png"})

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_CODE = re.compile(r"`([^`\n]+)`")
#: A path in this repository: its first folder is one of ours, or it is a file at the root.
_PATH = re.compile(
    r"(?:bot|adapters|store|tests|docs|benches|sdk|manifests|\.ci)(?:/[\w.-]+)*/?"
    r"|(?:README|CHANGELOG|SECURITY)\.md|pyproject\.toml|requirements\.lock|Makefile|LICENSE"
)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    language: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    for indent, language, text in _FENCE.findall(page):
        yield Block(language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def prose(page: str) -> str:
    return _FENCE.sub("", page)


def anchors(page: str) -> set[str]:
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(page)))
    return {title.strip().replace(" ", "-") for title in titles}


def broken_links(path: Path, root: Path, *, allowed: frozenset[str] = frozenset()) -> list[str]:
    page = path.read_text(encoding="utf-8")
    broken = []
    for match in _LINK.findall(prose(page)):
        link = match[0] or match[1]
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if target.is_relative_to(root) and str(target.relative_to(root)) in allowed:
            continue
        if not target.exists() or not target.is_relative_to(root):
            broken.append(f"{path.name}: {link} is not there")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(f"{path.name}: {link} has no such heading")
    return broken


def unknown_files(path: Path, root: Path) -> list[str]:
    named = _CODE.findall(prose(path.read_text(encoding="utf-8")))
    return [
        f"{path.name}: there is no {name}"
        for name in named
        if "/" in name and _PATH.fullmatch(name) and not (root / name).exists()
    ]


def unusable_examples(path: Path) -> list[str]:
    unusable = []
    for number, block in enumerate(blocks(path.read_text(encoding="utf-8")), start=1):
        if block.language != "yaml":
            continue
        try:
            _use(block.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader would meet it
            problems = getattr(error, "problems", ())
            unusable.append(f"{path.name}, block {number}: {error} {' '.join(problems)}")
    return unusable


def _use(text: str) -> None:
    value: Any = yaml.safe_load(text)
    if not isinstance(value, dict):
        raise TypeError("it is not a mapping")
    if "rules" in value:
        parse_policy(text)
    for name, section in (value.get("connectors") or {}).items():
        create(name, section, secrets=lambda _: "k" * MAX_DEPTH, clock=SystemClock())


def pages(root: Path) -> list[Path]:
    return [path for path in ours(root) if path.suffix == ".md"]


def _each(found: Iterable[list[str]]) -> list[str]:
    return [problem for problems in found for problem in problems]


def test_every_link_and_picture_leads_somewhere(repo: Path):
    found = (broken_links(path, repo, allowed=PICTURES_TO_COME) for path in pages(repo))
    assert _each(found) == []


def test_every_file_that_a_page_names_is_there(repo: Path):
    assert _each(unknown_files(path, repo) for path in pages(repo)) == []


def test_every_example_in_yaml_can_be_used(repo: Path):
    assert _each(map(unusable_examples, pages(repo))) == []


def test_the_first_pages_are_looked_at(repo: Path):
    found = {str(path.relative_to(repo)) for path in pages(repo)}
    assert {"README.md", "SECURITY.md", "CHANGELOG.md", "docs/README.md"} <= found


@pytest.mark.parametrize(
    "planted",
    [
        "[x](gone.md)",
        '<img src="gone.png">',
        "[x](#gone)",
        "[x](page.md#gone)",
        "[x](../../out.md)",
    ],
)
def test_a_broken_link_is_caught(tmp_path: Path, planted: str):
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{planted}\n")
    assert len(broken_links(page, tmp_path)) == 1


def test_a_link_that_leads_somewhere_is_left_alone(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title, said: twice\n\n[x](page.md#a-title-said-twice) [y](https://a.b/c)\n"
    )
    assert broken_links(page, tmp_path) == []


def test_a_file_that_is_not_there_is_caught(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("See `bot/core/gone.py`, and `forum:demo/x` which is none.\n")
    assert len(unknown_files(page, tmp_path)) == 1


@pytest.mark.parametrize(
    "planted",
    [
        "a: [",
        "just words",
        "version: 1\nrules:\n  - id: a\n    verbs: [x]\n    effect: allow\n    surprise: 1\n",
        "connectors: {a: {type: http, base_url: 'http://a.b', verbs: {}}}",
    ],
)
def test_an_example_that_cannot_be_used_is_caught(tmp_path: Path, planted: str):
    page = tmp_path / "page.md"
    page.write_text(f"```yaml\n{planted}\n```\n")
    assert len(unusable_examples(page)) == 1
