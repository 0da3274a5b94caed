"""The documents of the project, and how they are cut into prose and examples."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.contract.test_tracked_text import ours

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """An example; ``language`` is the word after its fence."""

    language: str
    text: str


def pages(root: Path) -> list[Path]:
    return [path for path in ours(root) if path.suffix == ".md"]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(page: str) -> str:
    return _FENCE.sub("", page)


def blocks(page: str) -> Iterator[Block]:
    for indent, language, text in _FENCE.findall(page):
        yield Block(language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def commands(page: str) -> Iterator[str]:
    """Yield what stands behind each `$ ` in a console block, with its continued lines."""
    for block in blocks(page):
        if block.language == "console":
            yield from _commands(block.text)


def _commands(text: str) -> Iterator[str]:
    command = ""
    for line in text.splitlines():
        if not command and not line.startswith("$ "):
            continue  # what was printed
        command += line.removeprefix("$ ") if not command else f"\n{line}"
        if not line.endswith("\\"):
            yield command
            command = ""
