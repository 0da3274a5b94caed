"""One folder with everything that a deployment is, but its keys unless they are asked for."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeAlias

from adapters.file.log_state import read_state
from bot.chosen import DATABASE
from bot.core.backup_manifest import BackupInvalid, FileDigest, Manifest, parse_manifest
from bot.core.errors import Conflict, SettingsInvalid, StoreRefused
from bot.durable import copy_whole, digest_of_file, move, sync, write_whole
from bot.keys import LOG_STATE
from bot.ports.backup import BackupMade, BackupProgress, Stage
from bot.ports.clock import Clock
from bot.settings import Settings
from store.sqlite.copying import copy_database, examine

MANIFEST: Final = "manifest.json"
#: In the data directory: which backup was made last, for `keyturn doctor`.
LAST_BACKUP: Final = "last-backup.json"

SETTINGS_FOLDER: Final = "settings"
KEYS_FOLDER: Final = "keys"

_NAMED_BY_TIME: Final = "%Y%m%dT%H%M%SZ"
_REMEDY: Final = "Name a folder on a disk with room, that this user may write to."

Tell: TypeAlias = Callable[[BackupProgress], None]


class FolderBackups:
    """Implements :class:`bot.ports.backup.Backups` for a deployment in files."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._is_busy = False

    async def make(
        self, into: str, *, with_keys: bool
    ) -> AsyncIterator[BackupProgress | BackupMade]:
        if self._is_busy:
            raise Conflict("Another backup is being made.", remedy="Wait until it is done.")
        loop = asyncio.get_running_loop()
        news: asyncio.Queue[BackupProgress | None] = asyncio.Queue()

        def tell(progress: BackupProgress) -> None:
            loop.call_soon_threadsafe(news.put_nowait, progress)

        def work() -> BackupMade:
            try:
                return back_up(
                    self._settings,
                    Path(into),
                    with_keys=with_keys,
                    now=self._clock.now(),
                    tell=tell,
                )
            finally:
                loop.call_soon_threadsafe(news.put_nowait, None)

        self._is_busy = True
        working = asyncio.ensure_future(asyncio.to_thread(work))
        working.add_done_callback(self._done)
        while (progress := await news.get()) is not None:
            yield progress
        yield await working

    def _done(self, working: "asyncio.Future[BackupMade]") -> None:
        self._is_busy = False
        if not working.cancelled():
            # Nobody may be left to hear of it.
            working.exception()


def back_up(
    settings: Settings, into: Path, *, with_keys: bool, now: datetime, tell: Tell
) -> BackupMade:
    """Make a backup in a new folder in *into*, and read it again.

    Raises:
        RefusesToStart: it cannot be made; nothing is left under its name.
    """
    if settings.store.type != "sqlite":
        raise SettingsInvalid(
            f"A store of the type {settings.store.type} is not backed up by Keyturn.",
            remedy="Use what comes with that store.",
        )
    name = f"{settings.deployment}-{now:{_NAMED_BY_TIME}}"
    folder, part = into / name, into / f".{name}.part"
    if folder.exists():
        raise StoreRefused(f"{folder} is there already.", remedy="Try again in a second.")
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700)
        try:
            manifest = _fill(part, settings, with_keys=with_keys, now=now, tell=tell)
            move(part, folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        write_whole(
            settings.data_dir / LAST_BACKUP,
            f'{{"made_at": "{now.isoformat()}"}}\n'.encode(),
        )
    except OSError as error:
        raise StoreRefused(
            f"The backup cannot be written: {error.filename or into}: {error.strerror}.",
            remedy=_REMEDY,
        ) from error
    return BackupMade(folder=str(folder), manifest=manifest)


def read_backup(folder: Path) -> Manifest:
    """Return the manifest of the backup in *folder*, whose files are all there and unchanged.

    Raises:
        BackupInvalid: it is not a whole backup.
    """
    try:
        manifest = parse_manifest((folder / MANIFEST).read_bytes())
        for name, digest in manifest.files.items():
            if digest_of_file(folder / name) != digest:
                raise BackupInvalid(f"{folder / name} is not the file that was backed up.")
    except OSError as error:
        raise BackupInvalid(
            f"{error.filename or folder} cannot be read: {error.strerror}."
        ) from error
    if DATABASE not in manifest.files or LOG_STATE not in manifest.files:
        raise BackupInvalid(f"The manifest in {folder} names no database.")
    return manifest


def _fill(
    part: Path, settings: Settings, *, with_keys: bool, now: datetime, tell: Tell
) -> Manifest:
    # Before the database: what is kept of the log must never be ahead of the copy.
    copy_whole(settings.data_dir / LOG_STATE, part / LOG_STATE)
    for source, target in _beside(settings, part, with_keys=with_keys):
        target.parent.mkdir(mode=0o700, exist_ok=True)
        copy_whole(source, target)
    database = part / DATABASE
    # Made here, so that it is never readable by others.
    os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    copy_database(
        settings.data_dir / DATABASE,
        database,
        progress=lambda done, total: tell(
            BackupProgress(stage=Stage.COPYING, done=done, total=total)
        ),
    )
    sync(database)
    state = read_state(part / LOG_STATE)
    copied = examine(
        database,
        size_before=state.size,
        progress=lambda done, total: tell(
            BackupProgress(stage=Stage.VERIFYING, done=done, total=total)
        ),
    )
    if copied.root_before != state.root:
        raise StoreRefused(
            "The database's log is not the one that was signed, so this would be a copy of "
            "something damaged.",
            remedy="Run `keyturn audit verify` and `keyturn doctor`; keep the last good backup.",
        )
    manifest = Manifest(
        deployment=settings.deployment,
        keyturn=version("keyturn"),
        made_at=now,
        schema=copied.schema,
        origin=state.origin,
        epoch=state.epoch,
        size=copied.size,
        root=copied.root,
        with_keys=with_keys,
        files=dict(_digests(part)),
    )
    write_whole(part / MANIFEST, manifest.text().encode())
    for folder in (part, *(path for path in part.iterdir() if path.is_dir())):
        sync(folder)
    read_backup(part)
    return manifest


def _beside(settings: Settings, part: Path, *, with_keys: bool) -> Iterator[tuple[Path, Path]]:
    texts = part / SETTINGS_FOLDER
    yield settings.file, texts / "keyturn.yaml"
    yield settings.policy, texts / "policy.yaml"
    if settings.groups is not None and settings.groups.exists():
        yield settings.groups, texts / "groups.yaml"
    if with_keys:
        for key in sorted(settings.keys_dir.glob("*.key")):
            yield key, part / KEYS_FOLDER / key.name


def _digests(part: Path) -> Iterator[tuple[str, FileDigest]]:
    for path in sorted(part.rglob("*")):
        if path.is_file():
            yield path.relative_to(part).as_posix(), digest_of_file(path)
