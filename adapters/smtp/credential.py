"""The password of one connector: sent to the server, and otherwise never seen."""

import base64
import re
from dataclasses import dataclass, field
from typing import Final

REDACTED: Final = "[the credential]"
MIN_CHARS: Final = 8  #: a shorter one could not be told from other text in a reply

_VISIBLE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class CredentialRefused(Exception):
    """The credential cannot be used; the message does not repeat it."""


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
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not _VISIBLE.fullmatch(secret):
        raise CredentialRefused("the password is empty or not one line of printable ASCII")
    if len(secret) < MIN_CHARS:
        raise CredentialRefused(f"the password is shorter than {MIN_CHARS} characters")
    # RFC 4616 (PLAIN) and the LOGIN mechanism.
    spelled = (secret, _base64(f"\0{user}\0{secret}"), _base64(secret))
    longest_first = sorted(spelled, key=len, reverse=True)
    return Credential(user, secret, tuple(longest_first))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
