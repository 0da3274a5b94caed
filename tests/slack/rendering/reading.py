"""How to look at what is sent to Slack: what is ours in it, and what is only text."""

from collections.abc import Iterator
from typing import Any

from adapters.slack.blocks import texts_of
from adapters.slack.testing.limits import check_message, check_view

_BLANK = "…"


def skeleton(value: Any) -> Any:
    """Return *value* without the text of the elements in which Slack interprets nothing.

    What is left is what Slack acts on: kinds and order of elements, mrkdwn, styles, ids.
    """
    if isinstance(value, list):
        return [skeleton(member) for member in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "plain_text":
        return {**value, "text": _BLANK}
    if value.get("type") == "rich_text_preformatted":
        (leaf,) = value["elements"]
        assert set(leaf) == {"type", "text"}
        return {**value, "elements": [{**leaf, "text": _BLANK}]}
    return {key: skeleton(member) for key, member in value.items()}


def elements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every element in *value*, itself too."""
    if isinstance(value, list):
        for member in value:
            yield from elements(member)
    elif isinstance(value, dict):
        yield value
        yield from elements(list(value.values()))


def action_ids(value: Any) -> list[str]:
    return [element["action_id"] for element in elements(value) if "action_id" in element]


def all_text(value: Any) -> str:
    return "\n".join(texts_of(value))


def check(sent: dict[str, Any]) -> None:
    """Refuse *sent* where Slack would; a list of blocks is a message."""
    if sent.get("type") in {"modal", "home"}:
        check_view(sent)
        return
    check_message({"text": "Keyturn", **sent})
