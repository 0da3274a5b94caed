"""What `keyturn doctor slack` tells: what Slack itself says about the chat and its connectors."""

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.cli.admin import admin, is_answered
from bot.cli.findings import Finding, Status, fail, halves, ok, warn
from bot.core.errors import KeyturnError, SettingsInvalid
from bot.core.policy import Hold
from bot.core.policy_file import parse_policy
from bot.settings import Settings

#: How long somebody has to press the canary.
CLICK_S = 90.0
_NAME = "slack"
_GROUP = f"{_NAME}:"


async def about_slack(
    settings: Settings, *, config: Path, canary: str | None
) -> AsyncIterator[Finding]:
    """Yield what Slack says; the person *canary* gets a card to try, and loses it again."""
    section = settings.chats.get(_NAME)
    if section is None:
        remedy = "Add `slack:` under chats: see docs/howto/slack.md."
        yield fail("chats.slack", "there is none", remedy)
        return
    try:
        doctor = import_module("adapters.slack.doctor")
        parsed = import_module("adapters.slack.config").ChatSection.model_validate(section)
    except ModuleNotFoundError as error:
        what = f"the package {error.name} is not installed"
        yield fail("chats.slack", what, "Run: pip install 'keyturn[slack]'")
        return
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            place = ".".join(["chats", _NAME, *map(str, one["loc"])])
            what, remedy = halves(
                one["msg"].removeprefix("Value error, "),
                "Correct it: docs/reference/chat-slack.md.",
            )
            yield fail(place, what, remedy)
        return
    kept = {}
    for key in ("bot_token", "app_token", "signing_secret"):
        try:
            kept[key] = _kept(settings, section.get(key))
        except SettingsInvalid as error:
            for problem in error.problems or [error.message]:
                yield fail(f"chats.{_NAME}.{key}", *halves(problem, "Put it where it is named."))
    if len(kept) < len(("bot_token", "app_token", "signing_secret")):
        return
    account = None
    if canary is not None:
        account = await _account(config, canary)
        if account is None:
            what = f"no Slack account is linked to {canary}"
            yield warn("--canary", what, f"keyturn person link-code {canary} --chat slack")
    around = doctor.Around(
        public_url=settings.url_for_people, groups=_groups(settings), writers=_writers(settings)
    )
    looks = doctor.Doctor(_NAME, parsed, doctor.Credentials(**kept), around)
    # Where the bot runs, Slack gives the click to whichever of both it likes.
    waits_s = 0.0 if await is_answered(settings.admin_socket) else CLICK_S
    async for look in looks.examine(canary=account, waits_s=waits_s):
        yield _finding(look)


def _finding(look: Any) -> Finding:
    status = Status(look.health.value)
    if status is Status.OK:
        return ok(look.setting, look.what)
    return Finding(status=status, setting=look.setting, what=look.what, remedy=look.remedy)


def _kept(settings: Settings, reference: object) -> str:
    return settings.secrets(reference).strip() if isinstance(reference, str) else ""


def _groups(settings: Settings) -> tuple[str, ...]:
    """Return the user groups of Slack that the policy names."""
    try:
        policy = parse_policy(settings.policy.read_text(encoding="utf-8"))
    except (OSError, KeyturnError):
        return ()  # that is told by `keyturn doctor` itself
    effects = [rule.effect for rule in policy.rules]
    named = {
        group
        for effect in effects
        if isinstance(effect, Hold)
        for group in effect.approval.groups()
    }
    return tuple(sorted(one.removeprefix(_GROUP) for one in named if one.startswith(_GROUP)))


def _writers(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return token and team of each connector of type slack; mistakes are told elsewhere."""
    found: dict[str, tuple[str, str]] = {}
    for name, section in settings.connectors.items():
        credential = section.get("credential")
        if section.get("type") != _NAME or not isinstance(credential, dict):
            continue
        try:
            token = _kept(settings, credential.get("reference"))
        except SettingsInvalid:
            continue
        found[f"connectors.{name}"] = (token, str(section.get("team")))
    return found


async def _account(config: Path, person: str) -> str | None:
    async with admin(config) as api:
        found = await api.get("people", person, "identities")
    users = [one["user"] for one in found["identities"] if one["chat"] == _NAME]
    return users[0] if users else None
