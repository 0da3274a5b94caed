"""The keys of each kind: where they are kept, what they are called, how a new one begins."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.signed_note import SECRET_BYTES, Signer
from bot.keys import (
    GRANT_KEY_BYTES,
    LOG_KEY,
    SHELF_KEY,
    SHELF_KEY_BYTES,
    add_key,
    grant_key_files,
    key_lines,
    new_grant_key,
    read_key,
    read_keys,
    read_log_keys,
)
from bot.ports.clock import Clock
from bot.ports.shelf import Shelf
from bot.service.checkpoints import Checkpoints
from bot.service.grant_keys import GrantKeys
from bot.service.key_rotation import KeyKind, KeyOnFile, KeyRing, NewKey

_SHELF_NAME = b"keyturn.shelf.key.v1"
_SHELF_NAME_CHARS = 16


def key_rings(
    folder: Path, *, clock: Clock, grants: GrantKeys, checkpoints: Checkpoints, shelf: Shelf
) -> Mapping[KeyKind, KeyRing]:
    """Return the rings of a bot that keeps its keys in *folder*."""
    return {
        KeyKind.GRANT: GrantRing(folder, clock, grants),
        KeyKind.LOG: LogRing(folder / LOG_KEY, clock, checkpoints),
        KeyKind.SHELF: ShelfRing(folder / SHELF_KEY, clock, shelf),
    }


@dataclass(frozen=True, slots=True)
class GrantRing:
    """One file a key; each is named by the key id that its grants carry."""

    folder: Path
    clock: Clock
    grants: GrantKeys

    def kept(self) -> Sequence[KeyOnFile]:
        return [
            KeyOnFile(
                name=GrantKeys([read_key(file, length_bytes=GRANT_KEY_BYTES)]).newest,
                made_at=key_lines(file)[0].made_at,
            )
            for file in grant_key_files(self.folder)
        ]

    def make(self) -> NewKey:
        seed = new_grant_key(self.folder, made_at=self.clock.now())

        async def begin() -> None:
            self.grants.add(seed)

        return NewKey(name=GrantKeys([seed]).newest, begin=begin)


@dataclass(frozen=True, slots=True)
class LogRing:
    """Each is named by the verifier's key that checks its signatures."""

    file: Path
    clock: Clock
    checkpoints: Checkpoints

    def kept(self) -> Sequence[KeyOnFile]:
        pairs = zip(read_log_keys(self.file), key_lines(self.file), strict=True)
        return [KeyOnFile(name=str(signer.key), made_at=line.made_at) for signer, line in pairs]

    def make(self) -> NewKey:
        signer = Signer(self.checkpoints.origin, secrets.token_bytes(SECRET_BYTES))
        add_key(self.file, signer.spell(), made_at=self.clock.now())

        async def begin() -> None:
            self.checkpoints.sign_with(signer)

        return NewKey(name=str(signer.key), begin=begin)


@dataclass(frozen=True, slots=True)
class ShelfRing:
    """Each is named by the beginning of a hash of it."""

    file: Path
    clock: Clock
    shelf: Shelf

    def kept(self) -> Sequence[KeyOnFile]:
        keys = read_keys(self.file, length_bytes=SHELF_KEY_BYTES)
        pairs = zip(keys, key_lines(self.file), strict=True)
        return [KeyOnFile(name=_shelf_name(key), made_at=line.made_at) for key, line in pairs]

    def make(self) -> NewKey:
        key = secrets.token_bytes(SHELF_KEY_BYTES)
        add_key(self.file, key.hex(), made_at=self.clock.now())

        async def begin() -> None:
            await self.shelf.renew(key)

        return NewKey(name=_shelf_name(key), begin=begin)


def _shelf_name(key: bytes) -> str:
    return hashlib.sha256(_SHELF_NAME + key).hexdigest()[:_SHELF_NAME_CHARS]
