"""How much of an action stands on a card, and how much of it is missing there."""

from dataclasses import dataclass

from adapters.teams import limits
from adapters.teams.limits import Room
from adapters.teams.text import inert
from bot.core.card import Card, Field
from bot.core.untrusted import Shortened
from bot.core.words import is_unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """``path``, ``value`` and ``before`` are shown text; ``before`` is None where it is unknown."""

    path: str
    value: str
    before: str | None
    is_unchanged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAction:
    """``shown_chars`` counts the characters of the values that are there."""

    fields: tuple[ShownField, ...]
    shown_chars: int
    is_whole: bool


def fit_action(card: Card, room: Room) -> ShownAction:
    """Return the fields of *card* that fit in *room*, in order.

    The core has cut the action before; here it is cut again where spelling out what is hidden
    takes more room than the text did, or where there are more lines or values than can be read.
    """
    chars, lines = room.chars, room.lines
    shown: list[ShownField] = []
    missing = 0
    for index, field in enumerate(card.fields):
        if index == room.values or chars < limits.LEAST or lines < 1:
            missing += sum(max(len(left.value), 1) for left in card.fields[index:])
            break
        path = inert(field.path[1:] or field.path, at_most=max(min(chars, 200), limits.LEAST))
        value, before = _fit(field, chars=max(chars - len(path.shown), limits.LEAST), lines=lines)
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
    half = max(chars // 2, limits.LEAST)
    before = inert(field.before, at_most=half, lines=max(lines // 2, 1))
    left = max(chars - len(before.shown), half)
    return inert(field.value, at_most=left, lines=max(lines - lines // 2, 1)), before
