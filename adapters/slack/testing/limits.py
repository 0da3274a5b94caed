"""What Slack refuses to show, and a little more: whoever passes here passes there.

The validators of slack_sdk.models come first; what they let through is checked by the tables
below. Sources: Slack's Block Kit reference and the registry of the slackblocks project.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View as SdkView

from adapters.slack.testing.calls import Refusal
from adapters.slack.testing.world import Json

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
#: Slack refuses near 12,000, with an overhead that it does not document.
ALL_TEXT_CHARS: Final = 11_000
TOP_TEXT_CHARS: Final = 4_000
VIEW_BYTES: Final = 250_000
METADATA_BYTES: Final = 16_384
ID_CHARS: Final = 255

_PLAIN: Final = frozenset({"plain_text"})
_TEXT: Final = frozenset({"plain_text", "mrkdwn"})
_BUTTON_KEYS: Final = frozenset(
    {"type", "action_id", "text", "value", "url", "style", "confirm", "accessibility_label"}
)
#: What may stand in a block of each type, apart from its type and block_id.
_KEYS: Final = {
    "header": {"text"},
    "section": {"text", "fields", "accessory", "expand"},
    "context": {"elements"},
    "actions": {"elements"},
    "divider": set[str](),
    "rich_text": {"elements"},
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
    "alert": {"text", "level"},
}
_IN_VIEWS_ALONE: Final = frozenset({"input", "alert"})
_OPTIONS_MAX: Final = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}
_ELEMENTS: Final = frozenset(
    {
        *("button", "overflow", "static_select", "multi_static_select", "checkboxes"),
        *("radio_buttons", "plain_text_input", "conversations_select", "channels_select"),
        *("multi_conversations_select", "multi_channels_select"),
    }
)


def check_message(args: Json) -> None:
    """Refuse the message of *args* as ``chat.postMessage`` and ``chat.update`` would.

    Raises:
        Refusal: with the code of Slack.
    """
    if args.get("attachments"):
        raise _invalid("attachments are not for cards")
    text, blocks = args.get("text"), _listed(args.get("blocks"))
    if not isinstance(text, str) or not text.strip():
        raise Refusal("no_text")
    if len(text) > TOP_TEXT_CHARS:
        raise Refusal("msg_too_long")
    if len(blocks) > MESSAGE_BLOCKS:
        raise _invalid("more than 50 blocks")
    _check_blocks(blocks, in_view=False)
    if sum(map(len, texts_of(blocks))) + len(text) > ALL_TEXT_CHARS:
        raise Refusal("msg_blocks_too_long")
    _check_metadata(args.get("metadata"))


def check_view(view: Any) -> Json:
    """Return *view* parsed; refuse it as ``views.*`` would.

    Raises:
        Refusal: with the code of Slack.
    """
    if isinstance(view, str):
        view = json.loads(view)
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        raise _invalid("a view is a modal or a home")
    is_modal = view["type"] == "modal"
    for name in ("title", "submit", "close"):
        if name in view:
            if not is_modal:
                raise _invalid(f"a home has no {name}")
            _text(view[name], chars=24, kinds=_PLAIN, where=name)
    if is_modal and "title" not in view:
        raise _invalid("a modal has a title")
    blocks = _listed(view.get("blocks"))
    if len(blocks) > VIEW_BLOCKS or not blocks:
        raise _invalid("1 to 100 blocks")
    _check_blocks(blocks, in_view=True)
    has_input = any(block["type"] == "input" for block in blocks)
    if is_modal and has_input != ("submit" in view):
        raise _invalid("submit stands exactly where there is an input")
    if len(view.get("private_metadata", "")) > 3000 or len(view.get("callback_id", "")) > ID_CHARS:
        raise _invalid("private_metadata or callback_id is too long")
    if len(json.dumps(view)) > VIEW_BYTES:
        raise Refusal("view_too_large")
    try:
        SdkView(**view).to_dict()
    except (SlackObjectFormationError, TypeError) as error:
        raise _invalid(str(error)) from None
    return view


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in *value* that people read."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for member in value.values():
            yield from texts_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_of(member)


def _check_blocks(blocks: list[Any], *, in_view: bool) -> None:
    ids: set[str] = set()
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") not in _KEYS:
            raise _invalid(f"no block of ours: {block!r:.80}")
        kind = block["type"]
        if kind in _IN_VIEWS_ALONE and not in_view:
            raise _invalid(f"{kind} is for modals")
        unknown = set(block) - _KEYS[kind] - {"type", "block_id"}
        if unknown:
            raise _invalid(f"{kind} has no {sorted(unknown)}")
        _unique(block.get("block_id"), ids, "block_id")
        _check_block(block)
    _check_actions(blocks)
    try:
        for parsed in Block.parse_all(blocks):
            parsed.to_dict()
    except (SlackObjectFormationError, TypeError) as error:
        raise _invalid(str(error)) from None


def _check_block(block: Json) -> None:
    match block["type"]:
        case "header":
            _text(block.get("text"), chars=150, kinds=_PLAIN, where="header")
        case "section":
            if "text" not in block and "fields" not in block:
                raise _invalid("a section without text")
            if "text" in block:
                _text(block["text"], chars=3000, kinds=_TEXT, where="section")
            fields = _listed(block.get("fields", []))
            if len(fields) > 10 or ("fields" in block and not fields):
                raise _invalid("1 to 10 fields")
            for one in fields:
                _text(one, chars=2000, kinds=_TEXT, where="field")
            if "accessory" in block:
                _element(block["accessory"])
        case "context":
            elements = _listed(block.get("elements"))
            if not 1 <= len(elements) <= 10:
                raise _invalid("1 to 10 elements of context")
            for one in elements:
                _text(one, chars=2000, kinds=_TEXT, where="context")
        case "actions":
            elements = _listed(block.get("elements"))
            if not 1 <= len(elements) <= 25:
                raise _invalid("1 to 25 actions")
            for one in elements:
                _element(one)
            if sum(one.get("style") == "primary" for one in elements) > 1:
                raise _invalid("one primary button at most")
        case "input":
            _text(block.get("label"), chars=2000, kinds=_PLAIN, where="label")
            if "hint" in block:
                _text(block["hint"], chars=2000, kinds=_PLAIN, where="hint")
            _element(block.get("element"))
        case "rich_text":
            _rich(_listed(block.get("elements")))
        case "alert":
            _text(block.get("text"), chars=200, kinds=_TEXT, where="alert")
        case _:
            return


def _rich(elements: list[Any]) -> None:
    if not elements:
        raise _invalid("empty rich text")
    for one in elements:
        kind = one.get("type")
        if kind == "rich_text_list":
            _rich(_listed(one.get("elements")))
        elif kind in {"rich_text_section", "rich_text_preformatted", "rich_text_quote"}:
            inner = _listed(one.get("elements"))
            if not inner:
                raise _invalid("empty rich text")
            for leaf in inner:
                if leaf.get("type") != "text" or set(leaf) - {"type", "text", "style"}:
                    raise _invalid(f"rich text holds {leaf.get('type')}, and ours holds text alone")
                if not isinstance(leaf.get("text"), str) or not leaf["text"]:
                    raise _invalid("empty text in rich text")
        else:
            raise _invalid(f"no rich text element {kind}")


def _element(element: Any) -> None:
    if not isinstance(element, dict) or element.get("type") not in _ELEMENTS:
        raise _invalid(f"no element of ours: {element!r:.80}")
    kind = element["type"]
    if not element.get("action_id") or len(element["action_id"]) > ID_CHARS:
        raise _invalid("an element has an action_id of 1 to 255 characters")
    if kind == "button":
        if set(element) - _BUTTON_KEYS:
            raise _invalid(f"a button has no {sorted(set(element) - _BUTTON_KEYS)}")
        _text(element.get("text"), chars=75, kinds=_PLAIN, where="button")
        if len(element.get("value", "")) > 2000 or len(element.get("url", "")) > 3000:
            raise _invalid("the value or url of a button is too long")
        if element.get("style", "primary") not in {"primary", "danger"}:
            raise _invalid("no such style")
        if len(element.get("accessibility_label", "")) > 75:
            raise _invalid("accessibility_label is too long")
    if "options" in element:
        options = _listed(element["options"])
        if not 1 <= len(options) <= _OPTIONS_MAX.get(kind, 100):
            raise _invalid(f"too few or too many options of {kind}")
        if len({option["value"] for option in options}) < len(options):
            raise _invalid("two options with one value")
        for option in options:
            _text(option.get("text"), chars=75, kinds=_TEXT, where="option")
            if len(option["value"]) > 150:
                raise _invalid("the value of an option is too long")
    if "placeholder" in element:
        _text(element["placeholder"], chars=150, kinds=_PLAIN, where="placeholder")
    if element.get("max_length", 1) > 3000:
        raise _invalid("max_length is 3000 at most")
    if "confirm" in element:
        confirm = element["confirm"]
        _text(confirm.get("title"), chars=100, kinds=_PLAIN, where="confirm title")
        _text(confirm.get("text"), chars=300, kinds=_TEXT, where="confirm text")
        for name in ("confirm", "deny"):
            _text(confirm.get(name), chars=30, kinds=_PLAIN, where=f"confirm {name}")


def _check_actions(blocks: list[Json]) -> None:
    for block in blocks:
        ids: set[str] = set()
        elements = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in elements:
            if isinstance(element, dict) and "action_id" in element:
                _unique(element["action_id"], ids, "action_id")


def _unique(name: Any, taken: set[str], what: str) -> None:
    if name is None:
        return
    if not isinstance(name, str) or not 1 <= len(name) <= ID_CHARS or name in taken:
        raise _invalid(f"{what} {name!r:.80} is empty, too long or there twice")
    taken.add(name)


def _text(value: Any, *, chars: int, kinds: frozenset[str], where: str) -> None:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        raise _invalid(f"{where} is not {sorted(kinds)}")
    if set(value) - {"type", "text", "emoji", "verbatim"}:
        raise _invalid(f"{where} has more than text")
    if value["type"] == "mrkdwn" and "emoji" in value:
        raise _invalid(f"{where} is mrkdwn and has emoji")
    if not isinstance(value.get("text"), str) or not 1 <= len(value["text"]) <= chars:
        raise _invalid(f"{where} is empty or longer than {chars}")


def _check_metadata(metadata: Any) -> None:
    if metadata is None:
        return
    if isinstance(metadata, str):
        metadata = json.loads(metadata)
    if set(metadata) != {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise Refusal("metadata_too_large")


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = json.loads(value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _invalid("this is not a list")
    return value


def _invalid(why: str) -> Refusal:
    return Refusal("invalid_blocks", response_metadata={"messages": [f"[ERROR] {why}"]})
