"""What a target answered, as values: nothing in it is trusted, or anything but text and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from adapters.http.config import InHeader
from adapters.http.template import MISSING, Missing, as_text
from bot.core.canonical import MAX_INTEGER, Json, canonical
from bot.core.errors import InvalidInput
from bot.core.untrusted import Untrusted, one_line

EXCERPT_CHARS: Final = 200
REFERENCE_CHARS: Final = 500


class AnswerUnreadable(Exception):
    """The body is not JSON that has one meaning; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer within the limits. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """Return the body as JSON; integers that a double cannot hold are texts.

        Raises:
            AnswerUnreadable: it is not JSON that has one meaning.
        """
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise AnswerUnreadable("the answer is compressed, which was not asked for")
        try:
            value: Json = _DECODER.decode(self.body.decode("utf-8"))
            canonical(value)
        except (ValueError, RecursionError, InvalidInput):
            raise AnswerUnreadable("the answer is not JSON, or not JSON with one meaning") from None
        return value

    def take(self, sources: Mapping[str, str | InHeader]) -> dict[str, Json]:
        """Return the values at JSON pointers or in headers, under the names of *sources*.

        What is not there is left out.

        Raises:
            AnswerUnreadable: a pointer is asked for and the body is not JSON.
        """
        in_body = any(isinstance(source, str) for source in sources.values())
        body = self.json() if in_body else None
        taken: dict[str, Json] = {}
        for name, source in sources.items():
            value = (
                self.headers.get(source.header.lower(), MISSING)
                if isinstance(source, InHeader)
                else at_pointer(body, source)
            )
            if not isinstance(value, Missing):
                taken[name] = value
        return taken

    def excerpt(self) -> str:
        """Return the beginning of a short text answer, inert and on one line, else nothing."""
        kind = self.headers.get("content-type", "").lower()
        if not ("json" in kind or kind.startswith("text/plain")):
            return ""
        text = self.body[: EXCERPT_CHARS * 4].decode("utf-8", errors="replace").strip()
        if not text:
            return ""
        is_cut = len(text) > EXCERPT_CHARS or len(self.body) > EXCERPT_CHARS * 4
        shown = one_line(Untrusted(text[:EXCERPT_CHARS]), max_chars=EXCERPT_CHARS * 2)
        return f" It says, in part: {shown}" if is_cut else f" It says: {shown}"


def at_pointer(value: Json, pointer: str) -> Json | Missing:
    """Return what *pointer* (RFC 6901) leads to in *value*."""
    found: Json = value
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif _is_array(found) and key.isdecimal() and key.isascii() and len(key) < 8:
            items = cast("Sequence[Json]", found)
            if int(key) >= len(items):
                return MISSING
            found = items[int(key)]
        else:
            return MISSING
    return found


def are_same(seen: Json | Missing, expected: Json | Missing) -> bool:
    """Tell whether two values are equal; a number and its text are, as in 4711 and "4711"."""
    if isinstance(seen, Missing) or isinstance(expected, Missing):
        return False
    if isinstance(seen, str) != isinstance(expected, str):
        plain = all(isinstance(value, str | int | float) for value in (seen, expected))
        return plain and as_text(seen) == as_text(expected)
    return canonical(seen) == canonical(expected)


def as_reference(value: Json | Missing) -> str | None:
    """Return *value* as one inert line, or None if it is no plain value."""
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        return None
    return one_line(Untrusted(as_text(value)), max_chars=REFERENCE_CHARS)


def is_exact(reference: str | None) -> bool:
    """Return whether *reference* is there and as the target wrote it, not made inert or cut."""
    # Only codes for what was hidden or left out begin like this: see bot.core.untrusted.
    return reference is not None and "⟨" not in reference


def _is_array(value: Json) -> bool:
    return isinstance(value, list | tuple)


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key appears twice")
    return members


def _integer(written: str) -> int | str:
    if len(written) <= len("-9007199254740991"):
        number = int(written)
        if -MAX_INTEGER <= number <= MAX_INTEGER:
            return number
    return written


def _constant(_written: str) -> NoReturn:
    raise ValueError("not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_constant=_constant
)
