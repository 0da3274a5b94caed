"""How to look at what is sent to Teams: what is ours in it, and what is only text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema.validators import validator_for

_BLANK = "…"
_ANY_TEXT = frozenset({"text", "about", "agent", "halt", "code", "place", "route", "userIds"})


def card_in(activity: Mapping[str, Any]) -> dict[str, Any]:
    (attachment,) = activity["attachments"]
    card: dict[str, Any] = attachment["content"]
    return card


def skeleton(value: Any) -> Any:
    """Return *value* without the text of runs, in which clients interpret nothing.

    What is left is what a client acts on: kinds and order of elements, our words, looks, data.
    """
    if isinstance(value, list):
        return [skeleton(member) for member in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "TextRun":
        return {**value, "text": _BLANK}
    return {key: skeleton(member) for key, member in value.items()}


def elements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every element in *value*, itself too."""
    if isinstance(value, list):
        for member in value:
            yield from elements(member)
    elif isinstance(value, dict):
        yield value
        yield from elements(list(value.values()))


def runs_in(value: Any) -> list[str]:
    return [one["text"] for one in elements(value) if one.get("type") == "TextRun"]


def strings_outside_runs(value: Any) -> Iterator[str]:
    """Yield every string in *value* that is not the text of a run, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from strings_outside_runs(member)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            if not (value.get("type") == "TextRun" and key == "text"):
                yield from strings_outside_runs(member)


def presses(value: Any) -> list[dict[str, Any]]:
    """Return every button that is answered, in order."""
    return [one for one in elements(value) if one.get("type") == "Action.Execute"]


def verbs_of(card: Any) -> list[str]:
    """Return what can be pressed on *card*; asking for it again is no button."""
    return [one["verb"] for one in presses([card["body"], card.get("actions", [])])]


@cache
def _schema() -> Any:
    path = files("adaptive_cards") / "schemas" / "schema-1.5.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return validator_for(schema)(schema)


def complaints(card: Mapping[str, Any]) -> Sequence[str]:
    """Return what the official schema of Adaptive Cards 1.5 finds wrong with *card*."""
    # Teams' own extension is not part of it.
    plain = {key: member for key, member in card.items() if key != "msteams"}
    return _complaints(json.dumps(_shape(plain)))


@cache
def _complaints(card: str) -> Sequence[str]:
    # Looking takes long, and most cards have a shape that was seen before.
    return [error.message[:200] for error in _schema().iter_errors(json.loads(card))]


def _shape(value: Any, key: str = "") -> Any:
    """Return *value* without the texts that may be any text."""
    if isinstance(value, dict):
        return {name: _shape(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [_shape(member, key) for member in value]
    return "" if isinstance(value, str) and key in _ANY_TEXT else value
