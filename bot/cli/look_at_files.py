"""What `keyturn doctor` can tell from the files of a deployment: who reads them, are they whole."""

import asyncio
import json
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.file.log_state import read_state
from bot.backups import LAST_BACKUP
from bot.chosen import DATABASE, RESTORE_MARK
from bot.cli.findings import Finding, fail, ok, warn
from bot.core.errors import PolicyInvalid, StoreRefused
from bot.core.policy_file import parse_policy
from bot.keys import LOG_STATE, grant_key_files, key_lines
from bot.secret_refs import private_file_problem
from bot.service.key_rotation import KeyKind
from bot.settings import Settings
from store.sqlite.copying import what_is_damaged
from store.sqlite.place import MOUNTS, require_local

_LOW_BYTES = 1 << 30
_TOO_LOW_BYTES = 100 << 20
_MAX_SOCKET_PATH_BYTES = 100
_CLOCK_SLACK_S = 120.0
_OLD_BACKUP_DAYS = 8.0
_KEY_IS_OLD = timedelta(days=365)


async def about_files(settings: Settings, *, mounts: Path = MOUNTS) -> AsyncIterator[Finding]:
    """Yield what the files tell; *mounts* says what lies on a network."""
    for finding in (
        *_writable(settings),
        *_data_dir(settings),
        *_policy(settings),
    ):
        yield finding
    if not settings.data_dir.is_dir():
        return
    for finding in (*_local(settings, mounts), *_keys(settings), *_log_state(settings)):
        yield finding
    yield space(free_bytes=shutil.disk_usage(settings.data_dir).free)
    for finding in _clock(settings):
        yield finding
    async for finding in _database(settings):
        yield finding


def _writable(settings: Settings) -> Iterator[Finding]:
    for name, file in (
        ("settings", settings.file),
        ("policy", settings.policy),
        ("groups", settings.groups),
    ):
        if file is None or not file.is_file():
            continue
        if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield fail(
                name,
                f"{file} may be changed by others, and it says who decides",
                f"chmod go-w {file}",
            )


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        yield fail(
            "data_dir", f"{folder}: {(error.strerror or '').lower()}", f"mkdir -m 700 {folder}"
        )
        return
    if not folder.is_dir():
        yield fail("data_dir", f"{folder} is not a folder", "Name a folder.")
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
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


def _local(settings: Settings, mounts: Path) -> Iterator[Finding]:
    if settings.store.type != "sqlite":
        return
    try:
        require_local(settings.data_dir / DATABASE, mounts=mounts)
    except StoreRefused as error:
        yield fail("data_dir", error.message.partition(". ")[0], error.remedy)


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


def _log_state(settings: Settings) -> Iterator[Finding]:
    if settings.store.type == "memory":
        return
    file = settings.data_dir / LOG_STATE
    try:
        state = read_state(file)
    except StoreRefused as error:
        yield fail("data_dir", error.message.rstrip("."), error.remedy)
        return
    if file.with_name(file.name + ".new").is_dir() or not os.access(file.parent, os.W_OK):
        yield fail(
            "data_dir",
            f"{file} cannot be replaced, and nothing is final before it says so",
            f"Let the bot's user write {file.parent}, and remove {file.name}.new from it.",
        )
    else:
        yield ok("data_dir", f"{file.name}: the log had {state.size:,} entries when last kept")


def space(*, free_bytes: int) -> Finding:
    """Return whether so much room is enough to go on recording."""
    told = f"{free_bytes / (1 << 30):.1f} GiB free"
    if free_bytes < _TOO_LOW_BYTES:
        return fail("data_dir", told, "Free some space: without it nothing is recorded or done.")
    if free_bytes < _LOW_BYTES:
        return warn("data_dir", told, "Free some space before it runs out.")
    return ok("data_dir", told)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    database = settings.data_dir / DATABASE
    if settings.store.type != "sqlite" or not database.exists():
        return
    damage = await asyncio.to_thread(what_is_damaged, database)
    if damage is not None:
        what = " ".join(damage.split())
        yield fail("store", f"{database.name} is damaged: {what}", "keyturn restore BACKUP")
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


def _policy(settings: Settings) -> Iterator[Finding]:
    file = settings.policy
    try:
        policy = parse_policy(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        yield fail("policy", f"{file} cannot be read ({reason})", "Put a policy file there.")
    except UnicodeDecodeError:
        yield fail("policy", f"{file} cannot be read (it is not UTF-8)", "Save it as UTF-8.")
    except PolicyInvalid as error:
        for problem in error.problems:
            yield fail("policy", problem, "Correct it: the bot does not start with it.")
    else:
        yield ok("policy", f"{file.name} loads, {len(policy.rules)} rules")
