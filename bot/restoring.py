"""Puts a backup back: made safe aside first, then moved into its place, file by file.

Whatever interrupts it, doing it again ends in the same place. Until the files begin to move,
nothing of the deployment has changed; while they move, `restore.json` keeps every bot from
starting; what is replaced is kept.
"""

import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

import orjson

from adapters.file.log_state import read_state, state_text
from bot.backups import KEYS_FOLDER, MANIFEST, SETTINGS_FOLDER, read_backup
from bot.chosen import DATABASE, RESTORE_MARK
from bot.core.backup_manifest import Manifest
from bot.core.canonical import sha256_digest
from bot.core.checkpoint import LOG_ID_BYTES, Checkpoint, new_origin
from bot.core.errors import KeyturnError, StoreRefused
from bot.core.signed_note import SECRET_BYTES, Signer
from bot.core.transitions.restoring import LogEnd, Reopened
from bot.durable import copy_whole, move, remove, sync, write_whole
from bot.keys import LOG_KEY, LOG_STATE
from bot.ports.clock import Clock
from bot.ports.queries import Head
from bot.service.checkpoints import Signed, state_of
from bot.service.restore import Restore, Restored
from bot.settings import Settings
from store.sqlite import SqliteStore
from store.sqlite.copying import examine
from store.sqlite.looking import LookedAt
from store.sqlite.place import FileLock
from store.sqlite.schema import SCHEMA_VERSION

_ASIDE: Final = "restoring"
_REPLACED: Final = "replaced-{}"
_NAMED_BY_TIME: Final = "%Y%m%dT%H%M%SZ"
_LOG_KEY: Final = f"{KEYS_FOLDER}/{LOG_KEY}"

#: What makes way for the backup, in this order; the journal belongs to its database.
_LIVE: Final = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOG_STATE, _LOG_KEY)

#: Called with each step before it is done.
Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """``kept`` holds what was replaced, if anything was.

    ``safe`` is None where an earlier try had got that far.

    ``learned_from`` says whether what was replaced could be read.
    """

    manifest: Manifest
    origin: str
    epoch: int
    kept: Path | None
    safe: Restored | None
    learned_from: bool


async def restore(settings: Settings, backup: Path, *, clock: Clock, tell: Tell) -> Done:
    """Put *backup* in the place of what is in the data directory of *settings*, which may be empty.

    Raises:
        BackupInvalid: it is not a whole backup.
        RefusesToStart: a bot runs on the data directory, or the disk does not let it.
    """
    tell("reading the backup")
    manifest = read_backup(backup)
    if manifest.deployment != settings.deployment:
        raise StoreRefused(
            f"This is a backup of {manifest.deployment}, and the settings are those of "
            f"{settings.deployment}. What was approved there was approved for there.",
            remedy="Use the settings in the backup, or name another backup.",
        )
    data_dir = settings.data_dir
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(data_dir / DATABASE)
        try:
            return await _restore(data_dir, backup, manifest, clock=clock, tell=tell)
        finally:
            lock.release()
    except OSError as error:
        raise StoreRefused(
            f"{error.filename or data_dir}: {error.strerror}.",
            remedy="See to the disk and its rights, then run the same command again.",
        ) from error


def missing_settings(config: Path, backup: Path) -> Iterator[tuple[Path, Path]]:
    """Yield which file of *backup* belongs where, for a machine that has no settings yet."""
    if config.exists():
        return
    for file in sorted((backup / SETTINGS_FOLDER).glob("*.yaml")):
        target = config if file.name == "keyturn.yaml" else config.parent / file.name
        if not target.exists():
            yield file, target


async def _restore(
    data_dir: Path, backup: Path, manifest: Manifest, *, clock: Clock, tell: Tell
) -> Done:
    aside = data_dir / _ASIDE
    mark = _read_mark(data_dir, backup)
    safe, learned_from = None, False
    if mark is None:
        tell("preparing a copy")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        safe, learned_from = await _prepare(data_dir, backup, manifest, clock=clock, tell=tell)
        mark = _Mark.of(backup, now=clock.now())
        tell("closing the door for a bot")
        mark.write(data_dir)
    kept = data_dir / mark.kept
    if not mark.is_placing:
        _make_way(data_dir, kept, tell)
        mark = mark.placing()
        tell("noting that the place is free")
        mark.write(data_dir)
    state = read_state(_either(aside / LOG_STATE, data_dir / LOG_STATE))
    _place(data_dir, aside, tell)
    tell("opening the door again")
    remove(data_dir / RESTORE_MARK)
    return Done(
        manifest=manifest,
        origin=state.origin,
        epoch=state.epoch,
        kept=kept if kept.exists() else None,
        safe=safe,
        learned_from=learned_from,
    )


async def _prepare(
    data_dir: Path, backup: Path, manifest: Manifest, *, clock: Clock, tell: Tell
) -> tuple[Restored, bool]:
    """Fill the folder aside with everything that goes into place."""
    aside = data_dir / _ASIDE
    copy_whole(backup / DATABASE, aside / DATABASE)
    tell("verifying the copy")
    copied = examine(aside / DATABASE, size_before=manifest.size, progress=lambda *_: None)
    if (copied.size, copied.root) != (manifest.size, manifest.root):
        raise StoreRefused(
            "The log in the backup is not the one that its manifest names.",
            remedy="Take another backup.",
        )
    known = _known(data_dir)
    signer = Signer(
        new_origin(manifest.deployment, secrets.token_bytes(LOG_ID_BYTES)),
        secrets.token_bytes(SECRET_BYTES),
    )
    before = LogEnd(
        origin=manifest.origin, epoch=manifest.epoch, size=manifest.size, root=manifest.root
    )
    reopened = Reopened(
        origin=signer.key.name,
        epoch=max(manifest.epoch, known.epoch if known else 0) + 1,
        before=before,
        known=known,
        made_at=manifest.made_at,
    )
    since = _look_at(data_dir, before)
    try:
        tell("stopping everything in the copy")
        safe = await _make_safe(aside, reopened, since, signer, clock=clock)
    finally:
        if since is not None:
            since.close()
    tell("preparing the keys")
    keys = aside / KEYS_FOLDER
    keys.mkdir(mode=0o700)
    for key in sorted((backup / KEYS_FOLDER).glob("*.key")):
        if key.name != LOG_KEY and not (data_dir / KEYS_FOLDER / key.name).exists():
            copy_whole(key, keys / key.name)
    write_whole(keys / LOG_KEY, f"{signer.spell()}\n".encode())
    sync(aside)
    return safe, since is not None


async def _make_safe(
    aside: Path, reopened: Reopened, since: LookedAt | None, signer: Signer, *, clock: Clock
) -> Restored:
    store = await SqliteStore.open(aside / DATABASE, clock=clock)
    try:
        safe = await Restore(
            store, reopened=reopened, since=since, entropy=secrets.token_bytes
        ).make_safe()
        head = await store.read(Head())
    finally:
        await store.close()
    checkpoint = Checkpoint(origin=signer.key.name, size=head.size, root=head.root)
    signed = Signed(checkpoint, checkpoint.signed_by([signer]))
    write_whole(aside / LOG_STATE, state_text(state_of(signed, epoch=reopened.epoch)).encode())
    (aside / f"{DATABASE}.lock").unlink(missing_ok=True)
    sync(aside / DATABASE)
    return safe


def _known(data_dir: Path) -> LogEnd | None:
    """Return how far the log that is replaced had come, if anybody knows."""
    try:
        state = read_state(data_dir / LOG_STATE)
    except StoreRefused:
        return None
    return LogEnd(origin=state.origin, epoch=state.epoch, size=state.size, root=state.root)


def _look_at(data_dir: Path, before: LogEnd) -> LookedAt | None:
    """Return the database that is replaced, if it is whole and goes on where the backup ends."""
    path = data_dir / DATABASE
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        live = examine(path, size_before=before.size, progress=lambda *_: None, has_journal=True)
        goes_on = live.root_before == before.root and live.schema == SCHEMA_VERSION
        return LookedAt(path) if goes_on else None
    except KeyturnError:
        return None


def _make_way(data_dir: Path, kept: Path, tell: Tell) -> None:
    for name in _LIVE:
        if (data_dir / name).exists():
            tell(f"keeping {name}")
            (kept / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(data_dir)
            move(data_dir / name, kept / name)


def _place(data_dir: Path, aside: Path, tell: Tell) -> None:
    (data_dir / KEYS_FOLDER).mkdir(mode=0o700, exist_ok=True)
    if aside.exists():
        for path in sorted(aside.rglob("*")):
            if path.is_file():
                name = path.relative_to(aside)
                tell(f"placing {name}")
                move(path, data_dir / name)
        tell("tidying up")
        shutil.rmtree(aside)
        sync(data_dir)


def _either(first: Path, second: Path) -> Path:
    return first if first.exists() else second


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """What `restore.json` says: of which backup, where to, and how far."""

    backup: str
    manifest: str
    kept: str
    is_placing: bool

    @classmethod
    def of(cls, backup: Path, *, now: datetime) -> "_Mark":
        return cls(
            backup=str(backup.absolute()),
            manifest=_manifest_digest(backup),
            kept=_REPLACED.format(f"{now:{_NAMED_BY_TIME}}-{secrets.token_hex(2)}"),
            is_placing=False,
        )

    def placing(self) -> "_Mark":
        return _Mark(backup=self.backup, manifest=self.manifest, kept=self.kept, is_placing=True)

    def write(self, data_dir: Path) -> None:
        value = {
            "backup": self.backup,
            "manifest": self.manifest,
            "kept": self.kept,
            "is_placing": self.is_placing,
        }
        write_whole(data_dir / RESTORE_MARK, orjson.dumps(value) + b"\n")


def _read_mark(data_dir: Path, backup: Path) -> _Mark | None:
    """Return how far an interrupted restore of *backup* had come, or None for none.

    Raises:
        StoreRefused: one of another backup was interrupted.
    """
    try:
        value = orjson.loads((data_dir / RESTORE_MARK).read_bytes())
        mark = _Mark(**value)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise StoreRefused(
            f"{data_dir / RESTORE_MARK} is damaged.",
            remedy="Look into the folders restoring and replaced-*; nothing was deleted.",
        ) from error
    if mark.manifest != _manifest_digest(backup):
        raise StoreRefused(
            f"The restore of {mark.backup} was begun and has not ended.",
            remedy=f"Finish it first: keyturn restore {mark.backup}",
        )
    return mark


def _manifest_digest(backup: Path) -> str:
    return sha256_digest((backup / MANIFEST).read_bytes())
