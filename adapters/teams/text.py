"""Text from elsewhere, as something to read and nothing else.

What is added here is invisible and ours alone, since `bot.core.untrusted.show` spells out every
such character of others: `as_shown` takes it away again.
"""

import re
import unicodedata
from itertools import groupby
from typing import Final

from adapters.teams import limits
from bot.core.untrusted import Shortened, Untrusted, shorten

#: Has no width: where a long word may be broken, else a narrow window would cut it off, and
#: between two braces, since clients put a date where a text says ``{{DATE(...)}}``.
_BREAK: Final = "\u200b"
#: A space that a page does not fold into the one before it.
_HARD_SPACE: Final = "\u00a0"
_WORD_CHARS: Final = 20

_EMPTY: Final = "⟨empty⟩"
_SPELLED: Final = {" ": ("⟨space⟩", "spaces"), "\n": ("⟨line break⟩", "line breaks")}
_EDGES: Final = re.compile(r"\A\n+|\n+\Z")
_LONG_WORD: Final = re.compile(rf"[^\s⟨⟩]{{{_WORD_CHARS + 1},}}")
_BETWEEN_BRACES: Final = re.compile(r"(?<=\{)(?=\{)")
_FOLDED: Final = re.compile(r"(?:(?<=[ \n])|\A) +")


def inert(text: str, *, at_most: int, lines: int = limits.LINES) -> Shortened:
    """Return *text* with everything in it visible, never blank, cut where it is too long."""
    shortened = shorten(Untrusted(text), max_chars=at_most, max_lines=lines)
    shown = shortened.shown
    if not shown.strip(" \n"):
        return Shortened(_spell(shown), shortened.missing)
    # Some clients leave out line breaks at either end.
    return Shortened(_EDGES.sub(lambda run: _spell(run[0]), shown), shortened.missing)


def run_of(shown: str) -> str:
    """Return *shown* text as one run of a block, exact when read with `as_shown`."""
    broken = _LONG_WORD.sub(lambda word: _BREAK.join(_parts(word[0])), shown)
    parted = _BETWEEN_BRACES.sub(_BREAK, broken)
    return _FOLDED.sub(lambda run: _HARD_SPACE * len(run[0]), parted)


def as_shown(text: str) -> str:
    """Return the shown text that `run_of` was given."""
    return text.replace(_BREAK, "").replace(_HARD_SPACE, " ")


def _parts(word: str) -> list[str]:
    parts: list[str] = []
    while len(word) > _WORD_CHARS:
        at = _WORD_CHARS
        # A mark that begins a line would stand on nothing.
        while at < len(word) and unicodedata.category(word[at]).startswith("M"):
            at += 1
        parts.append(word[:at])
        word = word[at:]
    return [*parts, word] if word else parts


def _spell(blank: str) -> str:
    if not blank:
        return _EMPTY
    codes: list[str] = []
    for char, run in groupby(blank):
        count = len(list(run))
        one, many = _SPELLED[char]
        codes.append(one if count == 1 else f"⟨{count} {many}⟩")
    return "".join(codes)
