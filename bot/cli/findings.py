"""What `keyturn doctor` looks at before it asks the bot: files, places, addresses, time."""

import asyncio
import json
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from bot.backups import LAST_BACKUP
from bot.chosen import DATABASE, RESTORE_MARK, choose_connector
from bot.cli.first_files import is_free
from bot.core.errors import PolicyInvalid, SettingsInvalid
from bot.core.policy_file import parse_policy
from bot.core.secret_scan import without_secrets
from bot.keys import grant_key_files, key_lines
from bot.main import SystemClock
from bot.secret_refs import private_file_problem
from bot.service.key_rotation import KeyKind
from bot.settings import Settings, is_loopback
from store.sqlite.copying import what_is_damaged

CONNECT_WITHIN_S = 3.0
_LOW_BYTES = 1 << 30
_TOO_LOW_BYTES = 100 << 20
_MAX_SOCKET_PATH_BYTES = 100
_CLOCK_SLACK_S = 120.0
_OLD_BACKUP_DAYS = 8.0
_KEY_IS_OLD = timedelta(days=365)


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``setting`` names what to look at, ``remedy`` what to do; empty when all is well."""

    status: Status
    setting: str
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        # What is found may be a credential in the wrong place.
        for name in ("setting", "what", "remedy"):
            object.__setattr__(self, name, without_secrets(getattr(self, name)))

    def plain(self) -> dict[str, str]:
        return asdict(self)


def ok(setting: str, what: str) -> Finding:
    return Finding(status=Status.OK, setting=setting, what=what)


def warn(setting: str, what: str, remedy: str) -> Finding:
    return Finding(status=Status.WARN, setting=setting, what=what, remedy=remedy)


def fail(setting: str, what: str, remedy: str) -> Finding:
    return Finding(status=Status.FAIL, setting=setting, what=what, remedy=remedy)


async def about_this_machine(settings: Settings, *, running: bool) -> AsyncIterator[Finding]:
    """Yield what can be told without a bot; *running* says whether one holds the ports."""
    for finding in (
        *_data_dir(settings),
        *_keys(settings),
        *_space(settings),
        *_clock(settings),
        *_ports(settings, running=running),
        *_public_url(settings),
        *_policy(settings),
    ):
        yield finding
    async for finding in _database(settings):
        yield finding
    async for finding in _connectors(settings):
        yield finding


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        yield fail(
            "data_dir", f"{folder}: {(error.strerror or '').lower()}", f"mkdir -m 700 {folder}"
        )
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield fail("data_dir", f"{folder} may not be written", "Give it to the bot's user.")
    elif mode & 0o077:
        yield fail("data_dir", f"{folder} is open to others", f"chmod 700 {folder}")
    else:
        yield ok("data_dir", f"{folder}, for its owner alone")
    if len(os.fsencode(settings.admin_socket)) > _MAX_SOCKET_PATH_BYTES:
        yield fail(
            "listeners.admin.socket",
            f"{settings.admin_socket} is too long for a socket",
            "Name a shorter path, below 100 characters.",
        )


def _keys(settings: Settings) -> Iterator[Finding]:
    files = sorted(settings.keys_dir.glob("*.key")) if settings.keys_dir.is_dir() else []
    if not files:
        yield fail(
            "data_dir", f"no keys in {settings.keys_dir}", "keyturn serve --init makes them."
        )
    for file in (*files, *sorted(settings.data_dir.glob("*.token"))):
        if problem := private_file_problem(file):
            what, _, remedy = problem.partition(". ")
            yield fail("data_dir", what, remedy)
        else:
            yield ok("data_dir", f"{file.name}, for its owner alone")
            yield from _age(file)


def _age(file: Path) -> Iterator[Finding]:
    """Warn where the newest key in *file*, which is the one in use, is old."""
    if file.suffix != ".key" or not (lines := key_lines(file)):
        return
    age = datetime.now(UTC) - lines[-1].made_at
    kind = file.stem.partition("-")[0]
    is_newest = kind != "grant" or file == grant_key_files(file.parent)[-1]
    if age > _KEY_IS_OLD and is_newest and kind in set(KeyKind):
        yield warn(
            "data_dir",
            f"{file.name} has been in use for {age.days} days",
            f"keyturn keys rotate {kind}",
        )


def _space(settings: Settings) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError:
        return
    told = f"{free / (1 << 30):.1f} GiB free"
    if free < _TOO_LOW_BYTES:
        yield fail("data_dir", told, "Free some space: without it nothing is recorded or done.")
    elif free < _LOW_BYTES:
        yield warn("data_dir", told, "Free some space before it runs out.")
    else:
        yield ok("data_dir", told)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    database = settings.data_dir / DATABASE
    if settings.store.type != "sqlite" or not database.exists():
        return
    damage = await asyncio.to_thread(what_is_damaged, database)
    if damage is not None:
        yield fail("store", f"{database.name} is damaged: {damage}", "keyturn restore BACKUP")
    else:
        yield ok("store", f"every page of {database.name} is whole")
    if (settings.data_dir / RESTORE_MARK).exists():
        yield fail("store", "a restore was begun and has not ended", "Run it again.")
    kept = len(list(settings.data_dir.glob("replaced-*")))
    if kept:
        yield warn(
            "data_dir",
            f"{kept} folder{'s' if kept != 1 else ''} replaced-* of earlier restores",
            "Delete them once nobody needs to look into them: they hold what was erased since.",
        )
    yield _backup(settings)


def _backup(settings: Settings) -> Finding:
    try:
        made_at = datetime.fromisoformat(
            json.loads((settings.data_dir / LAST_BACKUP).read_bytes())["made_at"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return warn("backup", "none was made yet", "keyturn backup FOLDER, on another disk")
    age_days = (datetime.now(UTC) - made_at).total_seconds() / 86_400
    told = f"the last one is {age_days:.0f} day{'s' if round(age_days) != 1 else ''} old"
    if age_days > _OLD_BACKUP_DAYS:
        return warn("backup", told, "keyturn backup FOLDER; let the machine do it every night")
    return ok("backup", told)


def _clock(settings: Settings) -> Iterator[Finding]:
    times = [file.stat().st_mtime for file in settings.data_dir.glob("*.sqlite3*")]
    ahead_s = max(times, default=0.0) - time.time()
    if ahead_s > _CLOCK_SLACK_S:
        yield fail(
            "the clock",
            f"it is {ahead_s:.0f} s behind what was recorded last",
            "Set the clock, and keep it set with NTP: proposals expire by it.",
        )
    else:
        yield ok("the clock", "not behind what was recorded last")


def _ports(settings: Settings, *, running: bool) -> Iterator[Finding]:
    for name, listener in settings.listeners.by_name():
        place = f"listeners.{name}.port"
        if running:
            yield ok(place, f"{listener.url}, served by the running bot")
        elif is_free(listener.port, listener.host):
            yield ok(place, f"{listener.host}:{listener.port} is free")
        else:
            yield fail(
                place,
                f"{listener.host}:{listener.port} is taken by another program, or not ours",
                "Choose another port, or stop that program.",
            )


def _public_url(settings: Settings) -> Iterator[Finding]:
    url, people = urlsplit(settings.url_for_people), settings.listeners.people
    port = url.port or (443 if url.scheme == "https" else 80)
    if is_loopback(url.hostname or "") and port != people.port:
        yield fail(
            "public_url",
            f"links lead to port {port}, and the inbox is on port {people.port}",
            "Write the port of listeners.people, or the address that people open.",
        )
    elif is_loopback(url.hostname or "") and not people.is_loopback:
        yield warn(
            "public_url",
            "links lead to this machine alone, though the inbox can be reached from others",
            "Write the address that people open.",
        )
    else:
        yield ok("public_url", settings.url_for_people)


def _policy(settings: Settings) -> Iterator[Finding]:
    try:
        policy = parse_policy(settings.policy.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        yield fail("policy", f"{settings.policy}: {error}", "Put a policy file there.")
    except PolicyInvalid as error:
        for problem in error.problems:
            yield fail("policy", problem, "Correct it: the bot does not start with it.")
    else:
        yield ok("policy", f"{settings.policy.name} loads, {len(policy.rules)} rules")


async def _connectors(settings: Settings) -> AsyncIterator[Finding]:
    for name, section in settings.connectors.items():
        place = f"connectors.{name}"
        try:
            connector = choose_connector(
                name, section, secrets=settings.secrets, clock=SystemClock()
            )
        except SettingsInvalid as error:
            for problem in error.problems or [error.message]:
                where, _, what = problem.partition(": ")
                yield fail(where, what, "Correct the settings.")
            continue
        verbs = len(connector.verbs)
        await connector.close()
        yield ok(place, f"{verbs} verb{'s' if verbs != 1 else ''}, its credential is there")
        if isinstance(base_url := section.get("base_url"), str):
            yield await _reachable(f"{place}.base_url", base_url)
    if not settings.connectors:
        yield warn("connectors", "there are none, so nothing can be proposed", "Add one.")


async def _reachable(place: str, base_url: str) -> Finding:
    url = urlsplit(base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(url.hostname, port)
    except (OSError, TimeoutError):
        return warn(
            place,
            f"{url.hostname} does not answer on port {port}",
            "Start it, or correct the address. The sample forum runs with `keyturn serve --init`.",
        )
    writer.close()
    return ok(place, f"{url.hostname} answers on port {port}")
