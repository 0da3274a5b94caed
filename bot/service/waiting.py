"""Wakes those who wait for a proposal: a registry of futures, never polling."""

import asyncio
from collections import defaultdict
from typing import Self

from bot.core.errors import TooMany
from bot.core.ids import AgentId, ProposalId
from bot.ports.store import Store
from bot.service.caps import Caps


class Waiters:
    """Who waits for which proposal in this process; what they wait for is in the store."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._waiting: dict[ProposalId, set[asyncio.Future[None]]] = {}
        self._of_agent: defaultdict[AgentId, int] = defaultdict(int)
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    async def run(self, store: Store) -> None:
        """Wake waiters of every change until cancelled."""
        async for change in store.watch():
            self.wake(change.proposal)

    def wake(self, proposal: ProposalId) -> None:
        for future in self._waiting.get(proposal, ()):
            if not future.done():
                future.set_result(None)

    def enter(self, agent: AgentId, proposal: ProposalId) -> "Ticket":
        """Register a waiter; do it before reading the state, so that no change is missed.

        Raises:
            TooMany: the agent, or everybody together, waits too often already.
        """
        if self._of_agent[agent] >= self._caps.waits_per_agent:
            raise TooMany(
                "This agent waits for too many proposals at once.", cap="waits", retry_after_s=5
            )
        if self._total >= self._caps.waits_total:
            raise TooMany("Too many agents wait at once.", cap="waits", retry_after_s=5)
        self._of_agent[agent] += 1
        self._total += 1
        return Ticket(self, agent, proposal)

    def _leave(self, agent: AgentId) -> None:
        self._of_agent[agent] -= 1
        if not self._of_agent[agent]:
            del self._of_agent[agent]
        self._total -= 1

    def _add(self, proposal: ProposalId, future: asyncio.Future[None]) -> None:
        self._waiting.setdefault(proposal, set()).add(future)

    def _remove(self, proposal: ProposalId, future: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(proposal)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._waiting[proposal]


class Ticket:
    """One waiter's place, given back at the end of its ``with`` block."""

    __slots__ = ("_agent", "_future", "_proposal", "_waiters")

    def __init__(self, waiters: Waiters, agent: AgentId, proposal: ProposalId) -> None:
        self._waiters = waiters
        self._agent = agent
        self._proposal = proposal
        self._future = self._arm()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._waiters._remove(self._proposal, self._future)  # noqa: SLF001 - two halves of one
        self._waiters._leave(self._agent)  # noqa: SLF001 - two halves of one

    async def changed(self, *, timeout_s: float) -> bool:
        """Wait for the next change; return False when time is up first."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._future
        except TimeoutError:
            return False
        finally:
            # Time that is up has cancelled it: whoever waits on needs a new one.
            self._waiters._remove(self._proposal, self._future)  # noqa: SLF001 - two halves of one
            self._future = self._arm()
        return True

    def _arm(self) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        self._waiters._add(self._proposal, future)  # noqa: SLF001 - two halves of one
        return future
