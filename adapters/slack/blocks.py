"""Block Kit elements that cannot be larger than Slack takes, nor mean more than they say.

There are two kinds of text. What anybody else may have written goes through `plain` or `box`, in
which Slack interprets nothing. Only our own words, marked `Ours`, may be mrkdwn.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NewType, TypeAlias

from adapters.slack import limits
from bot.core.words import in_utc

Element: TypeAlias = dict[str, Any]

#: mrkdwn that Keyturn wrote, every value in it escaped or made by `date`, `link` or `channel`.
Ours = NewType("Ours", str)

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_CHANNEL: Final = re.compile("[CG][A-Z0-9]{2,30}")
#: Under these keys a block has its text and nothing else.
_TEXT_KEYS: Final = frozenset({"text", "title", "label", "hint", "placeholder", "submit", "close"})


class TooLarge(ValueError):
    """More than Slack takes, or nothing: whoever called should have cut it, or spelled it out."""

    def __init__(self, what: str, *, size: int, limit: int) -> None:
        super().__init__(f"{what} is {size}, and Slack takes up to {limit}")


@dataclass(frozen=True, slots=True)
class Message:
    """``text`` is what a notification says: our words alone, since Slack reads it as mrkdwn."""

    text: Ours
    blocks: list[Element]

    def __post_init__(self) -> None:
        _within("a message", len(self.blocks), limits.MESSAGE_BLOCKS)
        _at_most("the text of a message", text_size(self.blocks), limits.CARD_TEXT)


def plain(text: str, *, at_most: int = limits.SECTION_TEXT) -> Element:
    _within("plain text", len(text), at_most)
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: Ours, *, at_most: int = limits.SECTION_TEXT) -> Element:
    _within("mrkdwn", len(text), at_most)
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def bold(words: str) -> Ours:
    return Ours(f"*{words.translate(_ESCAPES)}*")


def date(at: datetime) -> Ours:
    """Return *at* in the zone of whoever reads it."""
    return Ours(f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{in_utc(at)}>")


def link(url: str, words: str) -> Ours:
    """Return a link to *url*, which comes from the settings."""
    safe = url.translate(_ESCAPES).replace("|", "%7C")
    return Ours(f"<{safe}|{words.translate(_ESCAPES)}>")


def channel(place: str) -> Ours:
    """Return the name of the channel *place*, as Slack shows it to those who may see it.

    The workspace may stand before it, with a slash between the two.
    """
    channel_id = place.rpartition("/")[2]
    return Ours(f"<#{channel_id}>") if _CHANNEL.fullmatch(channel_id) else Ours("a channel")


def header(text: str) -> Element:
    return {"type": "header", "text": plain(text, at_most=limits.HEADER_TEXT)}


def section(text: Element, *, accessory: Element | None = None) -> Element:
    block = {"type": "section", "text": text}
    return block if accessory is None else {**block, "accessory": accessory}


def pairs(*named: tuple[Element, Element]) -> Element:
    """Return names and values, side by side where there is room."""
    fields = [cell for pair in named for cell in pair]
    _within("the fields of a section", len(fields), limits.SECTION_FIELDS)
    for cell in fields:
        _within("a field", len(cell["text"]), limits.FIELD_TEXT)
    return {"type": "section", "fields": fields}


def context(*elements: Element) -> Element:
    _within("the elements of a context", len(elements), limits.CONTEXT_ELEMENTS)
    return {"type": "context", "elements": list(elements)}


def actions(*elements: Element) -> Element:
    _within("the buttons in a row", len(elements), limits.ACTIONS)
    return {"type": "actions", "elements": list(elements)}


def divider() -> Element:
    return {"type": "divider"}


def label(words: str) -> Element:
    """Return a line of our own over a `box`."""
    return {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": words, "style": {"bold": True}}],
    }


def remark(words: str) -> Element:
    """Return our own words in place of a `box`."""
    return {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": words, "style": {"italic": True}}],
    }


def box(text: str) -> Element:
    """Return *text* in the font of code, every character as it is."""
    _within("a box", len(text), limits.ACTION_TEXT)
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}


def rich(parts: Sequence[Element]) -> Element:
    return {"type": "rich_text", "elements": list(parts)}


def button(
    words: str,
    action: str,
    *,
    value: str,
    style: str | None = None,
    asks: Element | None = None,
) -> Element:
    _within("the value of a button", len(value), limits.BUTTON_VALUE)
    element = {
        "type": "button",
        "action_id": action,
        "text": plain(words, at_most=limits.BUTTON_TEXT),
        "value": value,
    }
    if style is not None:
        element["style"] = style
    if asks is not None:
        element["confirm"] = asks
    return element


def confirm(*, title: str, text: str, yes: str, no: str) -> Element:
    """Return the question before a button counts: a courtesy, since Slack does not prove it."""
    return {
        "title": plain(title, at_most=limits.CONFIRM_TITLE),
        "text": plain(text, at_most=limits.CONFIRM_TEXT),
        "confirm": plain(yes, at_most=limits.CONFIRM_BUTTON),
        "deny": plain(no, at_most=limits.CONFIRM_BUTTON),
    }


def option(words: str, value: str) -> Element:
    _within("the value of an option", len(value), limits.OPTION_VALUE)
    return {"text": plain(words, at_most=limits.OPTION_TEXT), "value": value}


def overflow(action: str, options: Sequence[Element]) -> Element:
    _within("the options of a menu", len(options), limits.OVERFLOW_OPTIONS)
    return {"type": "overflow", "action_id": action, "options": list(options)}


def radio(action: str, options: Sequence[Element]) -> Element:
    """Return a choice of which the first is chosen."""
    _within("the choices", len(options), limits.CHOICE_OPTIONS)
    return {
        "type": "radio_buttons",
        "action_id": action,
        "options": list(options),
        "initial_option": options[0],
    }


def checkboxes(action: str, options: Sequence[Element]) -> Element:
    _within("the choices", len(options), limits.CHOICE_OPTIONS)
    return {"type": "checkboxes", "action_id": action, "options": list(options)}


def select(action: str, options: Sequence[Element], *, placeholder: str) -> Element:
    _within("the options of a list", len(options), limits.SELECT_OPTIONS)
    return {
        "type": "static_select",
        "action_id": action,
        "options": list(options),
        "placeholder": plain(placeholder, at_most=limits.PLACEHOLDER),
    }


def channel_select(action: str, *, placeholder: str, initial: str | None = None) -> Element:
    """Return a list of the channels that the reader may see."""
    element: Element = {
        "type": "conversations_select",
        "action_id": action,
        "filter": {
            "include": ["public", "private"],
            "exclude_bot_users": True,
            "exclude_external_shared_channels": True,
        },
        "placeholder": plain(placeholder, at_most=limits.PLACEHOLDER),
    }
    return element if initial is None else {**element, "initial_conversation": initial}


def text_input(action: str, *, lines: bool, at_most: int, placeholder: str = "") -> Element:
    _within("the length of an input", at_most, limits.INPUT_TEXT)
    element = {
        "type": "plain_text_input",
        "action_id": action,
        "multiline": lines,
        "max_length": at_most,
    }
    if placeholder:
        element["placeholder"] = plain(placeholder, at_most=limits.PLACEHOLDER)
    return element


def asked(
    words: str, element: Element, *, block: str, optional: bool = False, hint: str = ""
) -> Element:
    """Return an input of a modal; its answer is found under *block* and the element's own id."""
    asked_for = {
        "type": "input",
        "block_id": block,
        "label": plain(words, at_most=limits.INPUT_LABEL),
        "element": element,
        "optional": optional,
    }
    if hint:
        asked_for["hint"] = plain(hint, at_most=limits.INPUT_HINT)
    return asked_for


def modal(
    title: str,
    blocks: Sequence[Element],
    *,
    callback: str,
    metadata: str = "",
    submit: str | None = None,
    close: str = "Close",
) -> Element:
    """Return a modal; one without *submit* cannot be sent."""
    _within("the blocks of a modal", len(blocks), limits.VIEW_BLOCKS)
    _at_most("the text of a modal", text_size(blocks), limits.VIEW_TEXT)
    _at_most("metadata", len(metadata), limits.PRIVATE_METADATA)
    view: Element = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, at_most=limits.VIEW_TITLE),
        "close": plain(close, at_most=limits.VIEW_TITLE),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }
    if submit is not None:
        view["submit"] = plain(submit, at_most=limits.VIEW_TITLE)
    return view


def home(blocks: Sequence[Element]) -> Element:
    _within("the blocks of a Home", len(blocks), limits.VIEW_BLOCKS)
    _at_most("the text of a Home", text_size(blocks), limits.VIEW_TEXT)
    return {"type": "home", "blocks": list(blocks)}


def text_size(blocks: Iterable[Element]) -> int:
    """Return how many characters of text there are in *blocks*."""
    return sum(map(len, texts_of(blocks)))


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in *value*, in order."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in _TEXT_KEYS and isinstance(member, str):
                yield member
            else:
                yield from texts_of(member)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for member in value:
            yield from texts_of(member)


def _within(what: str, size: int, limit: int) -> None:
    if size < 1:
        raise TooLarge(what, size=size, limit=limit)
    _at_most(what, size, limit)


def _at_most(what: str, size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(what, size=size, limit=limit)
