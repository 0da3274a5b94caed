"""Adaptive Card elements that mean no more than they say, and cards that Teams takes.

There are two kinds of text. What anybody else may have written stands in the runs of a `quoted`,
in which clients interpret nothing. Only our own words, marked `Ours`, may be Markdown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NewType, TypeAlias

import orjson

from adapters.teams import limits
from adapters.teams.pressable import Verb
from adapters.teams.text import as_shown, run_of

Element: TypeAlias = dict[str, Any]

#: Words of Keyturn alone: clients read Markdown in them, and replace dates by those of the reader.
Ours = NewType("Ours", str)

_CONTENT_TYPE: Final = "application/vnd.microsoft.card.adaptive"
#: Under these keys an element has its text and nothing else.
_TEXT_KEYS: Final = ("text", "title", "label", "placeholder", "errorMessage", "value")


class TooLarge(ValueError):
    """More than Teams takes: whoever called should have shown less."""

    def __init__(self, what: str, *, size: int, limit: int) -> None:
        super().__init__(f"{what} is {size}, and at most {limit} are sent")


@dataclass(frozen=True, slots=True)
class Message:
    """``summary`` is what a notification says: our words alone."""

    summary: Ours
    card: Element

    def activity(self) -> Element:
        """Return the message: text beside the card would make Teams send two, and name neither."""
        return {
            "type": "message",
            "summary": self.summary,
            "attachments": [{"contentType": _CONTENT_TYPE, "content": self.card}],
            "channelData": {"notification": {"alert": True}},
        }


def ours(words: str, **look: Any) -> Element:
    """Return our own words; *look* is how they look."""
    return {"type": "TextBlock", "text": words, "wrap": True, **look}


def heading(words: str) -> Element:
    return ours(words, style="heading", size="Large", weight="Bolder")


def title(words: str) -> Element:
    """Return the words over a part of a card."""
    return ours(words, weight="Bolder", spacing="Large")


def label(words: str, **look: Any) -> Element:
    """Return the words over one value."""
    return ours(words, **{"size": "Small", "isSubtle": True, **look})


def when(at: datetime) -> Ours:
    """Return *at* in the zone and the words of whoever reads it."""
    utc = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Ours(f"{{{{DATE({utc}, SHORT)}}}}, {{{{TIME({utc})}}}}")


def said(shown: str, **look: Any) -> list[Element]:
    """Return *shown* text of others as inlines of a `quoted`, in the font of the card."""
    return [{"type": "TextRun", "text": run_of(shown), **look}]


def exact(shown: str, **look: Any) -> list[Element]:
    """Return *shown* text as inlines, in a font in which no two letters look alike."""
    return said(shown, fontType="Monospace", **look)


def between(words: str, **look: Any) -> Element:
    """Return our own words as a run, between those of others."""
    return {"type": "TextRun", "text": words, **look}


def quoted(inlines: Sequence[Element], **look: Any) -> Element:
    return {"type": "RichTextBlock", "inlines": list(inlines), **look}


def box(items: Sequence[Element], *, style: str = "emphasis", **look: Any) -> Element:
    return {"type": "Container", "style": style, "items": list(items), **look}


def execute(
    title: str,
    verb: Verb,
    data: Mapping[str, str],
    *,
    style: str | None = None,
) -> Element:
    """Return a button; clients that do not know how to wait for its answer send a message."""
    look: Element = {"title": title}
    if style is not None:
        look["style"] = style
    instead = {"type": "Action.Submit", "title": title, "data": {"verb": verb.value, **data}}
    return {
        "type": "Action.Execute",
        **look,
        "verb": verb.value,
        "data": dict(data),
        "fallback": instead,
    }


def open_url(title: str, url: str, *, style: str | None = None) -> Element:
    """Return a button that opens *url*, which comes from the settings."""
    action = {"type": "Action.OpenUrl", "title": title, "url": url}
    return action if style is None else {**action, "style": style}


def show_card(
    title: str, body: Sequence[Element], actions: Sequence[Element], *, style: str | None = None
) -> Element:
    """Return a button that opens a question inside the card."""
    inner = {"type": "AdaptiveCard", "body": list(body), "actions": list(actions)}
    action: Element = {"type": "Action.ShowCard", "title": title, "card": inner}
    return action if style is None else {**action, "style": style}


def buttons(*actions: Element) -> Element:
    """Return buttons between other elements."""
    return {"type": "ActionSet", "actions": list(actions), "spacing": "Small"}


def minor(actions: Sequence[Element]) -> list[Element]:
    """Return a row of which all but the first are in a menu: a narrow window cuts long rows."""
    if not actions:
        return []
    first, *others = actions
    return [buttons(first, *({**action, "mode": "secondary"} for action in others))]


def text_input(
    over: str,
    key: str,
    *,
    at_most: int,
    lines: bool = True,
    missing: str | None = None,
    **more: str,
) -> Element:
    """Return a field to write in; with *missing*, what is said where nothing was written."""
    field: Element = {
        "type": "Input.Text",
        "id": key,
        "label": over,
        "maxLength": at_most,
        "isMultiline": lines,
        **more,
    }
    return field if missing is None else {**field, "isRequired": True, "errorMessage": missing}


def choice(
    over: str,
    key: str,
    choices: Sequence[tuple[str, str]],
    *,
    chosen: str = "",
    many: bool = False,
    missing: str,
) -> Element:
    """Return a choice among our own words, each with its value."""
    field: Element = {
        "type": "Input.ChoiceSet",
        "id": key,
        "label": over,
        "style": "expanded",
        "wrap": True,
        "isMultiSelect": many,
        "isRequired": True,
        "errorMessage": missing,
        "choices": [{"title": said_so, "value": value} for said_so, value in choices],
    }
    return {**field, "value": chosen} if chosen else field


def card(
    body: Sequence[Element],
    actions: Sequence[Element] = (),
    *,
    instead: str,
    refresh: Element | None = None,
) -> Element:
    """Return a card; *instead*, our words, is what a client shows that cannot show it.

    Raises:
        TooLarge: it has more bytes or more buttons than Teams takes.
    """
    made: Element = {
        "type": "AdaptiveCard",
        "version": limits.VERSION,
        "fallbackText": instead,
        "msteams": {"width": "Full"},
        "body": list(body),
    }
    if refresh is not None:
        made["refresh"] = refresh
    if actions:
        made["actions"] = list(actions)
    if len(actions) > limits.ACTIONS:
        raise TooLarge("a row of buttons", size=len(actions), limit=limits.ACTIONS)
    size = size_of(made)
    if size > limits.CARD_BYTES:
        raise TooLarge("a card", size=size, limit=limits.CARD_BYTES)
    return made


def size_of(made: Any) -> int:
    """Return how many bytes the JSON of *made* has in UTF-16."""
    return len(orjson.dumps(made).decode().encode("utf-16-le"))


def texts_of(made: Any) -> Iterator[str]:
    """Yield every text that is read in *made*, in order; the runs of a block are one."""
    if isinstance(made, Mapping):
        if made.get("type") == "RichTextBlock":
            yield as_shown("".join(run["text"] for run in made["inlines"]))
            return
        for key in _TEXT_KEYS:
            if isinstance(made.get(key), str) and not _is_choice(made, key):
                yield made[key]
        for key, member in made.items():
            if key not in {"fallback", "refresh", "data", "msteams"}:
                yield from texts_of(member)
    elif isinstance(made, Sequence) and not isinstance(made, str):
        for member in made:
            yield from texts_of(member)


def _is_choice(made: Mapping[str, Any], key: str) -> bool:
    """Tell whether *key* of *made* is what a choice stands for, which nobody reads."""
    return key == "value" and ("type" not in made or made["type"] == "Input.ChoiceSet")
