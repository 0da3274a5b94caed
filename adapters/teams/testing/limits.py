"""What Teams takes, and a little less: an activity that passes here is shown there."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.teams.testing.calls import Refusal
from adapters.teams.testing.world import ADAPTIVE, Json

#: Of the activity as JSON, two bytes a character. Teams takes more, but does not say how much.
MOST_BYTES: Final = 28 * 1024
_VERSION: Final = (1, 5)
_MOST_ACTIONS: Final = 6
_ELEMENTS: Final = frozenset(
    {
        *("AdaptiveCard", "TextBlock", "RichTextBlock", "TextRun", "Container", "ColumnSet"),
        *("Column", "FactSet", "Image", "ImageSet", "ActionSet", "Table", "TableRow", "TableCell"),
        *("Input.Text", "Input.ChoiceSet", "Input.Toggle", "Input.Number", "Input.Date"),
        *("Action.Execute", "Action.Submit", "Action.OpenUrl", "Action.ShowCard"),
        "Action.ToggleVisibility",
    }
)
_ACTIONS: Final = ("actions", "selectAction")


def check_activity(activity: Mapping[str, Any]) -> None:
    """Refuse what Teams would refuse, split, or show as another thing."""
    size = len(json.dumps(activity, ensure_ascii=False).encode("utf-16-le"))
    if size > MOST_BYTES:
        raise Refusal(413, "MessageSizeTooBig", f"Message size too large: {size}")
    if activity.get("type") != "message":
        raise Refusal(400, "BadSyntax", "Unknown activity type")
    attachments = activity.get("attachments") or []
    if not attachments:
        if not activity.get("text"):
            raise Refusal(400, "BadSyntax", "Neither text nor attachments")
        return
    if len(attachments) != 1:
        raise Refusal(400, "BadSyntax", "More than one attachment: only one id would be told")
    # Teams splits such an activity into two, and tells the id of neither.
    if activity.get("text"):
        raise Refusal(400, "BadSyntax", "Text beside an attachment")
    if attachments[0].get("contentType") == ADAPTIVE:
        check_card(attachments[0].get("content"))
        if not activity.get("summary"):
            raise Refusal(400, "BadSyntax", "No summary: the notification would say nothing")


def check_card(card: Any) -> None:
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise Refusal(400, "BadSyntax", "Not an Adaptive Card")
    parts = str(card.get("version", "")).split(".")
    version = tuple(int(part) for part in parts) if all(p.isdigit() for p in parts) else (9,)
    if version > _VERSION:
        raise Refusal(400, "BadSyntax", f"Version {card.get('version')} shows its fallbackText")
    for element in elements_of(card):
        _check_element(element, version)


def _check_element(element: Json, version: tuple[int, ...]) -> None:
    kind = element["type"]
    if kind not in _ELEMENTS:
        raise Refusal(400, "BadSyntax", f"Unknown element {kind}")
    if kind == "Action.Execute" and version < (1, 4):
        raise Refusal(400, "BadSyntax", "Action.Execute needs version 1.4")
    if kind == "AdaptiveCard" and len(element.get("actions") or []) > _MOST_ACTIONS:
        raise Refusal(400, "BadSyntax", f"More than {_MOST_ACTIONS} actions on a card")
    if kind == "TextRun" and "{{" in element.get("text", ""):
        raise Refusal(400, "BadSyntax", "A TextRun would be expanded")


def elements_of(value: Any) -> Iterator[Json]:
    """Yield every element and action of a card, from the top down, fallbacks included."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value
        for name, member in value.items():
            # What a button carries, and Teams' own extensions, are no elements.
            if name not in {"data", "msteams"}:
                yield from elements_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from elements_of(member)


def texts_of(value: Any) -> list[str]:
    """Return all that can be read on a card, in order: texts, titles, labels and placeholders."""
    found: list[str] = []
    if isinstance(value, dict):
        if value.get("type") == "RichTextBlock":
            return ["".join(_run(run) for run in value.get("inlines") or [])]
        for name, member in value.items():
            if name in {"data", "fallback", "msteams", "refresh", "fallbackText", "speak"}:
                continue
            if name in {"text", "title", "label", "placeholder", "altText"} and isinstance(
                member, str
            ):
                found.append(member)
            elif isinstance(member, dict | list):
                found += texts_of(member)
    elif isinstance(value, list):
        for member in value:
            found += texts_of(member)
    return found


def _run(run: Any) -> str:
    return run if isinstance(run, str) else str(run.get("text", ""))
