"""What the documents point at is there."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.contract.pages import pages, prose, read

#: Made by the end-to-end test of the demo: may be missing until it has run.

_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_CODE = re.compile(r"`([^`\n]+)`")
#: A path in this repository, and not a resource or a header: its first folder is one of ours.
_OUR_PATH = re.compile(
    r"(?:bot|adapters|store|tests|docs|benches|sdk|manifests|\.ci)(?:/[\w.-]+)+/?|[a-z]+/"
)
_OUR_FOLDERS = re.compile(r"^(?:bot|adapters|store|tests|docs|benches|sdk|manifests|\.ci)/")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: str) -> set[str]:
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(page)))
    return {title.strip().replace(" ", "-") for title in titles}


def broken_links(path: Path, root: Path, *, allowed: frozenset[str] = frozenset()) -> list[str]:
    broken = []
    for in_markdown, in_html in _LINK.findall(prose(read(path))):
        link = in_markdown or in_html
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.is_relative_to(root):
            broken.append(f"{path.name}: {link} leads out of the project")
        elif str(target.relative_to(root)) in allowed:
            continue
        elif not target.exists():
            broken.append(f"{path.name}: {link} is not there")
        elif anchor and anchor not in anchors(read(target)):
            broken.append(f"{path.name}: {link} has no such heading")
    return broken


def unknown_files(path: Path, root: Path) -> list[str]:
    return [
        f"{path.name}: there is no {name}"
        for name in _CODE.findall(prose(read(path)))
        if _OUR_FOLDERS.match(name) and _OUR_PATH.fullmatch(name) and not (root / name).exists()
    ]


def _each(found: Iterable[list[str]]) -> list[str]:
    return [problem for problems in found for problem in problems]


def test_every_link_and_picture_leads_somewhere(repo: Path):
    found = (broken_links(path, repo) for path in pages(repo))
    assert _each(found) == []


def test_every_file_that_a_page_names_is_there(repo: Path):
    assert _each(unknown_files(path, repo) for path in pages(repo)) == []


def test_the_first_pages_are_looked_at(repo: Path):
    found = {str(path.relative_to(repo)) for path in pages(repo)}
    assert {"README.md", "SECURITY.md", "CHANGELOG.md", "docs/README.md"} <= found


def test_the_map_of_the_documents_leads_to_each_of_them(repo: Path):
    plan = repo / "docs/README.md"
    links = {link.partition("#")[0] for link, _ in _LINK.findall(read(plan))}
    linked = {(plan.parent / link).resolve() for link in links}
    documents = {path for path in pages(repo) if path.is_relative_to(repo / "docs")}
    assert documents - linked - {plan} == set()


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


@pytest.mark.parametrize("planted", ["bot/core/gone.py", "manifests/"])
def test_a_file_that_is_not_there_is_caught(tmp_path: Path, planted: str):
    page = tmp_path / "page.md"
    page.write_text(f"See `{planted}`, and `forum:demo/x` or `text/plain` which are no files.\n")
    assert len(unknown_files(page, tmp_path)) == 1
