"""Keeps what people see true without being asked: their cards after a click, and their Home."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from adapters.slack import limits
from adapters.slack.accounts import Accounts
from adapters.slack.cards import Cards
from adapters.slack.client import Wire
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear
from adapters.slack.home import Home, render_home
from adapters.slack.workspaces import Workspaces
from bot.core.actors import Person, Role
from bot.core.card import Card
from bot.core.errors import KeyturnError
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId, ProposalId
from bot.ports.chat import NotDeliveredNow
from bot.ports.clock import Clock
from bot.ports.desk import Desk
from bot.ports.identities import Identities
from bot.ports.shelf import Shelf

log = logging.getLogger("keyturn.slack")

#: May be done any number of times.
Act: TypeAlias = Callable[[], Awaitable[None]]

_HOMES: Final = "slack_home"
_KEPT_S: Final = 90 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds: the least time between two Homes of one person, and between tries.

    ``settle_s`` after a post was not answered it is looked for.
    """

    home_s: float = 2.0
    settle_s: float = 30.0
    first_pause_s: float = 2.0
    longest_pause_s: float = 60.0
    tries: int = 6


class Keeper:
    """Implements :class:`adapters.slack.listeners.office.CardKeeper`: none of it raises."""

    def __init__(
        self,
        *,
        chat: str,
        cards: Cards,
        wire: Wire,
        workspaces: Workspaces,
        accounts: Accounts,
        identities: Identities,
        shelf: Shelf,
        clock: Clock,
        pace: Pace,
        web_url: str | None,
    ) -> None:
        self.desk: Desk | None = None
        self._chat = chat
        self._cards = cards
        self._wire = wire
        self._workspaces = workspaces
        self._accounts = accounts
        self._identities = identities
        self._shelf = shelf
        self._clock = clock
        self._pace = pace
        self._web_url = web_url
        self._is_closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[str] = set()
        self._published: dict[str, float] = {}

    async def adopt(self, channel: str, ts: str, proposal: ProposalId, person: PersonId) -> None:
        async def again() -> None:
            if self.desk is not None:
                card = await self.desk.card(person, proposal, max_chars=limits.CARD_CHARS)
                await self._cards.adopt(card, person, channel=channel, ts=ts)

        await self._try(again)

    async def refresh(self, proposal: ProposalId, person: PersonId) -> None:
        async def again() -> None:
            if self.desk is not None:
                card = await self.desk.card(person, proposal, max_chars=limits.CARD_CHARS)
                await self._cards.refresh(card, person)

        await self._try(again)

    async def met(self, identity: ChatIdentity, channel: str) -> None:
        async def again() -> None:
            for lost in await self._cards.met(identity, channel):
                await self.refresh(lost.proposal, lost.person)

        await self._try(again)

    async def home(self, person: Person, identity: ChatIdentity) -> None:
        await self._shelf.put(_HOMES, identity.key, b"1", ttl_s=_KEPT_S)
        self._publish_soon(person.id, identity)

    def settle(self, card: Card, person: PersonId, *, key: str) -> None:
        """Look later for a card whose posting was not answered.

        Who posts tries again by then, unless nothing is asked any more: then the lost card would
        ask for ever.
        """

        async def again() -> None:
            await self._cards.settle(card, person, key=key)

        async def settle() -> None:
            await asyncio.sleep(self._pace.settle_s)
            await self._try(again)
            await self.refresh(card.proposal, person)

        self._start(settle())

    def touched(self, person: PersonId) -> None:
        """Publish the Home of *person* soon, where they have ever opened one."""

        async def publish() -> None:
            for identity in await self._identities.of(person, self._chat):
                if await self._shelf.get(_HOMES, identity.key) is not None:
                    self._publish_soon(person, identity)

        self._start(publish())

    async def close(self) -> None:
        self._is_closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _publish_soon(self, person: PersonId, identity: ChatIdentity) -> None:
        if identity.key in self._waiting:
            return
        loop = asyncio.get_running_loop()
        last = self._published.get(identity.key, float("-inf"))
        wait_s = max(0.0, last + self._pace.home_s - loop.time())

        async def publish() -> None:
            await asyncio.sleep(wait_s)
            self._waiting.discard(identity.key)
            self._published[identity.key] = loop.time()
            await self._try(lambda: self._publish(person, identity))

        self._waiting.add(identity.key)
        self._start(publish())

    async def _publish(self, person: PersonId, identity: ChatIdentity) -> None:
        desk = self.desk
        workspace = await self._workspaces.in_tenant(identity.tenant)
        if desk is None or workspace is None:
            return
        # Between the reason for it and now the account may have been unlinked, or become a guest.
        if await self._identities.person(identity) != person:
            return
        account = await self._accounts.get(workspace, identity.user)
        if account is None or account.why_not(workspace) is not None:
            return
        reader = await desk.person(person)
        inbox = await desk.inbox(person, max_chars=limits.CARD_CHARS)
        is_admin = Role.ADMIN in reader.roles
        home = Home(
            inbox=inbox,
            agents=await desk.agents(person),
            halts=inbox.halts,
            routes=await desk.notice_routes(person) if is_admin else None,
            person=reader,
            now=self._clock.now(),
            web_url=self._web_url,
        )
        await self._wire.write(
            workspace.token, "views.publish", user_id=identity.user, view=render_home(home)
        )

    async def _try(self, act: Act) -> None:
        """Do *act* now; should Slack not take it, again in the background, until it gives up."""
        pause_s = await self._attempt(act)
        if pause_s is not None:
            self._start(self._try_again(act, pause_s))

    async def _try_again(self, act: Act, pause_s: float) -> None:
        least_s = self._pace.first_pause_s
        for _ in range(self._pace.tries):
            await asyncio.sleep(max(pause_s, least_s))
            least_s = min(2 * least_s, self._pace.longest_pause_s)
            again = await self._attempt(act)
            if again is None:
                return
            pause_s = again
        log.warning("gave up bringing something in slack up to date")

    async def _attempt(self, act: Act) -> float | None:
        """Return after how many seconds it is worth trying again; None when it is not."""
        try:
            await act()
        except (NotDeliveredNow, SlackBusy) as error:
            return error.retry_after_s
        except SlackUnclear:
            return 0.0
        except SlackRefused as error:
            log.warning("slack refused to show something", extra={"error": error.code})
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
            log.error("work for slack ended early", extra={"error": type(error).__name__})
