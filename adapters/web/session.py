"""Who is signed in: a random token in a cookie, of which only the hash is kept."""

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from adapters.web.cookie import Cookie
from bot.core.actors import Person
from bot.core.errors import Conflict
from bot.core.ids import PersonId
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token, token_hash, token_kind
from bot.ports.clock import Clock
from bot.ports.shelf import Shelf

KIND: Final = "web.session"
_TOUCH_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a cookie with ``token`` stands for, to which pages are served and which sends forms."""

    token: str = field(repr=False)

    @property
    def key(self) -> str:
        return token_hash(self.token)

    def proof(self, purpose: str) -> str:
        """Return what only a page served to this session can send back for *purpose*."""
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def proves(self, proof: str, purpose: str) -> bool:
        return hmac.compare_digest(self.proof(purpose).encode(), proof.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Proven):
    """A person who is signed in now."""

    person: Person


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    since: AwareDatetime
    seen: AwareDatetime


class Sessions:
    """Sessions on the shelf; each ends after ``whole_s``, or after ``idle_s`` without a page."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        clock: Clock,
        entropy: Callable[[int], bytes],
        secure: bool,
        whole_s: float,
        idle_s: float,
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._entropy = entropy
        self._whole = timedelta(seconds=whole_s)
        self._idle = timedelta(seconds=idle_s)
        self.cookie = Cookie.named("keyturn", secure=secure, max_age_s=whole_s)

    async def start(self, person: PersonId) -> str:
        """Return the token of a new session of *person*."""
        token = spell_token(TokenKind.SESSION, self._entropy(TOKEN_ENTROPY_BYTES))
        now = self._clock.now()
        kept = _Kept(person=person, since=now, seen=now)
        await self._shelf.put(KIND, token_hash(token), _bytes(kept), ttl_s=self._ttl_s(kept))
        return token

    async def find(self, token: str, *, is_activity: bool) -> PersonId | None:
        """Return whose session *token* is, if it has not ended; activity puts off its end."""
        if token_kind(token) is not TokenKind.SESSION:
            return None
        item = await self._shelf.get(KIND, token_hash(token))
        if item is None:
            return None
        try:
            kept = _Kept.model_validate_json(item.value)
        except ValidationError:
            return None
        now = self._clock.now()
        if now >= self._end(kept):
            return None
        if is_activity and now - kept.seen >= _TOUCH_EVERY:
            touched = kept.model_copy(update={"seen": now})
            # Another request may have touched it, or ended it: both stand.
            with suppress(Conflict):
                await self._shelf.put(
                    KIND,
                    token_hash(token),
                    _bytes(touched),
                    ttl_s=self._ttl_s(touched),
                    if_version=item.version,
                )
        return PersonId(kept.person)

    async def end(self, token: str) -> None:
        await self._shelf.delete(KIND, token_hash(token))

    def read_cookie(self, request: web.Request) -> str:
        return self.cookie.read(request)

    def set_cookie(self, response: web.StreamResponse, token: str) -> None:
        self.cookie.give(response, token)

    def drop_cookie(self, response: web.StreamResponse) -> None:
        self.cookie.drop(response)

    def _end(self, kept: _Kept) -> datetime:
        return min(kept.since + self._whole, kept.seen + self._idle)

    def _ttl_s(self, kept: _Kept) -> float:
        return (self._end(kept) - kept.seen).total_seconds()


def _bytes(kept: _Kept) -> bytes:
    return kept.model_dump_json().encode()
