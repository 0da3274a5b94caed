"""Whose the bot token is, what the app may do with it, and whether the clocks agree."""

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Final

from adapters.slack.client import Wire
from adapters.slack.config import Mode
from adapters.slack.doctor.asking import Answer, ask
from adapters.slack.doctor.patient import Patient
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear
from adapters.slack.manifest import OPTIONAL_SCOPES, SCOPES
from bot.core.look import Look, fail, ok, warn

#: Slack refuses nothing by our clock, but we refuse what it signed longer ago than this.
SKEW_S: Final = 300.0
INSTALL: Final = "Copy the bot token anew from the app's page, under OAuth & Permissions."
ADD_SCOPE: Final = "Add it under OAuth & Permissions and install the app again."
_ODD_SKEW_S: Final = 30.0
_GROUPS: Final = "usergroups:read"
#: A token with one of these can do what the chat never needs.
_TOO_MUCH: Final = ("admin", "chat:write.public", "chat:write.customize", "channels:", "groups:")


def about_token(patient: Patient, answer: Answer, *, now: float) -> Iterator[Look]:
    """Yield what ``auth.test`` says: *answer*, at our time *now*."""
    told, section = answer.told, patient.section
    team, enterprise = told.get("team_id"), told.get("enterprise_id")
    bot_token = patient.at("bot_token")
    if not told.get("bot_id"):
        yield fail(bot_token, "it is a person's token and no bot's", INSTALL)
    else:
        yield ok(bot_token, f"Slack knows it, in {told.get('team') or team}")
    if section.tenants & {team, enterprise}:
        yield ok(patient.at("team"), f"{enterprise or team} is where the app is installed")
    else:
        yield fail(
            patient.at("team"),
            f"the app is installed in {team}, and {section.team} is named",
            f"Write {team} if that is yours, or install the app in the one that is named.",
        )
    yield from _about_scopes(bot_token, answer.scopes, groups=patient.around.groups)
    skew_s = 0.0 if answer.said_at is None else abs(now - answer.said_at)
    if skew_s > _ODD_SKEW_S:
        too_far = skew_s > SKEW_S and section.mode is Mode.HTTP
        yield (fail if too_far else warn)(
            "clock",
            f"this machine's clock and Slack's differ by {skew_s:.0f} seconds",
            "Set the clock by NTP: what Slack signs counts for five minutes.",
        )


def _about_scopes(
    setting: str, scopes: frozenset[str], *, groups: Collection[str]
) -> Iterator[Look]:
    by_need = {_GROUPS} if groups else set()
    missing = [one for one in SCOPES if one not in scopes] + sorted(by_need - scopes)
    left_out = [one for one in OPTIONAL_SCOPES if one not in scopes and one not in missing]
    too_many = [one for one in sorted(scopes) if one.startswith(_TOO_MUCH)]
    for scope in missing:
        yield fail(setting, f"the app lacks the permission {scope}", ADD_SCOPE)
    for scope in left_out:
        what = f"the app lacks the permission {scope}. {OPTIONAL_SCOPES[scope]}"
        yield warn(setting, what, ADD_SCOPE)
    for scope in too_many:
        yield warn(
            setting,
            f"the app has the permission {scope}, which the chat never needs",
            "Take it away. A connector writes with an app and a token of its own.",
        )
    if not (missing or left_out or too_many):
        yield ok(setting, "it has every permission, and none too many")


async def about_groups(patient: Patient, wire: Wire, answer: Answer) -> AsyncIterator[Look]:
    """Yield what Slack says about each user group that the policy names."""
    if _GROUPS not in answer.scopes:
        return
    for group in patient.around.groups:
        try:
            found = await ask(
                wire, patient.credentials.bot_token, "usergroups.users.list", usergroup=group
            )
        except (SlackRefused, SlackBusy, SlackUnclear) as error:
            yield fail(
                "policy",
                f"the user group {group} cannot be read ({error}), so it is nobody",
                "Name it by its id, which begins with S. Groups need a paid plan.",
            )
            continue
        count = len(found.told.get("users") or ())
        yield ok("policy", f"the user group {group} has {count} members")
