"""What the Connector's refusals mean: what is told for good, and what may still be mended."""

from collections.abc import Mapping
from typing import Final

from adapters.teams.transport import ConnectorBusy, ConnectorRefused, ConnectorUnclear
from bot.ports.chat import NotDeliveredNow, Undeliverable

#: Where the Connector names no time.
PAUSE_S: Final = 5.0
MAX_PAUSE_S: Final = 3600.0

#: The app is not there for this person: installing it may help.
NOT_INSTALLED: Final = frozenset({"BotNotInConversationRoster"})
#: What is known about the chat is not true any more: asking for the chat anew may help.
STALE: Final = frozenset(
    {
        *("ConversationNotFound", "MemberNotFoundInConversation", "BadArgument"),
        "ServiceAddressNotAdmitted",
    }
)
#: A person or an admin has decided so, and nothing that we do changes it.
BARRED: Final = frozenset(
    {"ConversationBlockedByUser", "BotDisabledByAdmin", "MessageWritesBlocked"}
)
#: The activity is not taken in this form.
NOT_SHOWN: Final = frozenset({"MessageSizeTooBig", "RequestEntityTooLarge", "BadSyntax"})
NO_MEMBER: Final = "MemberNotFoundInConversation"

#: The Connector's code, our stable reason, and what an operator reads.
_UNDELIVERABLE: Final[Mapping[str, tuple[str, str]]] = {
    "BotNotInConversationRoster": (
        "not_installed",
        (
            "The Teams app is not installed for this person. Install it for them in the Teams "
            "admin centre, or let them add it."
        ),
    ),
    "ConversationBlockedByUser": (
        "blocked_by_user",
        "This person has blocked the app in Teams. They can unblock it in the chat with it.",
    ),
    "BotDisabledByAdmin": (
        "disabled_by_admin",
        (
            "An admin of Teams has blocked the app. Allow it in the Teams admin centre, under "
            "Manage apps."
        ),
    ),
    "MessageWritesBlocked": (
        "writes_blocked",
        (
            "Teams lets nothing be written in the chat with this person: they blocked or removed "
            "the app, or a policy forbids it."
        ),
    ),
    "BotNotRegistered": (
        "app_not_registered",
        (
            "Microsoft knows no bot with chats.teams.app_id. Register it as an Azure Bot, with the "
            "Teams channel on."
        ),
    ),
    NO_MEMBER: (
        "account_refused",
        "Teams does not say that the linked account is a person's of your organisation.",
    ),
    "ServiceAddressNotAdmitted": (
        "service_address",
        (
            "The chat is at an address that is not Microsoft's. Name its host in "
            "chats.teams.service_urls if it is meant."
        ),
    ),
    "ConversationNotFound": ("not_found", "Teams no longer knows the chat with this person."),
    "MessageSizeTooBig": ("too_large", "Teams takes no card of this size."),
}
_BY_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    401: (
        "not_authorized",
        "The Bot Connector does not take the app's token. Run keyturn doctor teams.",
    ),
    403: ("forbidden", "Teams does not let the app write to this person"),
    404: ("not_found", "Teams knows no such chat"),
    413: ("too_large", "Teams takes no card of this size."),
}

NOT_LINKED: Final = (
    "This person has no linked Teams account. They can link one in the web inbox.",
    "not_linked",
)
REMOVED: Final = (
    "This person has removed the app in Teams. They can add it again.",
    "not_installed",
)
ELSEWHERE: Final = (
    "The linked account is of an organisation that chats.teams.tenants does not name.",
    "account_refused",
)
UNCLEAR: Final = (
    (
        "The card may be in Teams, but its confirmation was lost. It is not sent a second time; "
        "once the person opens it, it counts as delivered."
    ),
    "unclear",
)
NO_SUCH_CHANNEL: Final = (
    "This is no channel of a team. Set it anew: write @Keyturn channels in it.",
    "not_found",
)
GONE: Final = ("The card is in Teams no more.", "gone")


def undeliverable(refused: ConnectorRefused) -> Undeliverable:
    """Return *refused* in words for the operator, with a stable reason."""
    known = _UNDELIVERABLE.get(refused.code)
    if known is not None:
        return Undeliverable(known[1], reason=known[0])
    reason, message = _BY_STATUS.get(refused.status, ("refused", "Teams refused the card"))
    if not message.endswith("."):
        message = f"{message} ({refused.code or refused.status})."
    return Undeliverable(message, reason=reason)


def is_too_much(refused: ConnectorRefused) -> bool:
    """Whether a plainer card has a chance."""
    return refused.status == 413 or refused.code in NOT_SHOWN


def because(words: tuple[str, str]) -> Undeliverable:
    return Undeliverable(words[0], reason=words[1])


def later(error: ConnectorBusy | ConnectorUnclear) -> NotDeliveredNow:
    if isinstance(error, ConnectorBusy):
        pause_s = min(max(error.retry_after_s, 1.0), MAX_PAUSE_S)
        return NotDeliveredNow("The Bot Connector asks to wait.", retry_after_s=pause_s)
    return NotDeliveredNow("The Bot Connector's answer was lost.", retry_after_s=PAUSE_S)
