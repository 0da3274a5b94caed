"""Keeps what people see true without being asked: cards after a click, and answers to them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from adapters.teams import limits
from adapters.teams.cards import Cards
from adapters.teams.inbound import Sender
from adapters.teams.people import chat_of
from adapters.teams.posts import Place, under
from adapters.teams.reaching import Reaching
from adapters.teams.references import References
from adapters.teams.transport import (
    ConnectorBusy,
    ConnectorRefused,
    ConnectorUnclear,
    Conversation,
    Transport,
)
from bot.core.errors import KeyturnError
from bot.core.ids import PersonId, ProposalId
from bot.core.states import TERMINAL, State
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.desk import Desk

log = logging.getLogger("keyturn.teams")

#: Done at most once where its answer is lost, and again where it was surely not done.
Act: TypeAlias = Callable[[], Awaitable[None]]

_CLOSING_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds, between tries of what was surely not done, or is harmless when repeated."""

    first_pause_s: float = 2.0
    longest_pause_s: float = 60.0
    tries: int = 6


class Keeper:
    """Implements :class:`adapters.teams.office.CardKeeper`: none of it raises, or is waited for."""

    def __init__(
        self,
        *,
        chat: str,
        cards: Cards,
        transport: Transport,
        reaching: Reaching,
        references: References,
        pace: Pace,
    ) -> None:
        self.desk: Desk | None = None
        self._chat = chat
        self._cards = cards
        self._transport = transport
        self._reaching = reaching
        self._references = references
        self._pace = pace
        self._is_closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def adopt(
        self, sender: Sender, activity_id: str, proposal: ProposalId, person: PersonId
    ) -> None:
        # Anywhere else it is a copy that somebody made: what is for one is not shown there.
        if not sender.is_alone or not activity_id:
            return
        place = Place(
            service_url=sender.service_url,
            conversation=sender.conversation,
            activity=activity_id,
        )

        async def found() -> None:
            if await self._cards.adopt(proposal, person, place):
                self._start(self._follow(proposal, person))

        self._start(self._try(found))

    async def refresh(self, proposal: ProposalId, person: PersonId) -> None:
        async def again() -> None:
            await self._show(proposal, person)

        self._start(self._try(again))

    async def say(self, sender: Sender, activity: Mapping[str, Any]) -> None:
        """Send *activity* into the personal chat of *sender*, wherever they were seen."""

        async def send(chat: Conversation) -> None:
            await self._transport.send(chat, activity)

        async def once() -> None:
            if sender.is_alone:
                await send(chat_of(sender))
            else:
                await self._reaching.reach(sender.tenant, sender.user, send)

        pause_s = await self._attempt(once, is_repeatable=False)
        if pause_s is not None:
            self._start(self._try_again(once, pause_s, is_repeatable=False))

    def met(self, sender: Sender) -> None:
        """Remember where *sender* is reached."""
        if sender.is_alone:
            self._start(self._references.met(chat_of(sender)))

    async def removed(self, sender: Sender) -> None:
        """Send nothing more to *sender*, and have what waits there asked elsewhere."""
        if not sender.is_alone:
            return
        await self._references.removed(sender.tenant, sender.user)
        if self.desk is not None:
            await self.desk.cards_lost(self._chat, under=under(sender.conversation))

    async def close(self) -> None:
        """End what is under way, once it had a moment to end by itself."""
        self._is_closed = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSING_S)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _show(self, proposal: ProposalId, person: PersonId) -> State | None:
        """Bring the cards of *person* to what is true, and return what that is."""
        if self.desk is None:
            return None
        card = await self.desk.card(person, proposal, max_chars=limits.CARD_CHARS)
        await self._cards.refresh(card, person)
        return card.state

    async def _follow(self, proposal: ProposalId, person: PersonId) -> None:
        """Look again and again at a card that was found: nobody else knows where it is."""
        state: State | None = None
        pause_s = self._pace.first_pause_s

        async def again() -> None:
            nonlocal state
            state = await self._show(proposal, person)

        while True:
            is_later = await self._attempt(again, is_repeatable=True) is not None
            if not is_later and (state is None or state in TERMINAL):
                return
            state = None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._pace.longest_pause_s)

    async def _try(self, act: Act) -> None:
        """Do *act* now; should Teams not take it, again in a while, until it gives up."""
        pause_s = await self._attempt(act, is_repeatable=True)
        if pause_s is not None:
            await self._try_again(act, pause_s, is_repeatable=True)

    async def _try_again(self, act: Act, pause_s: float, *, is_repeatable: bool) -> None:
        least_s = self._pace.first_pause_s
        for _ in range(self._pace.tries):
            await asyncio.sleep(max(pause_s, least_s))
            least_s = min(2 * least_s, self._pace.longest_pause_s)
            again = await self._attempt(act, is_repeatable=is_repeatable)
            if again is None:
                return
            pause_s = again
        log.warning("gave up bringing something in teams up to date")

    async def _attempt(self, act: Act, *, is_repeatable: bool) -> float | None:
        """Return after how many seconds it is worth trying again; None when it is not."""
        try:
            await act()
        except (NotDeliveredNow, ConnectorBusy) as error:
            return error.retry_after_s
        except ConnectorUnclear:
            if is_repeatable:
                return 0.0
            log.warning("the answer to a message was lost")
        except (ConnectorRefused, Undeliverable) as error:
            log.warning("teams refused to show something", extra={"cause": str(error)})
        except KeyturnError as error:
            log.info("nothing to bring up to date", extra={"cause": error.code})
        return None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        if self._is_closed:
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work for teams ended early", extra={"error": type(error).__name__})
