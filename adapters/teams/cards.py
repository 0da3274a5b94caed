"""Posts cards, brings every copy of them to what is true, and never sends one a second time."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from weakref import WeakValueDictionary

from adapters.teams.card import render_card, render_fallback
from adapters.teams.errors import (
    ELSEWHERE,
    GONE,
    NO_MEMBER,
    NOT_LINKED,
    REMOVED,
    UNCLEAR,
    because,
    is_too_much,
    later,
    undeliverable,
)
from adapters.teams.members import Members
from adapters.teams.people import People
from adapters.teams.posts import Begun, Place, Post, Posts, digest_of_activity, place_of
from adapters.teams.reaching import Reaching
from adapters.teams.references import Reference, References, Standing
from adapters.teams.transport import (
    ConnectorBusy,
    ConnectorRefused,
    ConnectorUnclear,
    Conversation,
    Transport,
)
from adapters.teams.turns import Turns
from bot.card_copies import Copies
from bot.core.card import Card
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId, ProposalId
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.identities import Identities
from bot.ports.shelf import Item

log = logging.getLogger("keyturn.teams")

_RACE_S: Final = 1.0
#: Teams says so of a card that is there, too, now and then: it is asked once more.
_PERHAPS_GONE: Final = "ActivityNotFoundInConversation"


class Cards:
    """``posts`` and ``copies`` are on the shelf: without them cards stay true, and found again."""

    def __init__(
        self,
        *,
        chat: str,
        bot: str,
        tenant: str,
        transport: Transport,
        reaching: Reaching,
        people: People,
        members: Members,
        references: References,
        identities: Identities,
        posts: Posts,
        copies: Copies,
        turns: Turns,
        web_url: str | None,
    ) -> None:
        self._chat = chat
        self._bot = bot
        self._tenant = tenant
        self._transport = transport
        self._reaching = reaching
        self._people = people
        self._members = members
        self._references = references
        self._identities = identities
        self._posts = posts
        self._copies = copies
        self._turns = turns
        self._web_url = web_url
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def post(self, card: Card, to: PersonId, *, key: str) -> Place:
        """Show *card* to *to*, once for each *key*.

        Raises:
            Undeliverable: they cannot be reached in Teams, or nobody knows whether they were.
            NotDeliveredNow: nothing was sent: try later, with the same key.
        """
        async with self._lock(f"post {key}"):
            before = await self._posts.get(key)
            place = None if before is None else await self._before(before, card, to)
            if place is None:
                try:
                    place = await self._posted(card, to, key=key)
                except (ConnectorBusy, ConnectorUnclear) as error:
                    raise later(error) from None
            await self._posts.put(key, Post(begun=Begun.POSTED, where=str(place)))
            return place

    async def replace(self, card: Card, person: PersonId, where: str) -> None:
        """Bring the card at *where*, and every other copy that *person* has, to *card*.

        Raises:
            Undeliverable: the card at *where* is gone for good.
            NotDeliveredNow: try later.
        """
        known = await self._copies.of(card.proposal, person)
        await self._bring_others(card, person, known, but=where)
        await self._bring(card, person, where, known=known.get(where))

    async def refresh(self, card: Card, person: PersonId) -> None:
        """Bring every copy that *person* has to *card*.

        Raises:
            NotDeliveredNow: one of them could not be changed now.
        """
        await self._bring_others(card, person, await self._copies.of(card.proposal, person))

    async def _bring_others(
        self, card: Card, person: PersonId, known: Mapping[str, Item], *, but: str = ""
    ) -> None:
        for where, item in known.items():
            if where == but:
                continue
            try:
                await self._bring(card, person, where, known=item)
            except Undeliverable:
                await self._copies.drop(card.proposal, person, where)

    async def adopt(self, proposal: ProposalId, person: PersonId, place: Place) -> bool:
        """Keep the card at *place*, which is in the personal chat of *person*, up to date.

        The answer says whether it was not known before.
        """
        return await self._copies.adopt(proposal, person, str(place))

    async def _before(self, before: Post, card: Card, to: PersonId) -> Place:
        """Return where the card is that was sent before; it is not sent again.

        Raises:
            Undeliverable: nobody knows whether it is there, or the person has removed the app.
        """
        found = place_of(before.where)
        for where in await self._copies.of(card.proposal, to) if found is None else ():
            found = place_of(where)
        if found is None:
            raise because(UNCLEAR)
        known = await self._reference(found, to)
        if known is not None and known.standing is Standing.REMOVED:
            raise because(REMOVED)
        return found

    async def _posted(self, card: Card, to: PersonId, *, key: str) -> Place:
        refused: Undeliverable | None = None
        for account in await self._people.accounts(to):
            try:
                return await self._posted_to(account, card, to, key=key)
            except ConnectorRefused as error:
                log.warning(
                    "teams refused a card", extra={"status": error.status, "code": error.code}
                )
                refused = refused or undeliverable(error)
            except Undeliverable as error:
                if error.reason == UNCLEAR[1]:
                    raise
                refused = refused or error
        if refused is not None:
            raise refused
        linked = await self._identities.of(to, self._chat)
        raise because(ELSEWHERE if linked else NOT_LINKED)

    async def _posted_to(
        self, account: ChatIdentity, card: Card, to: PersonId, *, key: str
    ) -> Place:
        async def show(chat: Conversation) -> Place:
            member = await self._members.get(chat)
            if member is None:
                raise ConnectorRefused(status=404, code=NO_MEMBER)
            refusal = member.why_not(account.tenant, account.user)
            if refusal is not None:
                raise Undeliverable(refusal, reason="account_refused")
            named = replace(chat, mri=member.mri or chat.mri)
            place = await self._sent(card, to, named, key=key)
            await self._references.met(named)
            return place

        return await self._reaching.reach(account.tenant, account.user, show)

    async def _sent(self, card: Card, to: PersonId, chat: Conversation, *, key: str) -> Place:
        # Whoever ends before the answer leaves this behind, and it is not sent again.
        await self._posts.put(key, Post(begun=Begun.SENDING))
        activity: Mapping[str, Any] = render_card(card, mri=chat.mri).activity()
        try:
            try:
                sent = await self._transport.send(chat, activity)
            except ConnectorRefused as error:
                if not is_too_much(error):
                    raise
                activity = self._plainer(card)
                sent = await self._transport.send(chat, activity)
        except ConnectorUnclear:
            await self._posts.put(key, Post(begun=Begun.UNCLEAR))
            log.warning("the answer to a card was lost", extra={"proposal": card.proposal})
            raise because(UNCLEAR) from None
        except (ConnectorBusy, ConnectorRefused):
            await self._posts.drop(key)
            raise
        place = Place(service_url=chat.service_url, conversation=chat.conversation, activity=sent)
        await self._copies.shown(card, to, str(place), digest_of_activity(activity))
        return place

    async def _bring(self, card: Card, person: PersonId, where: str, *, known: Item | None) -> None:
        async with self._lock(where):
            place = place_of(where)
            if place is None:
                raise because(GONE)
            chat = await self._chat_at(place, person)
            activity = render_card(card, mri=chat.mri).activity()
            digest = digest_of_activity(activity)
            change = await self._copies.begin(card, person, where, digest, known=known)
            if change is None:
                return
            await self._turns.mine(place.conversation, place.activity)
            try:
                await self._update(card, chat, place.activity, activity)
            except (ConnectorBusy, ConnectorUnclear) as error:
                raise later(error) from None
            except ConnectorRefused as error:
                if error.status in {403, 404}:
                    raise because(GONE) from None
                log.warning(
                    "teams refused a change", extra={"status": error.status, "code": error.code}
                )
                raise undeliverable(error) from None
            if not await self._copies.end(change):
                raise NotDeliveredNow("Another change came first.", retry_after_s=_RACE_S)

    async def _update(
        self, card: Card, chat: Conversation, activity_id: str, activity: Mapping[str, Any]
    ) -> None:
        try:
            await self._transport.update(chat, activity_id, activity)
        except ConnectorRefused as error:
            if error.code == _PERHAPS_GONE:
                await self._transport.update(chat, activity_id, activity)
            elif is_too_much(error):
                await self._transport.update(chat, activity_id, self._plainer(card))
            else:
                raise

    def _plainer(self, card: Card) -> Mapping[str, Any]:
        log.error(
            "teams refused a card; it is shown without Approve", extra={"proposal": card.proposal}
        )
        return render_fallback(card, web_url=self._web_url).activity()

    async def _chat_at(self, place: Place, person: PersonId) -> Conversation:
        """Return the chat that *place* is in, at the address that Teams named last."""
        known = await self._reference(place, person)
        if known is not None:
            return known.chat
        return Conversation(
            tenant=self._tenant,
            user="",
            conversation=place.conversation,
            service_url=place.service_url,
            bot=self._bot,
        )

    async def _reference(self, place: Place, person: PersonId) -> Reference | None:
        for identity in await self._identities.of(person, self._chat):
            known = await self._references.of(identity.tenant, identity.user)
            if known is not None and known.chat.conversation == place.conversation:
                return known
        return None

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())
