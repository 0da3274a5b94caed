"""What people are told about a message: the channel by name, how public it is, how many see it."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.slack.connector.message import EVERYBODY
from adapters.slack.connector.params import Deed
from bot.core.canonical import Json
from bot.core.proposal import Action
from bot.core.untrusted import Untrusted, one_line
from bot.core.verbs import Audience, Facts, Preview, Reach

_NAME_CHARS: Final = 120
_TEXT_CHARS: Final = 600
_EFFECTS: Final = {
    Deed.POST: "Post a message in {}",
    Deed.REPLY: "Reply in a thread in {}",
    Deed.UPDATE: "Change a message in {}",
    Deed.DELETE: "Delete a message in {}",
}
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def channel_facts(channel: Mapping[str, Any], *, workspace: str) -> dict[str, Json]:
    """Return what ``conversations.info`` says of *channel* that people are told."""
    members = channel.get("num_members")
    is_counted = isinstance(members, int) and not isinstance(members, bool) and members >= 0
    return {
        "id": str(channel.get("id") or ""),
        "name": str(channel.get("name") or ""),
        "kind": _kind(channel),
        "members": members if is_counted else None,
        "workspace": workspace,
    }


def audience_of(channel: Mapping[str, Json]) -> Audience:
    """Return who will see what is written in *channel*, as :func:`channel_facts` made it."""
    name, workspace = _named(channel), _inert(channel.get("workspace"))
    members = channel.get("members")
    count = members if isinstance(members, int) else None
    match channel.get("kind"):
        case "direct":
            return Audience(
                reach=Reach.PRIVATE, who="One person, in a direct message from the app", readers=1
            )
        case "group":
            who = "The people in a group conversation with the app"
            return Audience(reach=Reach.ORGANISATION, who=who, readers=count)
        case "shared":
            return Audience(
                reach=Reach.OUTSIDE,
                who=f"{name}, shared through Slack Connect: people outside {workspace} see it",
                readers=count,
            )
        case "private":
            who = f"The members of {name}, a private channel in {workspace}"
            return Audience(reach=Reach.ORGANISATION, who=who, readers=count)
        case "public":
            # Nobody becomes a reader by joining: everybody is one already.
            who = f"Everybody in the Slack workspace {workspace}: {name} is a public channel"
            return Audience(reach=Reach.ORGANISATION, who=who)
        case _:
            return Audience()


def preview_of(action: Action, facts: Facts, *, deed: Deed, undo_window_s: int) -> Preview:
    """Return what the card says, also for params and facts that would never be carried out."""
    before = facts.before if isinstance(facts.before, Mapping) else {}
    channel = before.get("channel")
    channel = channel if isinstance(channel, Mapping) else {}
    now, parent = before.get("text"), before.get("parent")
    target = f"{_named(channel)} in {_inert(channel.get('workspace')) or 'Slack'}"
    if deed is Deed.REPLY:
        target += f". The thread begins: {_quoted(parent)}"
    elif deed is Deed.DELETE:
        target += f". The message says: {_quoted(now)}"
    shown = {"text": now} if deed is Deed.UPDATE and isinstance(now, str) else None
    return Preview(
        effect=_EFFECTS[deed].format(_described(channel))
        + _notifying(action.params.get("mention")),
        target=f"{target}. {_inert(action.resource)}",
        reversible=_reversible(deed, action.params, undo_window_s),
        before=shown,
    )


def _kind(channel: Mapping[str, Any]) -> str:
    if channel.get("is_im") is True:
        return "direct"
    if channel.get("is_ext_shared") is True or channel.get("is_pending_ext_shared") is True:
        return "shared"
    if channel.get("is_mpim") is True:
        return "group"
    match channel.get("is_private"):
        case True:
            return "private"
        case False:
            return "public"
        case _:
            return "unknown"


def _described(channel: Mapping[str, Json]) -> str:
    name, members = _named(channel), channel.get("members")
    many = "1 member" if members == 1 else f"{members:,} members" if members else ""
    with_many = f" with {many}" if many and isinstance(members, int) else ""
    match channel.get("kind"):
        case "direct":
            return "a direct message from the app"
        case "group":
            return f"a group conversation{with_many}"
        case "shared":
            return f"{name}, a channel shared with another organisation{with_many}"
        case "private":
            return f"{name}, a private channel{with_many}"
        case "public":
            return f"{name}, a public channel{with_many}"
        case _:
            return name


def _notifying(mention: Json) -> str:
    if not isinstance(mention, list | tuple) or not mention:
        return ""
    everybody = [str(one) for one in mention if one in EVERYBODY]
    others = len(mention) - len(everybody)
    said = [f"everybody there (@{everybody[0]})"] if everybody else []
    if others:
        said.append(f"{others} account{'' if others == 1 else 's'} or groups named in it")
    return f", and notify {' and '.join(said)}"


def _reversible(deed: Deed, params: Mapping[str, Json], undo_window_s: int) -> str:
    for_long = _duration(undo_window_s)
    match deed:
        case Deed.POST | Deed.REPLY:
            return (
                f"Keyturn can delete it again for {for_long}. Who has read it, or got it by mail, "
                "keeps that."
            )
        case Deed.UPDATE if isinstance(params.get("replaces"), str):
            return f"Keyturn can put the old text back for {for_long}."
        case Deed.UPDATE:
            return "Keyturn cannot undo this: the proposal does not say what the text replaces."
        case Deed.DELETE:
            return "It cannot be taken back: Slack does not give a deleted message back."


def _named(channel: Mapping[str, Json]) -> str:
    name = _inert(channel.get("name"))
    if name:
        return f"#{name}"
    return _inert(channel.get("id")) or "a channel that is not known"


def _quoted(text: Json) -> str:
    if not isinstance(text, str):
        return "(not known: the app may not read it)"
    if not text.strip():
        return "(no text)"
    shown = one_line(Untrusted(text), max_chars=_TEXT_CHARS)
    return f"“{shown}”"


def _inert(value: Json) -> str:
    return one_line(Untrusted(value), max_chars=_NAME_CHARS) if isinstance(value, str) else ""


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
