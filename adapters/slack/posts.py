"""What is kept of cards in Slack: where each is, and what was begun and not answered."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

from adapters.slack.blocks import Message
from bot.card_copies import KEPT_S
from bot.core.ids import PersonId, ProposalId
from bot.ports.shelf import Shelf

_POSTS: Final = "slack_post"
COPIES: Final = "slack_card"
_DMS: Final = "slack_dm"
_LOST: Final = "slack_lost"


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
        await self._shelf.put(_POSTS, key, value, ttl_s=KEPT_S)

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
        await self._shelf.put(_LOST, where, value, ttl_s=KEPT_S)

    async def lost(self, workspace: str, user: str) -> list[Lost]:
        """Return what is to be looked for there."""
        items = await self._shelf.list(_LOST, f"{workspace}/{user}/")
        return [Lost(**json.loads(item.value)) for item in items]

    async def looked_for(self, workspace: str, user: str, lost: Lost) -> None:
        await self._shelf.delete(_LOST, f"{workspace}/{user}/{lost.key}")
