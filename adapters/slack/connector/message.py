"""A message as Slack gets it: the agent's text as text alone, which Slack never interprets.

The text stands in a rich text block, where only elements mean something and we put none but text
there. The notification beside it is mrkdwn, so what mrkdwn would read is escaped.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.core.canonical import Json

EVENT_TYPE: Final = "keyturn_action"
#: The block's own limit is 3,000 in every other text of Slack; for rich text it names none.
MAX_TEXT_CHARS: Final = 3_000
MAX_MENTIONS: Final = 10
EVERYBODY: Final = ("here", "channel", "everyone")

_NOTIFIED_CHARS: Final = 600
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escaped(text: str) -> str:
    """Return *text* so that mrkdwn finds no mention and no link in it."""
    return text.translate(_ESCAPES)


def body_of(text: str, *, mention: Sequence[str], key: str) -> dict[str, Json]:
    """Return what both posting and changing a message say about its content.

    *key* is found again in the message by whoever looks whether it was written.
    """
    blocks: list[Json] = []
    if mention:
        words = " ".join(map(_mentioned, mention))
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": words}})
    inner: Json = [{"type": "text", "text": text}]
    section: Json = {"type": "rich_text_section", "elements": inner}
    blocks.append({"type": "rich_text", "elements": [section]})
    return {
        "text": _notification(text),
        "blocks": blocks,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
    }


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a *message* as people read it: what was written, where we wrote it."""
    for block in _mappings(message.get("blocks")):
        if block.get("type") == "rich_text":
            return "".join(_texts(block))
    return html.unescape(str(message.get("text") or ""))


def key_of(message: Mapping[str, Any]) -> str | None:
    """Return the key under which Keyturn wrote *message*; None where Slack shows none."""
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    key = payload.get("key") if isinstance(payload, Mapping) else None
    return key if isinstance(key, str) else None


def _notification(text: str) -> str:
    if len(text) > _NOTIFIED_CHARS:
        return f"{escaped(text[:_NOTIFIED_CHARS])}…"
    return escaped(text)


def _mentioned(name: str) -> str:
    if name in EVERYBODY:
        return f"<!{name}>"
    return f"<!subteam^{name}>" if name.startswith("S") else f"<@{name}>"


def _texts(element: Mapping[str, Any]) -> Iterator[str]:
    if element.get("type") == "text":
        yield str(element.get("text", ""))
    for one in _mappings(element.get("elements")):
        yield from _texts(one)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in value or () if isinstance(one, Mapping))
