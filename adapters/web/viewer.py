"""Who reads one full view and nothing else: a cookie of its own, which signs nobody in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.web.cookie import Cookie
from adapters.web.session import Proven
from bot.core.ids import PersonId, ProposalId
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token, token_hash, token_kind
from bot.ports.desk import Viewing
from bot.ports.shelf import Shelf

KIND: Final = "web.view"
VIEWER_S: Final = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer(Proven):
    """A browser in which a link to a full view was opened."""

    viewing: Viewing


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    proposal: str
    chat: str


class Viewers:
    """Kept apart from sessions: neither cookie is of any use in the other's place.

    Each ends after ``whole_s``.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        entropy: Callable[[int], bytes],
        secure: bool,
        whole_s: float = VIEWER_S,
    ) -> None:
        self._shelf = shelf
        self._entropy = entropy
        self._whole_s = whole_s
        self.cookie = Cookie.named("keyturn-view", secure=secure, max_age_s=whole_s)

    async def start(self, viewing: Viewing) -> str:
        """Return the token with which a browser may read what *viewing* names."""
        token = spell_token(TokenKind.VIEW, self._entropy(TOKEN_ENTROPY_BYTES))
        kept = _Kept(person=viewing.person, proposal=viewing.proposal, chat=viewing.chat)
        value = kept.model_dump_json().encode()
        await self._shelf.put(KIND, token_hash(token), value, ttl_s=self._whole_s)
        return token

    async def find(self, token: str) -> Viewer | None:
        """Return what *token* may read, if its time is not over."""
        if token_kind(token) is not TokenKind.VIEW:
            return None
        item = await self._shelf.get(KIND, token_hash(token))
        if item is None:
            return None
        try:
            kept = _Kept.model_validate_json(item.value)
        except ValidationError:
            return None
        viewing = Viewing(
            person=PersonId(kept.person), proposal=ProposalId(kept.proposal), chat=kept.chat
        )
        return Viewer(token=token, viewing=viewing)

    async def end(self, token: str) -> None:
        await self._shelf.delete(KIND, token_hash(token))
