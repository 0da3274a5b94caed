"""How the Bot Connector says no, and what each code means here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.core.untrusted import Untrusted, one_line
from bot.ports.connector import STALE

_CODE_CHARS: Final = 80
_DEEPEST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Teams did nothing; ``code`` is its innermost one, "" where it names none."""

    status: int
    code: str = ""


_CREDENTIAL: Final = "credential_refused", "it does not accept the connector's token"
_NOT_THERE: Final = "not_in_team", "the app is not in that team: an owner of the team adds it"
_FORBIDDEN: Final = "forbidden", "it does not let the app write there"
_CONTENT: Final = "content_refused", "it does not take the content"
_NOT_FOUND: Final = "not_found", "it knows no such team or channel"
_GONE: Final = STALE, "the message is not there any more"
_WAIT: Final = "rate_limited", "it asks to wait"

#: The Connector's code, our stable reason, and our words.
BY_CODE: Final[Mapping[str, tuple[str, str]]] = {
    "BotNotInConversationRoster": _NOT_THERE,
    "BotNotInTeam": _NOT_THERE,
    "BotNotRegistered": _CREDENTIAL,
    "BotDisabledByAdmin": ("forbidden", "an admin of Teams has blocked the app"),
    "MessageWritesBlocked": _FORBIDDEN,
    "ConversationBlockedByUser": _FORBIDDEN,
    "ConversationNotFound": _NOT_FOUND,
    "ActivityNotFoundInConversation": _GONE,
    "MessageSizeTooBig": _CONTENT,
}
#: What a status means by itself. Whoever answers with one of these has done nothing.
BY_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    400: _CONTENT,
    401: _CREDENTIAL,
    403: _FORBIDDEN,
    404: _NOT_FOUND,
    405: _FORBIDDEN,
    409: ("conflict", "this conflicts with how things are there now"),
    412: _WAIT,
    413: _CONTENT,
    415: _CONTENT,
    422: _CONTENT,
    429: _WAIT,
}


def refusal_of(status: int, body: bytes) -> Refused:
    """Return the refusal that *body* tells; Teams hides its own code in strings of JSON."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Refused(status=status)
    return Refused(status=status, code=_innermost(told, depth=0))


def meaning_of(refused: Refused) -> tuple[str, str]:
    """Return our reason and our words for *refused*."""
    return BY_CODE.get(refused.code) or BY_STATUS[refused.status]


def in_words(refused: Refused) -> str:
    """Return what Teams refused, for a sentence that begins with its name."""
    _, words = meaning_of(refused)
    code = one_line(Untrusted(refused.code), max_chars=_CODE_CHARS)
    return f"{words} ({code or f'status {refused.status}'})"


def _innermost(told: Any, *, depth: int) -> str:
    if isinstance(told, str) and told.lstrip().startswith("{"):
        try:
            told = json.loads(told)
        except (ValueError, RecursionError):
            return ""
    if not isinstance(told, Mapping) or depth > _DEEPEST:
        return ""
    for key in ("error", "innerHttpError", "message", "errorMessage"):
        if inner := _innermost(told.get(key), depth=depth + 1):
            return inner
    for key in ("code", "subCode", "errorCode"):
        code = told.get(key)
        if isinstance(code, str) and code:
            return code
    return ""
