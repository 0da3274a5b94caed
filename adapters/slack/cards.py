"""Posts each card once, and brings every copy of it to what is true."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakValueDictionary

from adapters.slack.accounts import Accounts
from adapters.slack.card_calls import CardCalls
from adapters.slack.errors import (
    SlackBusy,
    SlackRefused,
    SlackUnclear,
    app_removed,
    later,
    not_confirmed,
)
from adapters.slack.people import People
from adapters.slack.posts import Lost, Place, Post, Posts, digest_of_message, place_of
from adapters.slack.workspaces import Workspace, Workspaces
from bot.card_copies import Copies
from bot.core.card import Card
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.clock import Clock

_RACE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    person: PersonId
    workspace: Workspace
    user: str


class Cards:
    """``posts`` and ``copies`` are on the shelf: without them cards stay true, and found again."""

    def __init__(
        self,
        *,
        calls: CardCalls,
        workspaces: Workspaces,
        people: People,
        accounts: Accounts,
        posts: Posts,
        copies: Copies,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._workspaces = workspaces
        self._people = people
        self._accounts = accounts
        self._posts = posts
        self._copies = copies
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def post(self, card: Card, to: PersonId, *, key: str) -> Place:
        """Show *card* to *to*, once for each *key*.

        Raises:
            Undeliverable: they cannot be reached in Slack, or it cannot be found out whether they
                were.
            NotDeliveredNow: try later, with the same key.
        """
        async with self._lock(f"post {key}"):
            before = await self._posts.get(key)
            if before is not None and (place := place_of(before.where)) is not None:
                return place
            try:
                reader = await self._reader(to)
                place = None if before is None else await self._look(card, reader, key, before)
                return place or await self._post(card, reader, key)
            except (SlackBusy, SlackUnclear) as error:
                raise later(error) from None

    async def settle(self, card: Card, to: PersonId, *, key: str) -> None:
        """Find the card whose posting was never answered, if it is there.

        Raises:
            NotDeliveredNow: try later.
        """
        async with self._lock(f"post {key}"):
            before = await self._posts.get(key)
            if before is None or before.where:
                return
            try:
                await self._look(card, await self._reader(to), key, before)
            except (SlackBusy, SlackUnclear) as error:
                raise later(error) from None
            except Undeliverable:
                return

    async def replace(self, card: Card, person: PersonId, where: str) -> None:
        """Bring the card at *where*, and every other copy that *person* has, to *card*.

        Raises:
            Undeliverable: the card at *where* is gone for good.
            NotDeliveredNow: try later.
        """
        await self.refresh(card, person, but=where)
        await self._bring(card, person, where)

    async def refresh(self, card: Card, person: PersonId, *, but: str = "") -> None:
        """Bring every copy that *person* has, but that at *but*, to *card*.

        Raises:
            NotDeliveredNow: one of them could not be changed now.
        """
        for where in await self._copies.of(card.proposal, person):
            if where == but:
                continue
            try:
                await self._bring(card, person, where)
            except Undeliverable:
                await self._copies.drop(card.proposal, person, where)

    async def adopt(self, card: Card, person: PersonId, *, channel: str, ts: str) -> None:
        """Keep the message at *channel* and *ts* up to date, if it is in the DM with *person*.

        Anywhere else it is a copy that somebody made: what is for one person is not shown there.
        """
        try:
            reader = await self._reader(person)
        except Undeliverable:
            return
        name = reader.workspace.name
        if channel != await self._posts.dm(name, reader.user):
            return
        place = Place(workspace=name, channel=channel, ts=ts)
        if await self._copies.adopt(card.proposal, person, str(place)):
            await self.refresh(card, person)

    async def met(self, identity: ChatIdentity, channel: str) -> list[Lost]:
        """Remember *channel* as the private conversation with *identity*.

        The answer is the cards that were found there: nobody knew whether they had arrived.

        Raises:
            SlackBusy: Slack cannot say who that is, or what is there.
            SlackUnclear: the same.
        """
        workspace = await self._workspaces.in_tenant(identity.tenant)
        if workspace is None:
            return []
        account = await self._accounts.get(workspace, identity.user)
        if account is None:
            return []
        name, user = workspace.name, account.local_id
        await self._posts.keep_dm(name, user, channel)
        found = []
        for lost in await self._posts.lost(name, user):
            before = await self._posts.get(lost.key)
            if before is None or before.where:
                await self._posts.looked_for(name, user, lost)
                continue
            try:
                place = await self._found(lost, before, workspace, channel)
            except Undeliverable:
                break
            if place is not None:
                found.append(lost)
            await self._posts.looked_for(name, user, lost)
        return found

    async def _reader(self, person: PersonId) -> _Reader:
        reached = await self._people.reach(person)
        if reached is None and await self._people.is_linked(person):
            raise app_removed()
        if reached is None:
            raise Undeliverable(
                "This person has no linked Slack account. They can link one in the web inbox.",
                reason="not_linked",
            )
        workspace, identity = reached
        account = await self._accounts.get(workspace, identity.user)
        if account is None:
            raise Undeliverable("Slack no longer knows the linked account.", reason="not_found")
        refusal = account.why_not(workspace)
        if refusal is not None:
            raise Undeliverable(refusal, reason="account_refused")
        return _Reader(person=person, workspace=workspace, user=account.local_id)

    async def _look(self, card: Card, reader: _Reader, key: str, before: Post) -> Place | None:
        """Return where the card is that was posted as *before* says; None when it was not."""
        lost = Lost(key=key, proposal=card.proposal, person=reader.person)
        workspace = reader.workspace
        channel = await self._posts.dm(workspace.name, reader.user)
        try:
            if channel is None:
                raise not_confirmed()
            return await self._found(lost, before, workspace, channel)
        except Undeliverable:
            await self._posts.lose(workspace.name, reader.user, lost)
            raise

    async def _found(
        self, lost: Lost, before: Post, workspace: Workspace, channel: str
    ) -> Place | None:
        place = await self._calls.find(workspace, channel, key=lost.key, since=before.begun_at)
        if place is not None:
            await self._posts.put(lost.key, replace(before, where=str(place)))
            await self._copies.adopt(lost.proposal, lost.person, str(place))
        return place

    async def _post(self, card: Card, reader: _Reader, key: str) -> Place:
        workspace, post = reader.workspace, Post(begun_at=self._clock.now().timestamp())
        await self._posts.put(key, post)
        try:
            place, shown = await self._calls.post(card, workspace, reader.user, key=key)
        except SlackBusy:
            await self._posts.drop(key)
            raise
        except SlackRefused as error:
            await self._posts.drop(key)
            raise await self._calls.undeliverable(error, workspace) from None
        await self._posts.keep_dm(workspace.name, reader.user, place.channel)
        await self._copies.shown(card, reader.person, str(place), digest_of_message(shown))
        await self._posts.put(key, replace(post, where=str(place)))
        return place

    async def _bring(self, card: Card, person: PersonId, where: str) -> None:
        async with self._lock(where):
            digest = digest_of_message(self._calls.render(card))
            change = await self._copies.begin(card, person, where, digest)
            if change is None:
                return
            place = place_of(where)
            workspace = None if place is None else await self._workspace(place)
            if place is None or workspace is None:
                raise app_removed()
            try:
                await self._calls.update(card, workspace, place)
            except (SlackBusy, SlackUnclear) as error:
                raise later(error) from None
            except SlackRefused as error:
                raise await self._calls.undeliverable(error, workspace) from None
            if not await self._copies.end(change):
                raise NotDeliveredNow("Another change came first.", retry_after_s=_RACE_S)

    async def _workspace(self, place: Place) -> Workspace | None:
        try:
            return await self._workspaces.named(place.workspace)
        except (SlackBusy, SlackUnclear) as error:
            raise later(error) from None

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())
