"""The part of a card that says exactly what would be written, value by value."""

from collections.abc import Iterator

from adapters.teams import limits, words
from adapters.teams.elements import Element, Ours, between, box, exact, label, ours, quoted, title
from adapters.teams.fit import ShownAction, ShownField
from bot.core.card import Card
from bot.core.words import has_before, shown_chars

_NOW, _AFTER, _STAYS = "Now", "After", "Stays"
_NOTHING_BEFORE = "Not there, or not known"


def exactly(card: Card, action: ShownAction) -> list[Element]:
    """Return the elements of *action*: their kinds and order depend on how many values there are
    and on which of them change, never on what is in them.
    """
    elements = [title(Ours("Exactly this"))]
    if not action.is_whole:
        shown = shown_chars(action.shown_chars, of=card.total_chars)
        rest = f"{shown}. The rest is in the full details."
        elements.append(ours(Ours(rest), color="Attention", weight="Bolder", spacing="Small"))
    if not action.fields:
        elements.append(label(words.NO_CONTENT, spacing="Small"))
    if has_before(card):
        return [*elements, *(part for field in action.fields for part in _compared(field))]
    if len(action.fields) > limits.BOXED_VALUES:
        rows = [part for field in action.fields for part in _row(field)]
        return [*elements, box(rows, spacing="Small")]
    return [*elements, *(part for field in action.fields for part in _boxed(field))]


def _boxed(field: ShownField) -> Iterator[Element]:
    yield _path(field)
    yield box([quoted(exact(field.value))], spacing="Small")


def _row(field: ShownField) -> Iterator[Element]:
    yield _path(field)
    yield quoted(exact(field.value), spacing="None")


def _compared(field: ShownField) -> Iterator[Element]:
    yield _path(field)
    value = quoted(exact(field.value), spacing="None")
    if field.is_unchanged:
        yield box([label(_STAYS), value], spacing="Small")
        return
    before = (
        quoted([between(_NOTHING_BEFORE, italic=True)], spacing="None")
        if field.before is None
        else quoted(exact(field.before), spacing="None")
    )
    yield box([label(_NOW), before, label(_AFTER, spacing="Small"), value], spacing="Small")


def _path(field: ShownField) -> Element:
    return quoted(exact(field.path, size="Small", isSubtle=True), spacing="Small")
