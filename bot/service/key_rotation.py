"""A new key is used from now on; what older ones signed or encrypted stays good."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

from bot.core.actors import Actor
from bot.core.leaf import LeafDraft
from bot.core.step import Ask, Transition
from bot.service.gate import Gate


@unique
class KeyKind(StrEnum):
    GRANT = "grant"
    LOG = "log"
    SHELF = "shelf"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOnFile:
    """``name`` can be told to anybody: it is, or is made of, what is public about the key."""

    name: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """``begin`` uses it from now on; a restart does so too."""

    name: str
    begin: Callable[[], Awaitable[None]]


class KeyRing(Protocol):
    """The keys of one kind in their files. Both methods block."""

    def kept(self) -> Sequence[KeyOnFile]:
        """Return every key, oldest first.

        Raises:
            SettingsInvalid: a file cannot be used.
        """
        ...

    def make(self) -> NewKey:
        """Make a key below the others. It MUST be durable, and used by nobody yet.

        Raises:
            OSError: it could not be kept.
            SettingsInvalid: a file cannot be used.
        """
        ...


class KeyRotation:
    def __init__(self, gate: Gate, rings: Mapping[KeyKind, KeyRing]) -> None:
        self._gate = gate
        self._rings = rings
        self._rotating = asyncio.Lock()

    async def kept(self) -> Mapping[KeyKind, Sequence[KeyOnFile]]:
        """Return every key by its kind, oldest first: the last of each kind is the one in use.

        Raises:
            SettingsInvalid: a key file cannot be used any more.
        """
        return await asyncio.to_thread(
            lambda: {kind: ring.kept() for kind, ring in self._rings.items()}
        )

    async def rotate(self, actor: Actor, kind: KeyKind) -> str:
        """Make a new key of *kind*, record it and use it; return its name.

        Raises:
            StoreUnavailable: it could not be recorded; the old key goes on being used until the
                next start finds the new one.
            SettingsInvalid: a key file cannot be used any more.
        """
        ring = self._rings[kind]
        async with self._rotating:
            before = await asyncio.to_thread(ring.kept)
            new = await asyncio.to_thread(ring.make)
            leaf = LeafDraft(
                type="key.rotated",
                actor=actor,
                clear={
                    "purpose": kind.value,
                    "before": before[-1].name if before else None,
                    "key": new.name,
                },
            )
            await self._gate.commit(Ask(), lambda _: Transition(value=None, leaves=(leaf,)))
            await new.begin()
            return new.name
