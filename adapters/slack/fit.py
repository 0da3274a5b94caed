"""How much of a text from elsewhere a card shows, and what it says of the rest."""

import re
from dataclasses import dataclass
from itertools import groupby

from adapters.slack import limits
from bot.core.card import Card, Field
from bot.core.untrusted import Shortened, Untrusted, shorten
from bot.core.words import is_unchanged

#: Below this there is no room to show a part of a value and to say how much is missing.
_LEAST = 80
#: So near its end a box is broken after a comma: no code has one in it.
_TORN_WITHIN = 200
_EMPTY = "⟨empty⟩"
_SPELLED = {" ": ("⟨space⟩", "spaces"), "\n": ("⟨line break⟩", "line breaks")}
_PIECE = re.compile("⟨[^⟩]*⟩|[^⟨]")


def inert(text: str, *, at_most: int, lines: int = limits.LINES) -> Shortened:
    """Return *text* as something to read and nothing else, and never blank: Slack refuses that."""
    shortened = shorten(Untrusted(text), max_chars=at_most, max_lines=lines)
    if shortened.shown.strip(" \n"):
        return shortened
    return Shortened(_spell_blank(shortened.shown), shortened.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """``path``, ``value`` and ``before`` are shown text; ``before`` is None where it is unknown."""

    path: str
    value: str
    before: str | None
    is_unchanged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAction:
    """``shown_chars`` counts the characters of the values that are there; all, where
    ``is_whole``.
    """

    fields: tuple[ShownField, ...]
    shown_chars: int
    is_whole: bool


def fit_action(card: Card, *, most_fields: int, most_chars: int) -> ShownAction:
    """Return the fields of *card* that fit, in order: *most_fields* of *most_chars* each.

    The core has cut the action before; here it is cut again where spelling out what is hidden
    takes more room than the text did, or where there are more lines or values than can be read.
    """
    chars, lines = limits.ACTION_TEXT, limits.ACTION_LINES
    shown: list[ShownField] = []
    missing = 0
    for index, field in enumerate(card.fields):
        if index == most_fields or chars < _LEAST or lines < 1:
            missing += sum(max(len(left.value), 1) for left in card.fields[index:])
            break
        path = inert(field.path[1:] or field.path, at_most=min(chars, limits.EFFECT))
        room = min(max(chars - len(path.shown), _LEAST), most_chars)
        value, before = _fit(field, chars=room, lines=lines)
        shown.append(
            ShownField(
                path=path.shown,
                value=value.shown,
                before=None if before is None else before.shown,
                is_unchanged=is_unchanged(field),
            )
        )
        for piece in (path, value, before):
            if piece is not None:
                missing += piece.missing
                chars -= len(piece.shown)
                lines -= piece.shown.count("\n") + 1
    return ShownAction(
        fields=tuple(shown),
        shown_chars=card.total_chars - card.missing_chars - missing,
        is_whole=card.missing_chars == 0 and missing == 0,
    )


def _fit(field: Field, *, chars: int, lines: int) -> tuple[Shortened, Shortened | None]:
    if field.before is None or is_unchanged(field):
        before = None if field.before is None else Shortened("", 0)
        return inert(field.value, at_most=chars, lines=lines), before
    half = max(chars // 2, _LEAST)
    before = inert(field.before, at_most=half, lines=max(lines // 2, 1))
    left = max(chars - len(before.shown), half)
    return inert(field.value, at_most=left, lines=max(lines - lines // 2, 1)), before


def pages(shown: str) -> list[list[str]]:
    """Return shown text in pages of boxes, exact when all are joined; no code is torn."""
    boxes: list[str] = [""]
    for piece in _PIECE.findall(shown):
        if len(boxes[-1]) + len(piece) > limits.PAGE_BLOCK_TEXT:
            boxes[-1], rest = _torn(boxes[-1])
            boxes.append(rest)
        boxes[-1] += piece
    size = limits.PAGE_BLOCKS
    return [boxes[start : start + size] for start in range(0, len(boxes), size)]


def _torn(box: str) -> tuple[str, str]:
    """Return *box* without its last few characters, where a value of the JSON ends before them."""
    at = box.rfind(",", len(box) - _TORN_WITHIN) + 1 or len(box)
    return box[:at], box[at:]


def _spell_blank(shown: str) -> str:
    if not shown:
        return _EMPTY
    codes: list[str] = []
    for char, run in groupby(shown):
        count = len(list(run))
        one, many = _SPELLED[char]
        codes.append(one if count == 1 else f"⟨{count} {many}⟩")
    return "".join(codes)
