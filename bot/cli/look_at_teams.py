"""What `keyturn doctor teams` tells: what Microsoft says about the chat and its connectors."""

import ssl
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.cli.admin import admin, is_answered
from bot.cli.findings import Finding, Status, fail, halves, ok, warn
from bot.core.errors import KeyturnError, SettingsInvalid
from bot.core.policy import Hold
from bot.core.policy_file import parse_policy
from bot.settings import Settings, is_loopback

#: How long somebody has to press the canary.
CLICK_S = 90.0
_NAME = "teams"
_GROUP = f"{_NAME}:"
#: Whose accounts are looked at, one by one.
_MOST_PEOPLE = 500


async def about_teams(
    settings: Settings, *, config: Path, canary: str | None
) -> AsyncIterator[Finding]:
    """Yield what Microsoft says; the person *canary* gets a card to try, and loses it again."""
    section = settings.chats.get(_NAME)
    if section is None:
        yield fail("chats.teams", "there is none", "Add `teams:` under chats: docs/howto/teams.md.")
        return
    try:
        doctor = import_module("adapters.teams.doctor")
        load = import_module("adapters.teams.load")
    except ModuleNotFoundError as error:
        what = f"the package {error.name} is not installed"
        yield fail("chats.teams", what, "Run: pip install 'keyturn[teams]'")
        return
    try:
        parsed, proof = load.read(_NAME, section, secrets=settings.secrets)
    except SettingsInvalid as error:
        for finding in _wrong(error, remedy="Correct it: docs/reference/chat-teams.md."):
            yield finding
        return
    running = await is_answered(settings.admin_socket)
    accounts = await _accounts(config)
    around, problems = _around(settings, accounts, running=running)
    for finding in problems:
        yield finding
    account = None
    if canary is not None:
        account = next((one for one in accounts or () if one.person == canary), None)
        if account is None:
            what = f"no Teams account is linked to {canary}"
            yield warn("--canary", what, f"keyturn person link-code {canary} --chat teams")
    looks = doctor.Doctor(_NAME, parsed, proof, around)
    # Where the bot runs, it gets the click.
    async for look in looks.examine(canary=account, waits_s=0.0 if running else CLICK_S):
        yield _finding(look)


def _finding(look: Any) -> Finding:
    status = Status(look.health.value)
    if status is Status.OK:
        return ok(look.setting, look.what)
    return Finding(status=status, setting=look.setting, what=look.what, remedy=look.remedy)


def _wrong(error: SettingsInvalid, *, remedy: str) -> list[Finding]:
    found = []
    for problem in error.problems or [error.message]:
        where, _, what = problem.partition(": ")
        found.append(fail(where, *halves(what, remedy)))
    return found


def _around(settings: Settings, accounts: Any, *, running: bool) -> tuple[Any, list[Finding]]:
    around = import_module("adapters.teams.doctor.patient")
    writers, problems = _writers(settings)
    people = settings.listeners.people
    listener = None
    if not running:
        listener = around.Listener(host=people.host, port=people.port, tls=_tls(settings))
    # What is asked at an address of this machine is asked at the listener itself.
    here = people.url if is_loopback(people.host) and settings.public_url is None else None
    found = around.Around(
        public_url=settings.url_for_people,
        probe_url=here,
        has_web_inbox="web" in settings.chats,
        is_running=running,
        groups=_groups(settings),
        accounts=accounts,
        writers=writers,
        listener=listener,
    )
    return found, problems


def _tls(settings: Settings) -> ssl.SSLContext | None:
    tls = settings.listeners.people.tls
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.cert, tls.key)
    return context


def _groups(settings: Settings) -> tuple[str, ...]:
    """Return the groups of Entra that the policy names."""
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


def _writers(settings: Settings) -> tuple[Mapping[str, Any], list[Finding]]:
    """Return each connector of type teams, by its place, and what is wrong with the others."""
    load = import_module("adapters.teams.connector.load")
    around = import_module("adapters.teams.doctor.patient")
    found, problems = dict[str, Any](), list[Finding]()
    for name, section in settings.connectors.items():
        if section.get("type") != _NAME:
            continue
        try:
            parsed, proof = load.read(name, section, secrets=settings.secrets)
        except SettingsInvalid as error:
            problems += _wrong(error, remedy="Correct it: docs/reference/connector-teams.md.")
            continue
        found[f"connectors.{name}"] = around.Writer(
            app_id=parsed.app_id, tenant=parsed.tenant, login_url=parsed.login_url, proof=proof
        )
    return found, problems


async def _accounts(config: Path) -> list[Any] | None:
    """Return the linked accounts of everybody active; None where they cannot be asked for."""
    around = import_module("adapters.teams.doctor.patient")
    try:
        async with admin(config) as api:
            people = [one for one in (await api.get("people"))["people"] if one["active"]]
            return [
                around.Account(
                    person=one["handle"], tenant=identity["tenant"], user=identity["user"]
                )
                for one in people[:_MOST_PEOPLE]
                for identity in (await api.get("people", one["id"], "identities"))["identities"]
                if identity["chat"] == _NAME
            ]
    except KeyturnError:
        return None
