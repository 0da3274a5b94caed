"""What people are told about a message: team and channel by name, and how many see it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.teams.connector.params import Deed
from bot.core.canonical import Json
from bot.core.proposal import Action
from bot.core.untrusted import Untrusted, one_line
from bot.core.verbs import Audience, Facts, Preview, Reach

_NAME_CHARS: Final = 120
_TEXT_CHARS: Final = 600
#: The first channel of a team has no name of its own in what Teams tells.
GENERAL: Final = "General"
_EFFECTS: Final = {
    Deed.POST: "Post a message in {}",
    Deed.REPLY: "Reply to a post in {}",
    Deed.EDIT: "Edit a message in {}",
    Deed.DELETE: "Delete a message in {}",
}
_KINDS: Final = frozenset({"standard", "private", "shared"})
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def channel_facts(
    team: Mapping[str, Any],
    channel: Mapping[str, Any],
    members: Sequence[Mapping[str, Any]] | None,
    *,
    tenant: str,
) -> dict[str, Json]:
    """Return what Teams says that people are told; *members* is None where they are too many.

    ``outside`` counts those of whom Teams does not say that they belong to *tenant*.
    """
    told = channel.get("type")
    kind = told.lower() if isinstance(told, str) and told.lower() in _KINDS else "unknown"
    is_general = channel.get("id") == team.get("id")
    everybody = team.get("memberCount")
    is_counted = isinstance(everybody, int) and not isinstance(everybody, bool) and everybody > 0
    count: int | None = everybody if is_counted and kind == "standard" else None
    return {
        "id": str(channel.get("id") or ""),
        "name": str(channel.get("name") or (GENERAL if is_general else "")),
        "kind": kind,
        "team": str(team.get("name") or ""),
        "members": count if members is None else len(members),
        "outside": None
        if members is None
        else sum(not _is_insider(one, tenant) for one in members),
    }


def audience_of(channel: Mapping[str, Json]) -> Audience:
    """Return who will see what is written in *channel*, as :func:`channel_facts` made it."""
    name, team = _named(channel), _team(channel)
    members, outside = _count(channel.get("members")), _count(channel.get("outside"))
    kind = channel.get("kind")
    if kind == "shared":
        who = f"Those with whom {name} of the team {team} is shared, also outside the team"
        return Audience(reach=Reach.OUTSIDE, who=f"{who}{_outsiders(outside)}", readers=members)
    if kind not in _KINDS:
        return Audience()
    who = (
        f"The members of {name}, a private channel of the team {team}"
        if kind == "private"
        else f"The members of the team {team}, and whoever joins it: {name} is open to all of it"
    )
    if outside is None:
        return Audience(reach=Reach.OUTSIDE, who=f"{who}. They are too many to tell all guests")
    reach = Reach.OUTSIDE if outside else Reach.ORGANISATION
    return Audience(reach=reach, who=f"{who}{_outsiders(outside)}", readers=members)


def preview_of(action: Action, facts: Facts, *, deed: Deed, undo_window_s: int) -> Preview:
    """Return what the card says, also for params and facts that would never be carried out."""
    before = facts.before if isinstance(facts.before, Mapping) else {}
    channel = before.get("channel")
    channel = channel if isinstance(channel, Mapping) else {}
    target = f"{_named(channel)} of the team {_team(channel)}"
    claimed = {Deed.EDIT: "replaces", Deed.DELETE: "says"}.get(deed)
    if deed is Deed.REPLY:
        target += ". Teams does not let the app read the post"
    elif claimed is not None:
        target += ". Teams does not let the app read the message"
        if isinstance(text := action.params.get(claimed), str):
            target += f"; the proposal says that it reads: {_quoted(text)}"
    return Preview(
        effect=_EFFECTS[deed].format(_described(channel)),
        target=f"{target}. {_inert(action.resource)}",
        reversible=_reversible(deed, action.params, undo_window_s),
    )


def _is_insider(member: Mapping[str, Any], tenant: str) -> bool:
    of = member.get("tenantId")
    return isinstance(of, str) and of.lower() == tenant and member.get("userRole") == "user"


def _outsiders(outside: int | None) -> str:
    if not outside:
        return ""
    return f", {outside} of them from outside" if outside > 1 else ", one of them from outside"


def _described(channel: Mapping[str, Json]) -> str:
    members = _count(channel.get("members"))
    many = "1 member" if members == 1 else f"{members:,} members" if members else ""
    kind = {
        "standard": ", a channel that the whole team sees",
        "private": ", a private channel",
        "shared": ", a shared channel",
    }.get(str(channel.get("kind")), "")
    return f"{_named(channel)} of the team {_team(channel)}{kind}{f' with {many}' if many else ''}"


def _reversible(deed: Deed, params: Mapping[str, Json], undo_window_s: int) -> str:
    for_long = _duration(undo_window_s)
    match deed:
        case Deed.POST | Deed.REPLY:
            return (
                f"Keyturn can delete it again for {for_long}. Who has read it, or got it by mail, "
                "keeps that."
            )
        case Deed.EDIT if isinstance(params.get("replaces"), str):
            return (
                f"For {for_long} Keyturn can write back what the proposal says is there now. "
                "Whether that is true it cannot see."
            )
        case Deed.EDIT:
            return "Keyturn cannot undo this: the proposal does not say what the text replaces."
        case Deed.DELETE:
            return "It cannot be taken back: Teams gives a bot no deleted message back."


def _named(channel: Mapping[str, Json]) -> str:
    return _inert(channel.get("name")) or _inert(channel.get("id")) or "a channel without a name"


def _team(channel: Mapping[str, Json]) -> str:
    return _inert(channel.get("team")) or "whose name is not known"


def _quoted(text: str) -> str:
    return f"“{one_line(Untrusted(text), max_chars=_TEXT_CHARS)}”"


def _inert(value: Json) -> str:
    return one_line(Untrusted(value), max_chars=_NAME_CHARS) if isinstance(value, str) else ""


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
