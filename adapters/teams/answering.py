"""No click is ever silent, and none is lost: every one is answered in time, whatever happens."""

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from typing import Any, Final

from adapters.teams import words
from adapters.teams.buttons import Buttons
from adapters.teams.clicked import clicked_of
from adapters.teams.commands import Counter
from adapters.teams.inbound import Invoke, Submitted, Typed
from adapters.teams.office import Office
from adapters.teams.replies import Reply, Shown, Words, activity_of, body_of, is_settled
from adapters.teams.told_card import render_told
from bot.core.chat_words import SLOW, WENT_WRONG
from bot.core.errors import KeyturnError
from bot.core.told import NOT_RECORDED_YET, told_why

log = logging.getLogger("keyturn.teams")

#: Teams gives up after ten seconds; people do so much sooner.
ANSWERED_WITHIN_S: Final = 0.95
#: After this, whoever wrote something is told that it takes a while.
_SLOW_S: Final = 3.0

_NOT_YET: Final = Words(words.GOES_ON, title=NOT_RECORDED_YET)
_WRONG: Final = Words(WENT_WRONG, title=NOT_RECORDED_YET)


class Listening:
    """Serves what people press and write; it raises nothing, and gives up on nothing begun."""

    def __init__(
        self,
        office: Office,
        *,
        answered_within_s: float = ANSWERED_WITHIN_S,
        slow_s: float = _SLOW_S,
    ) -> None:
        self._office = office
        self._within_s = answered_within_s
        self._slow_s = slow_s
        self._going_on: set[asyncio.Task[Any]] = set()

    async def invoke(self, inbound: Invoke) -> dict[str, Any]:
        """Return the answer to a button: a body that Teams takes, within a second.

        What takes longer goes on, also when whoever asked has gone; they are told later.
        """
        work = self._start(self._served(Buttons(self._office).serve(clicked_of(inbound))))
        try:
            done, _ = await asyncio.wait({work}, timeout=self._within_s)
        except asyncio.CancelledError:
            self._go_on(self._tell_later(inbound, work))
            raise
        if done:
            return body_of(work.result())
        self._go_on(self._tell_later(inbound, work))
        return body_of(_NOT_YET)

    async def message(self, inbound: Submitted | Typed) -> None:
        """Answer what somebody wrote, or a button of a client that sends it as a message."""
        serve = (
            Counter(self._office).serve(inbound)
            if isinstance(inbound, Typed)
            else Buttons(self._office).serve(clicked_of(inbound))
        )
        work = self._start(self._answered(inbound, self._start(self._served(serve))))
        # Whoever hangs up does not end it.
        await asyncio.shield(work)

    async def close(self) -> None:
        """Wait for what goes on."""
        while self._going_on:
            await asyncio.gather(*self._going_on, return_exceptions=True)

    async def _served(self, serve: Coroutine[Any, Any, Reply]) -> Reply:
        try:
            return await serve
        except KeyturnError as error:
            return Shown(render_told(told_why(error)))
        except Exception as error:  # noqa: BLE001 - whoever pressed is told, whatever it was
            # Not its message: that may be what somebody typed.
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            kind = type(error).__name__
            log.error("a click failed", extra={"error": kind, "place": place})  # noqa: TRY400
            return _WRONG

    async def _answered(self, inbound: Submitted | Typed, work: asyncio.Task[Reply]) -> None:
        done, _ = await asyncio.wait({work}, timeout=self._slow_s)
        if not done:
            await self._tell(inbound, Words(SLOW, title=NOT_RECORDED_YET))
        await self._tell(inbound, await work)

    async def _tell_later(self, inbound: Invoke, work: asyncio.Task[Reply]) -> None:
        reply = await work
        if inbound.is_automatic or not is_settled(reply):
            return
        await self._tell(inbound, reply)

    async def _tell(self, inbound: Invoke | Submitted | Typed, reply: Reply) -> None:
        """Say *reply* in the person's own chat; the card itself is brought up to date in place."""
        activity = activity_of(reply)
        if activity is not None:
            await self._office.say(inbound.who, activity)

    def _go_on(self, work: Coroutine[Any, Any, None]) -> None:
        self._going_on.add(self._start(work))

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return task
