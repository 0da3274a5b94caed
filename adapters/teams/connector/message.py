"""A message as Teams gets it: the agent's text as text alone, which Teams never interprets.

It stands in the text runs of a card, where no Markdown and no HTML means anything. A message of
plain text would do both.
"""

import json
import re
from typing import Any, Final

from bot.core.canonical import Json

MAX_TEXT_CHARS: Final = 4_000
MAX_LINES: Final = 100
#: Of the activity as JSON, two bytes a character as Teams counts.
MAX_BYTES: Final = 27_000

CARD: Final = "application/vnd.microsoft.card.adaptive"
#: In notifications, where clients differ in what they make of a text.
SUMMARY: Final = "A message"

#: A space that a page does not fold into the one before it, nor leaves out of an empty line.
_HARD_SPACE: Final = "\u00a0"
_TAB: Final = " " * 4
_FOLDED: Final = re.compile(r"(?:(?<= )|\A) +")
#: `{{DATE(…)}}` is expanded even in a run; never with its braces in two.
_BETWEEN_BRACES: Final = re.compile(r"(?<=\{)(?=\{)")


def activity_of(text: str) -> dict[str, Json]:
    """Return the activity that shows *text* as it is, line for line."""
    body: list[Json] = [
        {
            "type": "RichTextBlock",
            "spacing": "None",
            "inlines": [
                {"type": "TextRun", "text": piece} for piece in _BETWEEN_BRACES.split(_kept(line))
            ],
        }
        for line in text.split("\n")
    ]
    card: dict[str, Json] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": SUMMARY,
        "body": body,
        "msteams": {"width": "Full"},
    }
    return {
        "type": "message",
        "summary": SUMMARY,
        "attachments": [{"contentType": CARD, "content": card}],
    }


def text_of(activity: Any) -> str:
    """Return the text that an activity of :func:`activity_of` shows, its tabs as spaces."""
    (attachment,) = activity["attachments"]
    blocks = attachment["content"]["body"]
    lines = ["".join(run["text"] for run in block["inlines"]) for block in blocks]
    return "\n".join("" if line == _HARD_SPACE else _shown(line) for line in lines)


def is_too_large(text: str) -> bool:
    """Return whether Teams would not take *text*."""
    return len(json.dumps(activity_of(text), ensure_ascii=False).encode("utf-16-le")) > MAX_BYTES


def _kept(line: str) -> str:
    """Return *line* so that its indentation is drawn, and an empty one takes room."""
    spaced = line.replace("\t", _TAB)
    return _FOLDED.sub(lambda run: _HARD_SPACE * len(run[0]), spaced) or _HARD_SPACE


def _shown(line: str) -> str:
    return line.replace(_HARD_SPACE, " ")
