"""What is wrong with a section of the settings, in words for whoever edits the file."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

_NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


def read_section(
    model: type[M],
    section: Mapping[str, object],
    *,
    place: str,
    problems: list[str],
    patterns: Mapping[str, str] = _NO_WORDS,
) -> M | None:
    """Return *section* as a *model*; None where *problems* then says what is wrong with it.

    *patterns* says in words, by key, how a value has to look.
    """
    try:
        return model.model_validate(section)
    except ValidationError as error:
        problems += problems_in(error, place, patterns=patterns)
    return None


def problems_in(
    error: ValidationError, place: str, *, patterns: Mapping[str, str] = _NO_WORDS
) -> Iterator[str]:
    """Yield each thing that is wrong with the section at *place*, with its own place."""
    for detail in error.errors(include_url=False, include_input=False):
        where = place
        for step in detail["loc"]:
            where += f"[{step}]" if isinstance(step, int) else f".{step}"
        words = None
        if detail["type"] == "string_pattern_mismatch":
            words = next((patterns[str(step)] for step in detail["loc"] if step in patterns), None)
        yield f"{where}: {words or words_for(detail)}"


def words_for(detail: ErrorDetails) -> str:
    """Return what is wrong at one place of a section, and what to do."""
    match detail["type"]:
        case "missing":
            return "this is missing: add it"
        case "extra_forbidden":
            return "there is no such key here: remove it, or correct its spelling"
        case "model_type" | "dict_type":
            return "this should be a mapping"
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case _:
            return detail["msg"].replace("Input should be", "this should be")
