"""What is kept of cards in Slack: where each is, how new, and what was begun and not answered."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from adapters.slack.blocks import Message
from bot.core.card import Card
from bot.core.errors import Conflict
from bot.core.ids import PersonId, ProposalId
from bot.core.states import TERMINAL, State
from bot.ports.shelf import Shelf

_POSTS: Final = "slack_post"
_COPIES: Final = "slack_card"
_DMS: Final = "slack_dm"
_LOST: Final = "slack_lost"
#: What is older is found in the web inbox; the card itself keeps saying what it said last.
_KEPT_S: Final = 180 * 86_400.0

_ORDER: Final = {
    State.PENDING: 0,
    State.APPROVED: 1,
    State.RELEASED: 2,
    State.EXECUTING: 2,
    State.REDEEMED: 3,
    State.IN_DOUBT: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One message: ``workspace`` is the team, or the organisation, whose token posted it."""

    workspace: str
    channel: str
    ts: str

    def __str__(self) -> str:
        return f"{self.workspace}/{self.channel}/{self.ts}"


def place_of(where: str) -> Place | None:
    """Return the place that a CardRef spells."""
    parts = where.split("/")
    if len(parts) != 3 or not all(parts):
        return None
    return Place(workspace=parts[0], channel=parts[1], ts=parts[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """``begun_at`` is our time, in seconds, before the call; ``where`` is "" until its answer."""

    begun_at: float
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A card that may be in a conversation which is not known yet."""

    key: str
    proposal: ProposalId
    person: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A card that is somewhere. ``rank`` orders what it may show; ``digest`` is what it shows.

    ``is_shown`` is False from before the call that changes it until Slack has answered.
    """

    rank: tuple[float, int]
    digest: str = ""
    is_shown: bool = True


_NEW: Final = Copy(rank=(0.0, 0))


def rank_of(card: Card) -> tuple[float, int]:
    """Return what grows with the life of a proposal: of two cards the higher is the newer."""
    order = 9 if card.state in TERMINAL else _ORDER.get(card.state, 0)
    return card.changed_at.timestamp(), order


def digest_of_message(message: Message) -> str:
    shown = json.dumps([message.text, message.blocks], sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


class Posts:
    """By the key under which a card was to be posted."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def get(self, key: str) -> Post | None:
        item = await self._shelf.get(_POSTS, key)
        return None if item is None else Post(**json.loads(item.value))

    async def put(self, key: str, post: Post) -> None:
        value = json.dumps(asdict(post)).encode()
        await self._shelf.put(_POSTS, key, value, ttl_s=_KEPT_S)

    async def drop(self, key: str) -> None:
        await self._shelf.delete(_POSTS, key)

    async def dm(self, workspace: str, user: str) -> str | None:
        """Return the conversation with *user*; None until a card was posted or they opened it."""
        item = await self._shelf.get(_DMS, f"{workspace}/{user}")
        return None if item is None else item.value.decode()

    async def keep_dm(self, workspace: str, user: str, channel: str) -> None:
        await self._shelf.put(_DMS, f"{workspace}/{user}", channel.encode())

    async def lose(self, workspace: str, user: str, lost: Lost) -> None:
        """Remember to look for *lost* once the conversation with *user* is known."""
        where, value = f"{workspace}/{user}/{lost.key}", json.dumps(asdict(lost)).encode()
        await self._shelf.put(_LOST, where, value, ttl_s=_KEPT_S)

    async def lost(self, workspace: str, user: str) -> list[Lost]:
        """Return what is to be looked for there."""
        items = await self._shelf.list(_LOST, f"{workspace}/{user}/")
        return [Lost(**json.loads(item.value)) for item in items]

    async def looked_for(self, workspace: str, user: str, lost: Lost) -> None:
        await self._shelf.delete(_LOST, f"{workspace}/{user}/{lost.key}")


class Copies:
    """Every card of a proposal that a person has; mostly one."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def of(self, proposal: ProposalId, person: PersonId) -> Sequence[str]:
        items = await self._shelf.list(_COPIES, f"{proposal}/{person}/")
        return [item.key.split("/", 2)[2] for item in items]

    async def adopt(self, proposal: ProposalId, person: PersonId, where: str) -> bool:
        """Keep the card at *where*; return whether it was not known before."""
        try:
            await self._put(f"{proposal}/{person}/{where}", _NEW, version=0)
        except Conflict:
            return False
        return True

    async def drop(self, proposal: ProposalId, person: PersonId, where: str) -> None:
        await self._shelf.delete(_COPIES, f"{proposal}/{person}/{where}")

    async def shown(self, card: Card, person: PersonId, where: str, digest: str) -> None:
        """Record that a new card was posted at *where*."""
        key = f"{card.proposal}/{person}/{where}"
        await self._put(key, Copy(rank=rank_of(card), digest=digest), version=None)

    async def begin(self, card: Card, person: PersonId, where: str, digest: str) -> "Change | None":
        """Return the change of the card at *where* to *card*; None when there is none to make.

        What is newer stays, and what is there already is not sent again.
        """
        key, rank = f"{card.proposal}/{person}/{where}", rank_of(card)
        while True:
            item = await self._shelf.get(_COPIES, key)
            if item is not None:
                copy = _read(item.value)
                if copy.rank > rank or (copy.is_shown and copy.digest == digest):
                    return None
            change = Copy(rank=rank, digest=digest, is_shown=False)
            try:
                version = await self._put(key, change, version=0 if item is None else item.version)
            except Conflict:
                continue
            return Change(key=key, copy=change, version=version)

    async def end(self, change: "Change") -> bool:
        """Record that *change* is shown; return False when a newer one was begun meanwhile."""
        try:
            await self._put(change.key, replace(change.copy, is_shown=True), version=change.version)
        except Conflict:
            return False
        return True

    async def _put(self, key: str, copy: Copy, *, version: int | None) -> int:
        value = json.dumps(asdict(copy)).encode()
        return await self._shelf.put(_COPIES, key, value, ttl_s=_KEPT_S, if_version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    key: str
    copy: Copy
    version: int


def _read(value: bytes) -> Copy:
    record = json.loads(value)
    at, order = record["rank"]
    return Copy(rank=(at, order), digest=record["digest"], is_shown=record["is_shown"])
