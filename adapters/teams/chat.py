"""The chat in Teams: cards in the personal chat of each person with the bot."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from aiohttp import web

from adapters.teams import limits
from adapters.teams.answering import Listening
from adapters.teams.credentials import CONNECTOR_SCOPE
from adapters.teams.door import Door
from adapters.teams.errors import NO_SUCH_CHANNEL, because, later, undeliverable
from adapters.teams.inbound import (
    Inbound,
    Installed,
    Invoke,
    Removed,
    Sender,
    Submitted,
    Typed,
    channel_at,
)
from adapters.teams.notice import render_notice
from adapters.teams.office import Office
from adapters.teams.parts import Parts
from adapters.teams.signing_keys import KeysUnavailable
from adapters.teams.transport import ConnectorBusy, ConnectorRefused, ConnectorUnclear
from bot.core.card import Card
from bot.core.identified import Identified
from bot.core.ids import PersonId
from bot.core.notice import Notice
from bot.ports.chat import CardRef
from bot.ports.desk import Desk
from bot.ports.directory import Directory

log = logging.getLogger("keyturn.teams")

#: How many cards are sent or changed at a time: Teams takes some 50 a second of one app, and who
#: has pressed something is to be answered between them.
_AT_ONCE: Final = 8
_TOLD: Final = "teams_notice"
_TOLD_S: Final = 7 * 86_400.0


class TeamsChat:
    """Implements :class:`bot.ports.chat.Chat`, and brings Entra's groups with it."""

    def __init__(self, name: str, parts: Parts) -> None:
        self._name = name
        self._parts = parts
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._door: Door | None = None
        self._listening: Listening | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_chars(self) -> int:
        return limits.CARD_CHARS

    @property
    def directory(self) -> Directory:
        return self._parts.groups

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
        async with self._at_once:
            place = await self._parts.cards.post(card, to, key=key)
        return CardRef(chat=self._name, person=to, where=str(place))

    async def replace(self, ref: CardRef, card: Card) -> None:
        async with self._at_once:
            await self._parts.cards.replace(card, ref.person, ref.where)

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:
        parts = self._parts
        channel = channel_at(place)
        if channel is None:
            raise because(NO_SUCH_CHANNEL)
        told = hashlib.sha256(f"{place}\n{key}".encode()).hexdigest()
        if await parts.shelf.get(_TOLD, told) is not None:
            return
        try:
            await parts.transport.post_in_channel(
                tenant=channel.tenant,
                service_url=parts.service_url,
                channel=channel.id,
                activity=render_notice(notice).activity(),
            )
        except (ConnectorBusy, ConnectorUnclear) as error:
            # A channel that is told twice is annoyed, and one that is not told is in danger.
            raise later(error) from None
        except ConnectorRefused as error:
            raise undeliverable(error) from None
        await parts.shelf.put(_TOLD, told, b"1", ttl_s=_TOLD_S)

    async def run(self, desk: Desk) -> None:
        """Fetch keys and a token before the first click needs them; say in the log what fails."""
        self._door_to(desk)
        try:
            await self._parts.keys.fetch()
            await self._parts.credentials.token(CONNECTOR_SCOPE)
        except (KeysUnavailable, ConnectorRefused, ConnectorBusy) as error:
            log.warning("teams cannot be reached yet", extra={"cause": str(error)})

    def routes(self, desk: Desk) -> Sequence[web.RouteDef | web.StaticDef]:
        door = self._door_to(desk)
        return [web.post(f"{self._parts.public_path}/messages", door.receive)]

    async def close(self) -> None:
        if self._door is not None:
            await self._door.close()
        if self._listening is not None:
            await self._listening.close()
        await self._parts.close()

    def _door_to(self, desk: Desk) -> Door:
        if self._door is None:
            parts = self._parts
            parts.keeper.desk = desk
            listening = self._listening = Listening(self._office(desk))

            async def handle(inbound: Inbound) -> Mapping[str, Any] | None:
                return await self._heard(inbound, listening)

            self._door = Door(parts.transport, parts.admission, handle)
        return self._door

    async def _heard(self, inbound: Inbound, listening: Listening) -> Mapping[str, Any] | None:
        parts = self._parts
        match inbound:
            case Invoke(who=who):
                parts.keeper.met(who)
                with parts.turns.answering(who.conversation, inbound.reply_to or ""):
                    return await listening.invoke(inbound)
            case Submitted(who=who) | Typed(who=who):
                parts.keeper.met(who)
                await listening.message(inbound)
            case Installed(who=who):
                parts.members.forget(who.tenant, who.user)
                parts.keeper.met(who)
            case Removed(who=who):
                parts.members.forget(who.tenant, who.user)
                await parts.keeper.removed(who)
            case _:
                assert_never(inbound)
        return None

    def _office(self, desk: Desk) -> Office:
        parts = self._parts

        async def clicker(sender: Sender) -> Identified:
            return await parts.people.who(sender, desk)

        return Office(
            desk=desk,
            chat_name=self._name,
            clicker=clicker,
            cards=parts.keeper,
            say=parts.keeper.say,
            web_url=parts.web_url,
        )
