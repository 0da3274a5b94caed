"""The chat in Slack: cards in private, over Socket Mode or HTTP."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from adapters.slack import limits
from adapters.slack.blocks import Message
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear, later, undeliverable
from adapters.slack.inbound import parse_clicker
from adapters.slack.listeners.office import Office
from adapters.slack.manifest import lacking
from adapters.slack.notice import render_notice
from adapters.slack.parts import Parts
from adapters.slack.transport_http import HttpDoor, Verifier
from adapters.slack.transport_socket import SocketLine, SocketState
from adapters.slack.workspaces import Workspace
from bot.core.card import Card
from bot.core.errors import KeyturnError
from bot.core.identified import Identified
from bot.core.ids import PersonId
from bot.core.notice import Notice
from bot.ports.chat import CardRef, NotDeliveredNow, Undeliverable
from bot.ports.desk import Desk
from bot.ports.directory import Directory

log = logging.getLogger("keyturn.slack")

_TOLD: Final = "slack_notice"
_TOLD_S: Final = 7 * 86_400.0


class SlackChat:
    """Implements :class:`bot.ports.chat.Chat`, and brings Slack's user groups with it."""

    def __init__(self, name: str, parts: Parts) -> None:
        self._name = name
        self._parts = parts
        self._app: AsyncApp | None = None
        self._line: SocketLine | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_chars(self) -> int:
        return limits.CARD_CHARS

    @property
    def directory(self) -> Directory:
        return self._parts.groups

    @property
    def socket(self) -> SocketState | None:
        """How the connection stands; None where Slack calls us, or before it is made."""
        return None if self._line is None else self._line.state

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
        try:
            place = await self._parts.cards.post(card, to, key=key)
        except NotDeliveredNow:
            self._parts.keeper.settle(card, to, key=key)
            raise
        self._parts.keeper.touched(to)
        return CardRef(chat=self._name, person=to, where=str(place))

    async def replace(self, ref: CardRef, card: Card) -> None:
        await self._parts.cards.replace(card, ref.person, ref.where)
        self._parts.keeper.touched(ref.person)

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:
        tenant, _, channel = place.rpartition("/")
        told = hashlib.sha256(f"{place}\n{key}".encode()).hexdigest()
        parts = self._parts
        if await parts.shelf.get(_TOLD, told) is not None:
            return
        try:
            await self._tell(render_notice(notice), tenant, channel)
        except SlackUnclear:
            # A channel that is told twice is annoyed, and one that is not told is in danger.
            raise later(SlackUnclear("Slack's answer was lost.")) from None
        except SlackBusy as error:
            raise later(error) from None
        except SlackRefused as error:
            raise undeliverable(error) from None
        await parts.shelf.put(_TOLD, told, b"1", ttl_s=_TOLD_S)

    async def run(self, desk: Desk) -> None:
        app = self._speak_with(desk)
        parts = self._parts
        if parts.app_token is None:
            await self._greet()
            return
        self._line = SocketLine(
            parts.wire, app, app_token=parts.app_token, times=parts.socket_times
        )
        await asyncio.gather(self._greet(), self._line.run())

    def routes(self, desk: Desk) -> Sequence[web.RouteDef | web.StaticDef]:
        parts = self._parts
        self._speak_with(desk)
        routes: list[web.RouteDef] = []
        if parts.signing_secret and parts.app_token is None:
            door = HttpDoor(Verifier(parts.signing_secret), lambda: self._speak_with(desk))
            routes.append(web.post(f"{parts.public_path}/events", door.receive))
        if parts.offers_install:
            routes += [
                web.get(f"{parts.public_path}/install", self._install),
                web.get(f"{parts.public_path}/oauth", self._installed),
            ]
        return routes

    async def close(self) -> None:
        await self._parts.keeper.close()
        await self._parts.removal.close()
        await self._parts.wire.close()

    async def _greet(self) -> None:
        """Say in the log whom the app reaches, so that a wrong token is seen before a card is."""
        try:
            found = await self._parts.workspaces.all()
        except (SlackBusy, SlackUnclear, KeyturnError) as error:
            log.warning("slack does not answer yet", extra={"cause": str(error)})
            return
        if not found:
            log.warning("the slack app is in no workspace that may decide")
            self._parts.removal.everywhere()
        for workspace in found:
            log.info("the slack app is in a workspace", extra={"workspace": workspace.name})
            missing = lacking(workspace.scopes)
            if missing:
                log.error(
                    "the slack app lacks permissions: add them and install it again",
                    extra={"workspace": workspace.name, "missing": missing},
                )

    def _speak_with(self, desk: Desk) -> AsyncApp:
        if self._app is None:
            self._parts.keeper.desk = self._parts.removal.desk = desk
            self._app = self._parts.build_app(self._office(desk))
        return self._app

    def _office(self, desk: Desk) -> Office:
        async def clicker(body: Mapping[str, Any]) -> Identified:
            return await self._parts.people.who(body, desk)

        return Office(
            desk=desk,
            chat_name=self._name,
            clicker=clicker,
            place_of=self._place_of,
            cards=self._parts.keeper,
            web_url=self._parts.web_url,
            lifecycle=self._parts,
        )

    async def _place_of(self, body: Mapping[str, Any], channel: str) -> str:
        """Return *channel*, with its workspace where there may be several."""
        if not self._parts.offers_install:
            return channel
        where = parse_clicker(body)
        found = await self._parts.workspaces.of(enterprise=where.enterprise, team=where.team)
        return channel if found is None else f"{found.name}/{channel}"

    async def _tell(self, message: Message, tenant: str, channel: str) -> None:
        """Post *message* to *channel* of *tenant*; "" is whichever workspace has that channel."""
        found = await self._workspaces_of(tenant)
        for workspace in found:
            try:
                await self._parts.wire.write(
                    workspace.token,
                    "chat.postMessage",
                    channel=channel,
                    text=message.text,
                    blocks=message.blocks,
                    parse="none",
                    link_names=False,
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except SlackRefused as error:
                if error.code != "channel_not_found" or workspace is found[-1]:
                    raise
            else:
                return

    async def _workspaces_of(self, tenant: str) -> Sequence[Workspace]:
        everywhere = await self._parts.workspaces.all()
        found = [one for one in everywhere if tenant in {"", one.name, one.tenant}]
        if not found:
            raise Undeliverable("The Slack app is not installed there.", reason="app_removed")
        return found

    async def _install(self, request: web.Request) -> web.Response:
        flow = self._parts.flow
        return await to_aiohttp_response(
            await flow.handle_installation(await to_bolt_request(request))
        )

    async def _installed(self, request: web.Request) -> web.Response:
        flow = self._parts.flow
        async with asyncio.timeout(30):
            answer = await flow.handle_callback(await to_bolt_request(request))
        return await to_aiohttp_response(answer)
