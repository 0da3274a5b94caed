"""What is kept of cards in Teams: where each is, and what was begun and not answered."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Final
from urllib.parse import quote, unquote

import orjson

from bot.card_copies import KEPT_S
from bot.ports.shelf import Shelf

_POSTS: Final = "teams_post"
COPIES: Final = "teams_card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One card: the activity by whose id it is updated.

    Spelled with the conversation first: what is there is lost together.
    """

    service_url: str
    conversation: str
    activity: str

    def __str__(self) -> str:
        return f"{under(self.conversation)}{_spelled(self.service_url)} {_spelled(self.activity)}"


def under(conversation: str) -> str:
    """Return what every place in *conversation* begins with."""
    return f"{_spelled(conversation)} "


def place_of(where: str) -> Place | None:
    """Return the place that a CardRef spells."""
    parts = [unquote(part) for part in where.split(" ")]
    if len(parts) != 3 or not all(parts):
        return None
    return Place(conversation=parts[0], service_url=parts[1], activity=parts[2])


def _spelled(part: str) -> str:
    return quote(part, safe=":/@;=.-_")


@unique
class Begun(StrEnum):
    SENDING = "sending"  #: the call was begun; who began it may have ended
    UNCLEAR = "unclear"  #: the answer was lost
    POSTED = "posted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    begun: Begun
    where: str = ""


def digest_of_activity(activity: Mapping[str, Any]) -> str:
    shown = orjson.dumps(activity, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(shown).hexdigest()[:32]


class Posts:
    """By the key under which a card was to be posted."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def get(self, key: str) -> Post | None:
        item = await self._shelf.get(_POSTS, key)
        return None if item is None else Post(**orjson.loads(item.value))

    async def put(self, key: str, post: Post) -> None:
        value = orjson.dumps({"begun": post.begun, "where": post.where})
        await self._shelf.put(_POSTS, key, value, ttl_s=KEPT_S)

    async def drop(self, key: str) -> None:
        await self._shelf.delete(_POSTS, key)
