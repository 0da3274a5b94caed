"""A notifier brings a message to an agent's webhook."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """It is not known whether the receiver took it; it is worth trying again.

    ``retry_after_s`` is what the receiver asked for. ``why`` is one sentence without the address.
    """

    why: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver says that it wants nothing more."""


Notified: TypeAlias = Sent | NotNow | Gone


class Notifier(Protocol):
    def why_refused(self, url: str) -> str | None:
        """Return why nothing may be sent to *url*, in one sentence, or None if it may."""
        ...

    async def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Notified:
        """POST *body* to *url* once. MUST NOT raise, MUST end within some seconds.

        MUST refuse what :meth:`why_refused` refuses, MUST connect to an address that it has
        checked, MUST NOT follow a redirect, and MUST NOT send anything but *headers* and *body*
        that tells the receiver more than that Keyturn sends it.
        """
        ...

    async def close(self) -> None: ...
