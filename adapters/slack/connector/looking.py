"""Whether something was written, told by the key that Keyturn puts into each message's metadata."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.slack.connector.client import Client, Done, Refused
from adapters.slack.connector.message import key_of
from adapters.slack.connector.observe import Message, Observer
from adapters.slack.connector.outcome import in_words
from adapters.slack.connector.params import Deed, Wanted
from bot.once import NoAnswer, NotSent
from bot.ports.connector import Absent, Found, LookedUp, Unknown

_PAGES: Final = 5
_PAGE: Final = "200"
#: Slack's clock and ours may differ by this much.
_SKEW_S: Final = 300.0


async def look_for(
    wanted: Wanted,
    *,
    key: str,
    client: Client,
    observer: Observer,
    within_s: float,
    sent_at: float | None,
) -> LookedUp:
    """Return whether *wanted* was carried out under *key*.

    *sent_at* is when, in seconds since 1970, where that is known.
    """
    if wanted.deed.changes_message:
        return _changed(await observer.message(wanted.place), wanted.deed, key)
    method = "conversations.history" if wanted.deed is Deed.POST else "conversations.replies"
    params = {"channel": wanted.place.channel, "limit": _PAGE, "include_all_metadata": "true"}
    if wanted.place.ts is not None:
        params["ts"] = wanted.place.ts
    if sent_at is not None:
        params["oldest"] = f"{max(sent_at - _SKEW_S, 0):.6f}"
    for _ in range(_PAGES):
        answer = await client.read(method, within_s=within_s, **params)
        if not isinstance(answer, Done):
            return _not_told(answer)
        messages = answer.told.get("messages")
        if not isinstance(messages, list):
            return Unknown(detail="Slack's answer cannot be read.")
        for message in messages:
            if isinstance(message, Mapping) and key_of(message) == key:
                return Found(reference=str(message.get("ts") or "") or None)
        cursor = _cursor(answer.told)
        if answer.told.get("has_more") is not True:
            return Absent()
        if not cursor:
            break
        params["cursor"] = cursor
    return Unknown(detail="There are too many messages since. Look in the channel.")


def _changed(message: Message, deed: Deed, key: str) -> LookedUp:
    if not isinstance(message, Mapping):
        return _not_told(message)
    if deed is Deed.DELETE:
        return Absent() if message else Found()
    if not message:
        return Unknown(detail="The message is not there any more.")
    if key_of(message) == key:
        return Found(reference=str(message.get("ts") or "") or None)
    return Absent()


def _not_told(answer: Refused | NotSent | NoAnswer) -> Unknown:
    match answer:
        case Refused():
            return Unknown(detail=f"Slack refused to say: {in_words(answer)}.")
        case NotSent(detail=detail) | NoAnswer(detail=detail):
            return Unknown(detail=detail)


def _cursor(told: Mapping[str, Any]) -> str:
    more = told.get("response_metadata")
    found = more.get("next_cursor") if isinstance(more, Mapping) else None
    return found if isinstance(found, str) else ""
