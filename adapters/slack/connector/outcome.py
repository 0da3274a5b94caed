"""What Slack's answer proves about a write. Failed is for what provably did not happen."""

from collections.abc import Mapping
from typing import Final, assert_never

from adapters.slack.connector.client import Answer, Done, Refused
from adapters.slack.connector.params import Deed, Wanted
from adapters.slack.connector.place import is_ts
from bot.core.untrusted import Untrusted, one_line
from bot.once import NoAnswer, NotSent
from bot.ports.connector import STALE, Executed, Failed, InDoubt, Succeeded

_CODE_CHARS: Final = 80
_NOTHING: Final = "Nothing was written."

_CREDENTIAL: Final = "credential_refused", "it does not accept Keyturn's token"
_CONTENT: Final = "content_refused", "it does not take the content"
_FORBIDDEN: Final = "forbidden", "it does not let the app write there"
_GONE: Final = STALE, "the message is not there any more"

#: Slack's code, our stable reason, and our words. What is not here proves nothing: Slack says of
#: fatal_error, for one, that parts may have been done.
REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            *("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"),
            *("not_allowed_token_type", "team_access_not_granted", "access_denied"),
            *(
                "no_permission",
                "org_login_required",
                "two_factor_setup_required",
                "ekm_access_denied",
            ),
        ),
        _CREDENTIAL,
    ),
    "missing_scope": ("missing_scope", "the app lacks a permission"),
    "channel_not_found": ("not_found", "it knows no such channel"),
    "not_in_channel": ("not_in_channel", "the app is not in that channel: invite it there"),
    "is_archived": ("archived", "the channel is archived"),
    **dict.fromkeys(
        (
            *("restricted_action", "restricted_action_read_only_channel", "as_user_not_supported"),
            *("restricted_action_thread_only_channel", "restricted_action_non_threadable_channel"),
            *("restricted_action_thread_locked", "cant_update_message", "cant_delete_message"),
            *("edit_window_closed", "compliance_exports_prevent_deletion", "cannot_dm_bot"),
            *("messages_tab_disabled", "slack_connect_file_upload_sharing_blocked"),
        ),
        _FORBIDDEN,
    ),
    **dict.fromkeys(
        (
            *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"),
            *("no_text", "metadata_too_large", "metadata_must_be_sent_from_app"),
            *("invalid_metadata_format", "invalid_metadata_schema", "invalid_arguments"),
            *("invalid_post_type", "missing_post_type", "invalid_charset", "invalid_form_data"),
        ),
        _CONTENT,
    ),
    "message_not_found": _GONE,
    "thread_not_found": _GONE,
    **dict.fromkeys(
        ("ratelimited", "rate_limited", "accesslimited"), ("rate_limited", "it asks to wait")
    ),
}


def outcome_of(answer: Answer, wanted: Wanted) -> Executed:
    """Return what *answer* proves about *wanted*."""
    match answer:
        case Done(told=told):
            found = told.get("ts")
            ts = found if isinstance(found, str) and is_ts(found) else None
            return Succeeded(detail=_done(wanted.deed), reference=ts)
        case Refused():
            return _refused(answer)
        case NotSent(why=why, detail=detail):
            return Failed(reason=why.value, detail=f"{detail} {_NOTHING}")
        case NoAnswer(why=why, detail=detail):
            return InDoubt(reason=why.value, detail=f"{detail} {_look(wanted)}")
        case _:
            assert_never(answer)


def in_words(refused: Refused) -> str:
    """Return what Slack refused, for a sentence that begins with Slack's name."""
    _, words = REFUSALS.get(refused.code, ("", "it refuses"))
    needed = f", {_shown(refused.needed)}" if refused.needed else ""
    return f"{words}{needed} ({_shown(refused.code) or 'without a reason'})"


def _refused(refused: Refused) -> Executed:
    known = REFUSALS.get(refused.code)
    if known is None:
        code = _shown(refused.code) or "none"
        return InDoubt(
            reason="unexpected_answer",
            detail=f"Slack answered with an error that proves nothing ({code}). Look in Slack.",
        )
    reason, _ = known
    return Failed(reason=reason, detail=f"Slack refused: {in_words(refused)}. {_NOTHING}")


def _done(deed: Deed) -> str:
    return {
        Deed.POST: "Slack posted the message.",
        Deed.REPLY: "Slack posted the reply.",
        Deed.UPDATE: "Slack changed the message.",
        Deed.DELETE: "Slack deleted the message.",
    }[deed]


def _look(wanted: Wanted) -> str:
    where = f"channel {wanted.place.channel}"
    match wanted.deed:
        case Deed.POST:
            return f"It may have been posted: look in {where}."
        case Deed.REPLY:
            return f"It may have been posted: look in the thread in {where}."
        case Deed.UPDATE:
            return f"The message may have been changed: look in {where}."
        case Deed.DELETE:
            return f"The message may have been deleted: look in {where}."


def _shown(code: str) -> str:
    return one_line(Untrusted(code), max_chars=_CODE_CHARS)
