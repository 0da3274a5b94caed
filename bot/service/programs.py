"""What agents and resource servers have in common: a name, and tokens, renewed and ended."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.actors import Token
from bot.core.errors import InvalidInput
from bot.core.ids import ID_ENTROPY_BYTES, token_id
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token, token_hash
from bot.service.gate import Gate

MAX_OVERLAP_S = 30 * 24 * 3600
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def require_name(name: str, *, of: str) -> None:
    """Raise InvalidInput unless *name* is a name; *of* says whose, such as ``An agent``."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{of}'s name is 1 to 64 of a-z, 0-9, dot, dash and underscore.", field="/name"
        )


def require_overlap(overlap_s: int) -> None:
    """Raise InvalidInput unless what is renewed may still work for *overlap_s* seconds."""
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        raise InvalidInput(
            f"The overlap has to be from 0 to {MAX_OVERLAP_S} seconds.", field="/overlap_s"
        )


def new_token(gate: Gate, kind: TokenKind, *, holder: str) -> tuple[str, Token]:
    """Return the text of a new token, and the token as it is stored."""
    secret = spell_token(kind, gate.entropy(TOKEN_ENTROPY_BYTES))
    return secret, Token(
        id=token_id(gate.entropy(ID_ENTROPY_BYTES)),
        kind=kind,
        hash=token_hash(secret),
        holder=holder,
        created_at=gate.clock.now(),
    )


def ended_by(ends_at: datetime, tokens: Iterable[Token]) -> tuple[Token, ...]:
    """Return those of *tokens* that would be valid after *ends_at*, ended then."""
    return tuple(replace(token, ends_at=ends_at) for token in tokens if token.is_valid(ends_at))


def renewed(
    new: Token, *, earlier: Iterable[Token], now: datetime, overlap_s: int
) -> tuple[Token, ...]:
    """Return *new* as issued now, and what ends of the *earlier* ones with the overlap."""
    ends_at = now + timedelta(seconds=overlap_s)
    return (*ended_by(ends_at, earlier), replace(new, created_at=now))
