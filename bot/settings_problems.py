"""Turns what pydantic found into sentences for whoever edits the file."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.core.policy_yaml import Place as Way
from bot.core.policy_yaml import Read

_KINDS = {
    "string_type": "text. Put it in quotes",
    "int_type": "a whole number. Write it without quotes",
    "int_from_float": "a whole number. Write it without a point",
    "bool_type": "true or false. Write one of them, without quotes",
    "dict_type": "a section. Indent its keys below it",
    "model_type": "a section. Indent its keys below it",
    "dataclass_type": "a section. Indent its keys below it",
    "list_type": "a list. Begin each entry with a dash",
    "tuple_type": "a list. Begin each entry with a dash",
}


def place(read: Read, way: Way) -> str:
    """Return how people find *way*: its line, and the key from the top."""
    name = ".".join(str(step) for step in way) or "the file"
    return f"line {read.line_of(way)}, {name}" if way[:1] in read.lines else name


def way_of(error: ErrorDetails) -> Way:
    """Return where in the document *error* is; pydantic marks a wrong key with one step more."""
    return tuple(step for step in error["loc"] if step != "[key]")


def wrong_keys(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Way, str]]:
    """Yield the place of each thing that is wrong, and what it is and what to do, in words."""
    for one in error.errors(include_url=False):
        way = way_of(one)
        yield way, _what(one, way, model)


def _what(error: ErrorDetails, way: Way, model: type[BaseModel]) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "is missing. Add it"
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        near = get_close_matches(str(way[-1]), keys_at(model, way[:-1]), n=1)
        return f"is not a setting. {f'Write {near[0]}' if near else 'Remove it'}"
    if kind in _KINDS:
        return f"{_shown(given)} is not {_KINDS[kind]}"
    if kind == "literal_error":
        return f"{_shown(given)} is not a choice. Choose {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(given)} is not a name. Use small letters, digits, and - _ . between them"
    if kind in {"greater_than_equal", "less_than_equal", "greater_than"}:
        low = context.get("ge", context.get("gt"))
        bound = f"at least {low}" if low is not None else f"at most {context['le']}"
        return f"{_shown(given)} is out of range. Choose a number of {bound}"
    if kind == "value_error":
        return str(context["error"])
    return f"{error['msg'][:1].lower()}{error['msg'][1:]}. Correct it"


def without(value: Any, way: Way) -> Any:
    """Return *value* as it is when what *way* leads to is left out."""
    if not way:
        return value
    head, rest = way[0], way[1:]
    if isinstance(value, Mapping) and head in value:
        if rest:
            return {**value, head: without(value[head], rest)}
        return {key: member for key, member in value.items() if key != head}
    if isinstance(value, list) and isinstance(head, int) and head < len(value):
        kept = [without(value[head], rest)] if rest else []
        return [*value[:head], *kept, *value[head + 1 :]]
    return value


def keys_at(model: type[BaseModel], way: Way) -> list[str]:
    """Return the settings that exist in the section at *way*."""
    section: Any = model
    for step in way:
        field = getattr(section, "model_fields", {}).get(str(step))
        section = next(
            (
                part
                for part in _parts(field.annotation if field is not None else None)
                if hasattr(part, "model_fields") or hasattr(part, "__pydantic_fields__")
            ),
            None,
        )
    fields = getattr(section, "model_fields", None) or getattr(section, "__pydantic_fields__", {})
    return [name for name, field in fields.items() if not field.exclude]


def _parts(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))


def _shown(value: object) -> str:
    """Return *value* for people; long text may be a credential in the wrong place."""
    if isinstance(value, Mapping | list | tuple):
        return "this"
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 24 else "this text"
