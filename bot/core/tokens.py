"""Bearer tokens: kind prefix, random part, checksum; only their SHA-256 is ever stored.

The checksum lets a mistyped token, and a scanner that meets one, be told apart from a
wrong one without asking the store.
"""

import hashlib
import zlib
from enum import StrEnum, unique
from typing import NewType

TokenHash = NewType("TokenHash", str)

TOKEN_ENTROPY_BYTES = 24

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_CHARS = 33
_CHECKSUM_CHARS = 6


@unique
class TokenKind(StrEnum):
    """What a token may be used for; none is usable as another."""

    AGENT = "kta"  #: proposes
    MANDATE = "ktm"  #: narrows an agent to one task, beside the agent's own token
    RESOURCE = "ktr"  #: a resource server redeems grants
    SESSION = "kts"  #: a signed-in person, in a cookie
    VIEW = "ktv"  #: reads one full view: in a link that works once, then in a cookie
    ADMIN = "ktx"  #: a person with the role admin or auditor, on the admin interface


def spell_token(kind: TokenKind, entropy: bytes) -> str:
    """Return the token text of *entropy*; show it once, store only :func:`token_hash`."""
    random_part = _base62(int.from_bytes(entropy[:TOKEN_ENTROPY_BYTES], "big"), _RANDOM_CHARS)
    body = f"{kind}_{random_part}"
    return body + _checksum(body)


def token_kind(token: str) -> TokenKind | None:
    """Return the kind of a well-formed token, or None; says nothing about its being known."""
    prefix, underscore, rest = token.partition("_")
    if not underscore or len(rest) != _RANDOM_CHARS + _CHECKSUM_CHARS or not token.isascii():
        return None
    if _checksum(token[:-_CHECKSUM_CHARS]) != token[-_CHECKSUM_CHARS:]:
        return None
    try:
        return TokenKind(prefix)
    except ValueError:
        return None


def token_hash(token: str) -> TokenHash:
    return TokenHash(hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest())


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_CHARS)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
