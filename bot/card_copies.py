"""Every card that a chat has posted: where it is, what it shows, and what was begun to change it.

For chats that keep their cards themselves, up to date by the place where each of them is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson

from bot.core.card import Card
from bot.core.errors import Conflict
from bot.core.ids import PersonId, ProposalId
from bot.core.states import TERMINAL, State
from bot.ports.shelf import Item, Shelf

#: What is older is found in the web inbox; the card itself keeps saying what it said last.
KEPT_S: Final = 180 * 86_400.0

_ORDER: Final = {
    State.PENDING: 0,
    State.APPROVED: 1,
    State.RELEASED: 2,
    State.EXECUTING: 2,
    State.REDEEMED: 3,
    State.IN_DOUBT: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A card that is somewhere. ``rank`` orders what it may show; ``digest`` is what it shows.

    ``is_shown`` is False from before the call that changes it until the chat has answered.
    """

    rank: tuple[float, int]
    digest: str = ""
    is_shown: bool = True


_NEW: Final = Copy(rank=(0.0, 0))


def rank_of(card: Card) -> tuple[float, int]:
    """Return what grows with the life of a proposal: of two cards the higher is the newer."""
    order = 9 if card.state in TERMINAL else _ORDER.get(card.state, 0)
    return card.changed_at.timestamp(), order


class Copies:
    """Every card of a proposal that a person has, mostly one; *kind* is the chat's own."""

    def __init__(self, shelf: Shelf, *, kind: str) -> None:
        self._shelf = shelf
        self._kind = kind

    async def of(self, proposal: ProposalId, person: PersonId) -> Mapping[str, Item]:
        """Return what is kept of each card, by where it is."""
        items = await self._shelf.list(self._kind, f"{proposal}/{person}/")
        return {item.key.split("/", 2)[2]: item for item in items}

    async def adopt(self, proposal: ProposalId, person: PersonId, where: str) -> bool:
        """Keep the card at *where*; return whether it was not known before."""
        key = f"{proposal}/{person}/{where}"
        # Mostly it is: looking is cheaper than being refused.
        if await self._shelf.get(self._kind, key) is not None:
            return False
        try:
            await self._put(key, _NEW, version=0)
        except Conflict:
            return False
        return True

    async def drop(self, proposal: ProposalId, person: PersonId, where: str) -> None:
        await self._shelf.delete(self._kind, f"{proposal}/{person}/{where}")

    async def shown(self, card: Card, person: PersonId, where: str, digest: str) -> None:
        """Record that a new card was posted at *where*, unless somebody found it before."""
        try:
            copy = Copy(rank=rank_of(card), digest=digest)
            await self._put(f"{card.proposal}/{person}/{where}", copy, version=0)
        except Conflict:
            return

    async def begin(
        self, card: Card, person: PersonId, where: str, digest: str, *, known: Item | None = None
    ) -> "Change | None":
        """Return the change of the card at *where* to *card*; None when there is none to make.

        What is newer stays, and what is there already is not sent again. *known* is what was kept
        a moment ago, where somebody has looked.
        """
        key, rank = f"{card.proposal}/{person}/{where}", rank_of(card)
        item = known or await self._shelf.get(self._kind, key)
        while True:
            if item is not None:
                copy = _read(item.value)
                if copy.rank > rank or (copy.is_shown and copy.digest == digest):
                    return None
            change = Copy(rank=rank, digest=digest, is_shown=False)
            try:
                version = await self._put(key, change, version=0 if item is None else item.version)
            except Conflict:
                item = await self._shelf.get(self._kind, key)
                continue
            return Change(key=key, copy=change, version=version)

    async def end(self, change: "Change") -> bool:
        """Record that *change* is shown; return False when a newer one was begun meanwhile."""
        try:
            await self._put(change.key, replace(change.copy, is_shown=True), version=change.version)
        except Conflict:
            return False
        return True

    async def _put(self, key: str, copy: Copy, *, version: int) -> int:
        value = orjson.dumps({"rank": copy.rank, "digest": copy.digest, "is_shown": copy.is_shown})
        return await self._shelf.put(self._kind, key, value, ttl_s=KEPT_S, if_version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    key: str
    copy: Copy
    version: int


def _read(value: bytes) -> Copy:
    record = orjson.loads(value)
    at, order = record["rank"]
    return Copy(rank=(at, order), digest=record["digest"], is_shown=record["is_shown"])
