"""An agent follows what happens to its proposals, from wherever it was when it went away."""

import asyncio
from collections.abc import AsyncGenerator

from bot.core.actors import Agent
from bot.core.errors import InvalidInput
from bot.core.ids import ProposalId
from bot.core.news import News
from bot.core.states import TERMINAL
from bot.ports.queries import Head, NewsOfAgent, NewsOfProposal, NewsPage, ProposalById
from bot.service.gate import Gate
from bot.service.reading import Reading
from bot.service.waiting import Waiters


class NewsDesk:
    def __init__(self, gate: Gate, *, reading: Reading, waiters: Waiters) -> None:
        self._gate = gate
        self._reading = reading
        self._waiters = waiters

    async def page(self, agent: Agent, *, after: int, limit: int) -> NewsPage:
        """Return what happened to the agent's proposals behind the leaf *after*.

        Raises:
            InvalidInput: *after* is beyond the end of the log.
        """
        await self._require_known(after)
        return await self._gate.store.read(NewsOfAgent(agent.id, after=after, limit=limit))

    async def follow(
        self, agent: Agent, proposal: ProposalId, *, after: int, pause_s: float
    ) -> AsyncGenerator[News | None, None]:
        """Yield every state behind the leaf *after*, and None where none came for *pause_s*.

        The first item comes at once; it ends after the final state. Nothing is kept between two
        states: a slow reader costs what a quick one costs.

        Raises:
            NotFound: there is no such proposal, or it is another agent's.
            TooMany: too many wait already.
            InvalidInput: *after* is beyond the end of the log.
        """
        await self._reading.proposal(agent, proposal)
        await self._require_known(after)
        store, loop = self._gate.store, asyncio.get_running_loop()
        with self._waiters.enter(agent.id, proposal) as ticket:
            quiet_until = loop.time()
            while True:
                # First the row: what it says has ended is in the log that is read after it.
                now_is = await store.read(ProposalById(proposal))
                for news in await store.read(NewsOfProposal(proposal, after)):
                    after = news.cursor
                    yield news
                    quiet_until = loop.time() + pause_s
                if now_is is None or now_is.state in TERMINAL:
                    return
                if loop.time() >= quiet_until:
                    yield None
                    quiet_until = loop.time() + pause_s
                await ticket.changed(timeout_s=max(quiet_until - loop.time(), 0))

    async def _require_known(self, after: int) -> None:
        head = await self._gate.store.read(Head())
        if after >= head.size:
            raise InvalidInput(
                "This cursor is beyond the end of the log.",
                remedy="Begin without a cursor: everything is told again, and nothing is missed.",
            )
