"""What a genuine activity says, in our values: the few fields we use, and nothing else."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from adapters.teams.activity import (
    GUID,
    Action,
    Conversation,
    Envelope,
    Execute,
    Installation,
    Invoked,
    Members,
    Message,
    parsed,
)
from bot.core.errors import InvalidInput

PERSONAL: Final = "personal"

_CHANNEL: Final = re.compile(r"19:[\w.-]{1,200}@thread\.(?:tacv2|skype)")
_MAX_TEXT_CHARS: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Which account acts, and where it was seen: all of it, for whoever checks it.

    ``user`` is Entra's object id in lower case, ``mri`` what Teams calls the account (``29:...``),
    ``conversation_type`` is ``personal``, ``groupChat`` or ``channel``.
    """

    tenant: str
    user: str
    mri: str
    conversation: str
    conversation_type: str
    service_url: str
    bot: str

    @property
    def is_alone(self) -> bool:
        """Whether nobody else reads along."""
        return self.conversation_type == PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of a team; the names are empty where Teams does not tell them."""

    tenant: str
    id: str
    name: str = ""
    team_name: str = ""

    @property
    def place(self) -> str:
        """What a notice route keeps of it."""
        return f"{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """A button of a card, pressed in a client that waits for the answer.

    ``trigger`` is ``automatic`` where no person pressed anything; ``reply_to`` is the activity
    that shows the card.
    """

    who: Sender
    verb: str
    data: Mapping[str, str]
    trigger: str
    activity_id: str
    reply_to: str | None

    @property
    def conversation(self) -> str:
        return self.who.conversation

    @property
    def is_automatic(self) -> bool:
        return self.trigger == "automatic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A button of a card, pressed in an old client: it comes as a message, and nobody waits."""

    who: Sender
    verb: str
    data: Mapping[str, str]
    activity_id: str
    reply_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody wrote to the bot, without the mention; ``channel`` is where, in a team."""

    who: Sender
    text: str
    activity_id: str
    channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The app is there now: for the person alone, or for a team."""

    who: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The app is gone."""

    who: Sender


Inbound: TypeAlias = Invoke | Submitted | Typed | Installed | Removed


def parse_inbound(activity: Mapping[str, Any]) -> Inbound | None:
    """Return what *activity*, which is proven genuine, says; None when it is nothing for us.

    Raises:
        InvalidInput: it has not the shape that Teams documents, or names no account.
    """
    envelope = parsed(Envelope, activity)
    sender = _sender(envelope)
    match envelope.type:
        case "invoke":
            return _invoke(envelope, sender, activity)
        case "message":
            return _message(envelope, sender, activity)
        case "installationUpdate":
            action = parsed(Installation, activity).action
            return _installed(sender, was_added=action.startswith("add"))
        case "conversationUpdate":
            return _members(envelope, sender, activity)
        case _:
            return None


def channel_at(place: str) -> Channel | None:
    """Return the channel that ``Channel.place`` spelled; None when it can be none of a team."""
    tenant, _, channel = place.partition("/")
    if not re.fullmatch(GUID, tenant) or not _CHANNEL.fullmatch(channel):
        return None
    return Channel(tenant=tenant.lower(), id=channel)


def _sender(envelope: Envelope) -> Sender:
    told = envelope.channel_data and envelope.channel_data.tenant
    tenants = {told.id if told else None, envelope.conversation.tenant} - {None}
    if len(tenants) != 1:
        raise InvalidInput("Teams named no organisation, or two.")
    return Sender(
        tenant=str(tenants.pop()),
        user=envelope.sender.aad,
        mri=envelope.sender.id,
        conversation=envelope.conversation.id,
        conversation_type=_kind(envelope.conversation),
        service_url=envelope.service_url,
        bot=envelope.recipient.id,
    )


def _kind(conversation: Conversation) -> str:
    """Return what kind it is; where that is not told, alone only what is written as alone."""
    return conversation.type or (PERSONAL if conversation.id.startswith("a:") else "")


def _invoke(envelope: Envelope, sender: Sender, activity: Mapping[str, Any]) -> Invoke:
    execute = Execute(action=Action())
    if envelope.name == "adaptiveCard/action":
        execute = parsed(Invoked, activity).value
    return Invoke(
        who=sender,
        verb=execute.action.verb,
        data=_texts(execute.action.data),
        trigger=execute.trigger or "",
        activity_id=envelope.id or "",
        reply_to=envelope.reply_to,
    )


def _message(
    envelope: Envelope, sender: Sender, activity: Mapping[str, Any]
) -> Submitted | Typed | None:
    message = parsed(Message, activity)
    text = _unmentioned(message, bot=sender.bot)
    if message.value is not None and not text:
        data = _texts(message.value)
        return Submitted(
            who=sender,
            verb=data.get("verb", ""),
            data=data,
            activity_id=envelope.id or "",
            reply_to=envelope.reply_to,
        )
    return Typed(
        who=sender,
        text=text,
        activity_id=envelope.id or "",
        channel=_channel(envelope, sender),
    )


def _unmentioned(message: Message, *, bot: str) -> str:
    text = (message.text or "")[:_MAX_TEXT_CHARS]
    for entity in message.entities or ():
        is_bot = entity.mentioned is not None and entity.mentioned.id == bot
        if entity.type == "mention" and is_bot and entity.text:
            text = text.replace(entity.text, " ", 1)
    return html.unescape(text).strip()


def _channel(envelope: Envelope, sender: Sender) -> Channel | None:
    data = envelope.channel_data
    if data is None or data.channel is None or not _CHANNEL.fullmatch(data.channel.id):
        return None
    return Channel(
        tenant=sender.tenant,
        id=data.channel.id,
        name=data.channel.name or "",
        team_name=(data.team.name if data.team else None) or "",
    )


def _installed(sender: Sender, *, was_added: bool) -> Installed | Removed:
    return Installed(who=sender) if was_added else Removed(who=sender)


def _members(
    envelope: Envelope, sender: Sender, activity: Mapping[str, Any]
) -> Installed | Removed | None:
    members = parsed(Members, activity)
    bot = envelope.recipient.id
    if any(member.id == bot for member in members.removed or ()):
        return _installed(sender, was_added=False)
    if any(member.id == bot for member in members.added or ()):
        return _installed(sender, was_added=True)
    return None


def _texts(data: Mapping[str, Any] | None) -> Mapping[str, str]:
    return {key: text for key, text in (data or {}).items() if isinstance(text, str)}
