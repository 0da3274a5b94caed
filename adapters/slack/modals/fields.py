"""What people fill in, in more than one modal."""

from adapters.slack import limits
from adapters.slack.blocks import Element, asked, text_input
from adapters.slack.pressable import Asked


def note(words_over: str, *, optional: bool) -> Element:
    field = text_input(Asked.NOTE, lines=True, at_most=limits.NOTE)
    return asked(words_over, field, block=Asked.NOTE, optional=optional)
