"""What is wrong with a section of the settings, in words for whoever edits the file."""

from collections.abc import Iterator

from pydantic import ValidationError


def problems_in(error: ValidationError, place: str) -> Iterator[str]:
    """Yield each thing that is wrong with the section at *place*, with its own place."""
    for detail in error.errors(include_url=False, include_input=False):
        where = place
        for step in detail["loc"]:
            where += f"[{step}]" if isinstance(step, int) else f".{step}"
        match detail["type"]:
            case "missing":
                words = "this is missing: add it"
            case "extra_forbidden":
                words = "there is no such key here: remove it, or correct its spelling"
            case "model_type" | "dict_type":
                words = "this should be a mapping"
            case "value_error":
                words = detail["msg"].removeprefix("Value error, ")
            case _:
                words = detail["msg"].replace("Input should be", "this should be")
        yield f"{where}: {words}"
