"""The credential of one connector: sent, and otherwise never seen."""

import base64
import json
from dataclasses import dataclass, field
from typing import Final, assert_never
from urllib.parse import quote

from adapters.http.config import CredentialSection, OwnHeader
from bot.core.credential import MIN_CHARS, CredentialRefused, one_line

REDACTED: Final = b"[the credential]"


@dataclass(frozen=True, slots=True)
class Credential:
    """``header`` and ``value`` are what is sent; ``spellings`` are what answers must not show."""

    header: str
    value: str = field(repr=False)
    spellings: tuple[bytes, ...] = field(repr=False)

    def redact(self, body: bytes) -> bytes:
        """Return *body* without the credential, should the target have repeated it."""
        for spelling in self.spellings:
            body = body.replace(spelling, REDACTED)
        return body


def credential_of(section: CredentialSection, secret: str) -> Credential:
    """Return how *secret* is sent.

    Raises:
        CredentialRefused: it is empty, short, or would not stay on one line.
    """
    secret = one_line(secret, called="credential")
    match section.send:
        case OwnHeader(header=header):
            return Credential(header, secret, _spellings(secret))
        case "bearer":
            return Credential("Authorization", f"Bearer {secret}", _spellings(secret))
        case "basic":
            person, colon, password = secret.partition(":")
            if not (person and colon and len(password) >= MIN_CHARS):
                raise CredentialRefused(
                    f"for basic, write user:password, with {MIN_CHARS} characters or more"
                )
            encoded = base64.b64encode(secret.encode()).decode()
            return Credential(
                "Authorization", f"Basic {encoded}", _spellings(secret, encoded, password)
            )
        case _:
            assert_never(section.send)


def _spellings(*kept: str) -> tuple[bytes, ...]:
    spelled = {way for text in kept for way in (text, json.dumps(text)[1:-1], quote(text, safe=""))}
    longest_first = sorted(spelled, key=lambda text: (-len(text), text))
    return tuple(text.encode() for text in longest_first)
