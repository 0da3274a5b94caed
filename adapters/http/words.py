"""Values in sentences for people: whole where they are short, and never silently cut."""

from typing import Final

from adapters.http.config import VerbSection
from adapters.http.template import Missing, Scope, Template, as_text
from bot.core.canonical import Json
from bot.core.untrusted import Untrusted, one_line

NOT_KNOWN: Final = "(not known)"
VALUE_CHARS: Final = 120
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def in_a_sentence(template: Template, scope: Scope) -> str:
    """Return *template* with its values, for a place that shows it as untrusted text."""
    return template.said(scope, _plain)


def on_one_line(template: Template, scope: Scope) -> str:
    """Return *template* with its values inert, for a place that shows it as it is."""
    return template.said(
        scope, lambda value: one_line(Untrusted(_text(value)), max_chars=VALUE_CHARS)
    )


def reversible(section: VerbSection) -> str:
    """Return whether people can take it back, in the section's words or in ours."""
    if section.say.reversible is not None:
        return section.say.reversible
    if section.undo is None:
        return "Keyturn cannot undo this."
    return f"Keyturn can undo this for {duration(section.undo.window_s)} after it was done."


def duration(seconds: int) -> str:
    """Return *seconds* in the largest unit that leaves no rest."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _plain(value: Json | Missing) -> str:
    # Values can be text of an agent or a target: a line break would let them begin a new sentence.
    text = " ".join(_text(value).split("\n"))
    if len(text) <= VALUE_CHARS:
        return text
    return f"{text[:VALUE_CHARS]}… ({len(text) - VALUE_CHARS} more characters)"


def _text(value: Json | Missing) -> str:
    if isinstance(value, Missing) or value is None or value == "":
        return NOT_KNOWN
    return as_text(value)
