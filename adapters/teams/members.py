"""Accounts as Teams tells them, and why one of them may not act here."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.teams.transport import (
    ConnectorBusy,
    ConnectorRefused,
    ConnectorUnclear,
    Conversation,
    Transport,
)

#: How old an answer of Teams may be. An account that ends cannot sign in to Teams any more.
KNOWN_S: Final = 3600.0
_KEPT: Final = 10_000

_OUTSIDER: Final = (
    "This Teams account belongs to another organisation, so it cannot decide here. "
    "Nothing was recorded."
)
_GUEST: Final = "Guest accounts cannot decide here. Nothing was recorded."
_UNKNOWN: Final = "Teams does not say that this is a person's account. Nothing was recorded."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """``role`` is ``user`` for people of the organisation itself, and nothing else counts.

    ``mri`` is what Teams calls the account, ``29:...``.
    """

    tenant: str
    user: str
    role: str
    mri: str | None = None

    def why_not(self, tenant: str, user: str) -> str | None:
        """Return why the account *user* of *tenant* may not act; None when it may."""
        if self.user != user or not self.tenant:
            return _UNKNOWN
        if self.tenant != tenant:
            return _OUTSIDER
        if self.role in {"guest", "anonymous"}:
            return _GUEST
        if self.role != "user":
            return _UNKNOWN
        return None


def member_of(told: Mapping[str, Any]) -> Member:
    """Return the member in *told*; whatever is missing stays empty, and empty is refused."""

    def text(*names: str) -> str:
        given = next((told[name] for name in names if isinstance(told.get(name), str)), "")
        return str(given).lower()

    name = told.get("id")
    # Newer service hosts say aadObjectId, older ones objectId.
    return Member(
        tenant=text("tenantId"),
        user=text("aadObjectId", "objectId"),
        role=text("userRole"),
        mri=name if isinstance(name, str) and name.startswith("29:") else None,
    )


class Members:
    """Asks Teams who an account is, once for all who ask at a time, and remembers it an hour."""

    def __init__(self, transport: Transport, *, now: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._now = now
        self._seen: dict[tuple[str, str], tuple[float, Member]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Member | None]] = {}

    async def get(self, chat: Conversation) -> Member | None:
        """Return the account of *chat* as Teams tells it; None where it knows no such member.

        Who gives up waiting leaves the question open: the next one finds its answer.

        Raises:
            ConnectorRefused: for good.
            ConnectorBusy: not now.
            ConnectorUnclear: the same.
        """
        place = chat.tenant, chat.user
        at, seen = self._seen.get(place, (float("-inf"), None))
        if seen is not None and self._now() - at < KNOWN_S:
            return seen
        asking = self._asking.get(place)
        if asking is None:
            asking = asyncio.create_task(self._ask(chat))
            self._asking[place] = asking
            asking.add_done_callback(lambda done: self._asked(place, done))
        return await asyncio.shield(asking)

    def forget(self, tenant: str, user: str) -> None:
        self._seen.pop((tenant, user), None)

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, chat: Conversation) -> Member | None:
        told = await self._transport.member(chat, chat.user)
        if told is None:
            return None
        member = member_of(told)
        # Whoever is refused is asked about anew each time: it may have been mended.
        if member.why_not(chat.tenant, chat.user) is None:
            if len(self._seen) >= _KEPT:
                self._seen.pop(next(iter(self._seen)))
            self._seen[chat.tenant, chat.user] = self._now(), member
        return member

    def _asked(self, place: tuple[str, str], done: "asyncio.Task[Member | None]") -> None:
        self._asking.pop(place, None)
        if not done.cancelled():
            done.exception()  # told to who waited, if anybody still did


NOT_SAID: Final = (ConnectorRefused, ConnectorBusy, ConnectorUnclear, TimeoutError)
