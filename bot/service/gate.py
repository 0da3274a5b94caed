"""What every use case works with, and the one way it commits."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import getLogger
from typing import TypeVar

from bot.core.daily import Daily
from bot.core.effects import Lease
from bot.core.errors import StoreUnavailable
from bot.core.news import with_news
from bot.core.step import Ask, Snapshot, Step
from bot.core.transitions.announcing import with_notices
from bot.core.transitions.recheck import PolicyChanged
from bot.ports.chat import Chat
from bot.ports.clock import Clock
from bot.ports.directory import Directory
from bot.ports.notifier import Notifier
from bot.ports.shelf import Shelf
from bot.ports.store import Store
from bot.service.caps import Caps
from bot.service.connectors import Connectors
from bot.service.dispatch import Dispatch
from bot.service.policy_book import PolicyBook
from bot.service.tally import Tally

log = getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

#: How often a step is asked again because the policy changed between reading and committing.
_POLICY_TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """``chats`` is in the order in which they are tried, ``digest`` when channels get theirs."""

    store: Store
    shelf: Shelf
    directory: Directory
    connectors: Connectors
    policies: PolicyBook
    chats: Mapping[str, Chat]
    notifier: Notifier
    clock: Clock
    entropy: Callable[[int], bytes]
    deployment: str
    caps: Caps = field(default_factory=Caps)
    digest: Daily = field(default_factory=Daily)
    dispatch: Dispatch = field(default_factory=Dispatch)
    tally: Tally = field(default_factory=Tally)

    async def commit(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> T:
        """Run *step* through the one write door and begin what follows from it.

        *step* reads ``policies.current`` each time it runs: when the policy changed meanwhile,
        it is loaded anew and the step asked again.

        Raises:
            KeyturnError: the step refused, or it could not be made durable.
        """
        for _ in range(_POLICY_TRIES - 1):
            try:
                return await self._commit(ask, step)
            except PolicyChanged:
                await self.policies.refresh()
        return await self._commit(ask, step)

    async def commit_done(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> T:
        """Commit what happened outside already: nobody else knows it, so it is kept until then.

        Raises:
            KeyturnError: the step refused, or a lease was lost meanwhile.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await self.commit(ask, step)
            except StoreUnavailable as error:
                log.warning("done, but not recorded yet", extra={"cause": error.message})
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _commit(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> T:
        committed = await self.store.transact(
            ask, lambda seen: with_notices(seen, with_news(seen, step(seen)))
        )
        self.begin(committed.leases)
        return committed.value

    def begin(self, leases: tuple[Lease, ...]) -> None:
        self.dispatch.hand(leases)
