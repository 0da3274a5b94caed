"""What Slack's refusals mean: which are for good, which pass, and which leave a doubt."""

from asyncio import TimeoutError as Timeout
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)
from slack_sdk.errors import SlackApiError

from bot.ports.chat import NotDeliveredNow, Undeliverable

#: When Slack names no time.
PAUSE_S: Final = 5.0
MAX_PAUSE_S: Final = 3600.0


class SlackRefused(Exception):
    """Slack understood, and did nothing; ``code`` is Slack's own, ``needed`` a missing scope."""

    def __init__(self, code: str, *, needed: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.needed = needed


class SlackBusy(Exception):
    """Nothing was done, and it is worth trying again after ``retry_after_s``."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SlackRateLimited(SlackBusy):
    """Slack itself names the time before which the same method is not to be called again."""


class SlackUnclear(Exception):
    """Nobody knows whether it was done: the answer was lost, or Slack failed on the way."""


#: The app, or its token, is gone.
APP_REMOVED: Final = frozenset(
    {
        *("token_revoked", "account_inactive", "invalid_auth", "not_authed", "token_expired"),
        *("app_not_found", "team_access_not_granted", "team_not_found", "app_uninstalled"),
    }
)
#: What is posted once more as a plain card, because its blocks were not taken.
NOT_SHOWN: Final = frozenset(
    {
        *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"),
        *("blocks_too_long", "invalid_attachments", "no_text"),
    }
)
#: The message is there no more, or can never be changed again.
GONE: Final = frozenset(
    {
        *("message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"),
        *("is_archived", "is_inactive", "thread_not_found"),
    }
)
_BUSY: Final = frozenset(
    {"ratelimited", "rate_limited", "team_added_to_org", "accesslimited", "upgrade_in_progress"}
)
_UNCLEAR: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)

#: Slack's code, our stable reason, and what an operator reads.
_UNDELIVERABLE: Final[Mapping[str, tuple[str, str]]] = {
    "messages_tab_disabled": (
        "messages_tab_disabled",
        "The app shows no cards while its Messages tab is off. Turn it on under App Home in Slack.",
    ),
    "missing_scope": (
        "missing_scope",
        "The Slack app lacks a permission. Add it to the app and install it again.",
    ),
    "not_in_channel": (
        "not_in_channel",
        "The Slack app is not in that channel. Invite it there.",
    ),
    "channel_not_found": ("not_found", "Slack knows no such account or channel here."),
    "user_not_found": ("not_found", "Slack knows no such account here."),
    "users_not_found": ("not_found", "Slack knows no account with that address."),
    "user_disabled": ("inactive", "The Slack account is deactivated."),
    "cannot_dm_bot": ("not_a_person", "The Slack account is a bot's."),
    "user_not_visible": ("not_found", "The app may not see that Slack account."),
    "is_archived": ("archived", "That Slack channel is archived."),
    "restricted_action": ("restricted", "The Slack workspace does not let the app write there."),
}


def reading(error: Exception) -> Exception:
    """Return *error*, raised by a call of the Web API, as one of ours; else as it is."""
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, ClientConnectorError | ConnectionTimeoutError):
        return SlackBusy("Slack cannot be reached.", retry_after_s=PAUSE_S)
    if isinstance(error, ClientError | ServerDisconnectedError | Timeout | OSError):
        return SlackUnclear("Slack's answer was lost.")
    return error


def _of_answer(error: SlackApiError) -> Exception:
    response: Any = error.response
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    headers: Mapping[str, str] = getattr(response, "headers", {}) or {}
    data = getattr(response, "data", None)
    told: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    code = str(told.get("error") or "")
    if status == 429 or code in _BUSY:
        return SlackRateLimited("Slack asks to wait.", retry_after_s=_retry_after_s(headers))
    if code in _UNCLEAR or not code or status >= 500:
        return SlackUnclear("Slack failed on the way.")
    return SlackRefused(code, needed=str(told.get("needed") or ""))


def _retry_after_s(headers: Mapping[str, str]) -> float:
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    seconds = float(named) if named.strip().isdigit() else PAUSE_S
    return min(max(seconds, 1.0), MAX_PAUSE_S)


def undeliverable(refused: SlackRefused) -> Undeliverable:
    """Return *refused* in words for the operator, with a stable reason."""
    if refused.code in APP_REMOVED:
        return app_removed()
    reason, message = _UNDELIVERABLE.get(
        refused.code, ("refused", f"Slack refused the card ({refused.code}).")
    )
    if refused.needed:
        message = f"{message} The permission is {refused.needed}."
    return Undeliverable(message, reason=reason)


def app_removed() -> Undeliverable:
    return Undeliverable(
        "The Slack app was removed, or its token revoked. Install it again.", reason="app_removed"
    )


def not_confirmed() -> Undeliverable:
    return Undeliverable(
        "Slack did not confirm the card, and the app does not know yet where to look for it. It "
        "is not posted twice.",
        reason="not_confirmed",
    )


def later(error: SlackBusy | SlackUnclear) -> NotDeliveredNow:
    pause_s = error.retry_after_s if isinstance(error, SlackBusy) else PAUSE_S
    return NotDeliveredNow(str(error), retry_after_s=pause_s)
