"""Whether connectors write with tokens of their own, where they say."""

from collections.abc import AsyncIterator

from adapters.slack.client import Wire
from adapters.slack.doctor.app import ADD_SCOPE, INSTALL
from adapters.slack.doctor.asking import Answer, ask
from adapters.slack.doctor.patient import Patient
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear
from bot.core.look import Look, fail, ok

_SCOPES = ("chat:write", "channels:read")


async def about_writers(patient: Patient, wire: Wire) -> AsyncIterator[Look]:
    """Yield what Slack says about the token of each connector of type slack."""
    for place, (token, team) in patient.around.writers.items():
        setting = f"{place}.credential"
        if token == patient.credentials.bot_token:
            what = f"it is the token of {patient.place} too"
            remedy = "Make a second app for it: who can ask must not be able to write."
            yield fail(setting, what, remedy)
            continue
        try:
            found = await ask(wire, token, "auth.test")
        except (SlackRefused, SlackBusy, SlackUnclear) as error:
            yield fail(setting, f"Slack does not accept its token ({error})", INSTALL)
            continue
        yield _where(place, found, team)
        for scope in _SCOPES:
            if scope not in found.scopes:
                yield fail(setting, f"its app lacks the permission {scope}", ADD_SCOPE)


def _where(place: str, found: Answer, team: str) -> Look:
    seen = found.told.get("team_id")
    if seen == team:
        return ok(f"{place}.credential", f"it writes in {team}")
    return fail(
        f"{place}.team",
        f"its token is of the workspace {seen}, and {team} is named",
        f"Write {seen} if that is meant, or install its app in {team}.",
    )
