"""The part of a card that says exactly what would be written, value by value."""

from collections.abc import Iterator, Sequence

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    Ours,
    bold,
    box,
    context,
    label,
    mrkdwn,
    pairs,
    plain,
    remark,
    rich,
    section,
)
from adapters.slack.fit import ShownAction, ShownField, fit_action
from bot.core.card import Card
from bot.core.words import has_before, shown_chars

_NOW, _AFTER, _STAYS = "Now", "After", "Stays"
_NOTHING_BEFORE = "Not there, or not known"


def fitted(card: Card) -> ShownAction:
    """Return what of the action of *card* is shown."""
    if not _is_table(card):
        return fit_action(card, most_fields=limits.BOXED_VALUES, most_chars=limits.ACTION_TEXT)
    most_fields = limits.COMPARED_VALUES if has_before(card) else limits.TABLED_VALUES
    return fit_action(card, most_fields=most_fields, most_chars=limits.FIELD_TEXT)


def exactly(card: Card, action: ShownAction) -> list[Element]:
    """Return the blocks of *action*: their kinds and order depend on how many values there are
    and on which of them change, never on what is in them.
    """
    blocks = [section(mrkdwn(bold("Exactly this")))]
    if not action.is_whole:
        shown = bold(f"{shown_chars(action.shown_chars, of=card.total_chars)}.")
        blocks.append(section(mrkdwn(Ours(f"{shown} The rest is in the full details."))))
    if not action.fields:
        blocks.append(context(plain("The action carries no content.")))
    elif has_before(card):
        blocks += _compared(action.fields) if _is_table(card) else _boxed_changes(action.fields)
    else:
        blocks += _tabled(action.fields) if _is_table(card) else _boxed(action.fields)
    return blocks


def _is_table(card: Card) -> bool:
    boxed = limits.BOXED_CHANGES if has_before(card) else limits.BOXED_VALUES
    return len(card.fields) > boxed


def _boxed(fields: Sequence[ShownField]) -> Iterator[Element]:
    for field in fields:
        yield context(plain(field.path))
        yield rich([box(field.value)])


def _boxed_changes(fields: Sequence[ShownField]) -> Iterator[Element]:
    for field in fields:
        yield context(plain(field.path))
        if field.is_unchanged:
            yield rich([label(_STAYS), box(field.value)])
            continue
        before = remark(_NOTHING_BEFORE) if field.before is None else box(field.before)
        yield rich([label(_NOW), before, label(_AFTER), box(field.value)])


def _tabled(fields: Sequence[ShownField]) -> Iterator[Element]:
    size = limits.SECTION_FIELDS // 2
    for start in range(0, len(fields), size):
        row = fields[start : start + size]
        yield pairs(*((_cell(field.path), _cell(field.value)) for field in row))


def _compared(fields: Sequence[ShownField]) -> Iterator[Element]:
    for field in fields:
        yield context(plain(field.path))
        value = _cell(field.value)
        if field.is_unchanged:
            yield pairs((mrkdwn(bold(_STAYS)), value))
            continue
        before = plain(_NOTHING_BEFORE) if field.before is None else _cell(field.before)
        # Names before values also where a narrow window puts them below each other.
        yield pairs((mrkdwn(bold(_NOW)), before), (mrkdwn(bold(_AFTER)), value))


def _cell(text: str) -> Element:
    return plain(text, at_most=limits.FIELD_TEXT)
