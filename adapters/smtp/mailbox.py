"""Mail addresses in the one form that every system reads alike: ``local@domain``.

RFC 5321 allows more: quoted local parts, comments, routes, addresses of machines. What a person
sees in those is not always where the mail goes, so they are refused.
"""

import re
from dataclasses import dataclass
from typing import Final

import idna

from adapters.smtp.limits import MAX_ADDRESS_CHARS, MAX_LOCAL_CHARS

# Left out of atext (RFC 5322, 3.2.3): "%" and "!" were routes to other hosts, "|" and "/" were
# programs and files, and "=?" would begin an encoded word.
_ATOM: Final = "[A-Za-z0-9#$&'*+=^_{}~-]+"
_LOCAL: Final = re.compile(rf"(?!-){_ATOM}(?:\.{_ATOM})*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

#: What a schema can say of it; `mailbox_of` knows the rest.
PATTERN: Final = rf"^{_ATOM}(\.{_ATOM})*@[^\s@<>()\[\],;:\\\"]+$"


class MailboxRefused(Exception):
    """This is not an address that mail is sent to; the message says why."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``domain`` is in small ASCII letters, as it is asked for in the DNS."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox_of(text: str) -> Mailbox:
    """Return the mailbox that *text* names.

    Raises:
        MailboxRefused: it is not ``local@domain``, or means different things to different systems.
    """
    local, at, domain = text.rpartition("@")
    if not at or "@" in local:
        raise MailboxRefused("write an address as name@example.com, and nothing else")
    if not _LOCAL.fullmatch(local):
        raise MailboxRefused(
            "before the @ there may be letters, digits, # $ & ' * + - = ^ _ { } ~, and single "
            "dots between them"
        )
    found = Mailbox(local, domain_of(domain))
    if len(local) > MAX_LOCAL_CHARS or len(str(found)) > MAX_ADDRESS_CHARS:
        raise MailboxRefused("the address is longer than mail allows")
    return found


def domain_of(text: str) -> str:
    """Return *text* as a domain in small ASCII letters.

    Raises:
        MailboxRefused: it is not a domain.
    """
    try:
        written = text.lower() if text.isascii() else text
        domain = idna.encode(written, strict=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise MailboxRefused("after the @ there is a domain such as example.com") from None
    labels = domain.split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise MailboxRefused("after the @ there is a domain such as example.com")
    return domain
