"""Values in sentences for people: whole where they are short, and never silently cut."""

from typing import Final

from adapters.http.template import Missing, Scope, Template, as_text
from bot.core.canonical import Json
from bot.core.untrusted import Untrusted, one_line

NOT_KNOWN: Final = "(not known)"
VALUE_CHARS: Final = 120


def in_a_sentence(template: Template, scope: Scope) -> str:
    """Return *template* with its values, for a place that shows it as untrusted text."""
    return template.said(scope, _plain)


def on_one_line(template: Template, scope: Scope) -> str:
    """Return *template* with its values inert, for a place that shows it as it is."""
    return template.said(
        scope, lambda value: one_line(Untrusted(_text(value)), max_chars=VALUE_CHARS)
    )


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
