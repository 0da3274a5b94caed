"""The password of one connector: sent to the server, and otherwise never seen."""

import base64
from dataclasses import dataclass, field
from typing import Final

from bot.core.credential import one_line

REDACTED: Final = "[the credential]"


@dataclass(frozen=True, slots=True)
class Credential:
    """``spellings`` are what nobody may see in a reply."""

    user: str
    password: str = field(repr=False)
    spellings: tuple[str, ...] = field(repr=False)

    def redact(self, text: str) -> str:
        """Return *text* without the credential, should the server have repeated it."""
        for spelling in self.spellings:
            text = text.replace(spelling, REDACTED)
        return text


def credential_of(user: str, secret: str) -> Credential:
    """Return how *secret* is sent as the password of *user*.

    Raises:
        CredentialRefused: it is empty, short, or not one line of printable ASCII.
    """
    secret = one_line(secret, called="password")
    # RFC 4616 (PLAIN) and the LOGIN mechanism.
    spelled = (secret, _base64(f"\0{user}\0{secret}"), _base64(secret))
    longest_first = sorted(spelled, key=len, reverse=True)
    return Credential(user, secret, tuple(longest_first))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
