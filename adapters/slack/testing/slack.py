"""A Slack on the loopback interface, for whoever tests against it.

It is stricter than Slack: what passes here, Slack takes. Rendering, notification texts and real
rate limits cannot be shown this way.
"""

import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum, unique
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession, web

from adapters.slack.testing import messages, payloads, people
from adapters.slack.testing.calls import Call, Method, Refusal
from adapters.slack.testing.deliveries import Delivery, Kind, OverHttp, OverSocket, Retry
from adapters.slack.testing.faults import Faults
from adapters.slack.testing.hand import Hand, new_event_id
from adapters.slack.testing.limits import check_message
from adapters.slack.testing.screens import Screens
from adapters.slack.testing.web_api import WebApi
from adapters.slack.testing.world import (
    BOT_SCOPES,
    Account,
    Channel,
    Json,
    Message,
    Team,
    Token,
    UserGroup,
    World,
)

T = TypeVar("T")

RESPONSE_URL_USES = 5


@unique
class Mode(StrEnum):
    SOCKET = "socket"
    HTTP = "http"


class FakeSlack:
    """One Slack with one app in it; :func:`open_fake_slack` opens one.

    ``world`` is what exists, ``faults`` plants failures, ``screens`` holds modals, ``socket`` the
    connections, ``deliveries`` everything sent to the app, ``calls`` everything it called.
    """

    def __init__(self, *, mode: Mode, url: str, http: ClientSession) -> None:
        self.mode = mode
        self.url = url
        self.world = World()
        self.faults = Faults()
        self.api = WebApi(self.world, self.faults, now=time.monotonic)
        self.deliveries: list[Delivery] = []
        self.client_id = "1234567890.9876543210"
        self.client_secret = secrets.token_hex(16)
        self.signing_secret = secrets.token_hex(16)
        self.app_token = f"xapp-1-{payloads.APP_ID}-1-{secrets.token_hex(8)}"
        self.team = self.add_team("Keyturn Test")
        self.token = self.new_token(self.team)
        self.world.tokens[self.token.value] = self.token
        self.screens = Screens(self.world, payloads.APP_ID, self.token.bot_user, now=time.monotonic)
        self.socket = OverSocket(
            self.deliveries, {self.app_token}, url=f"{url.replace('http', 'ws', 1)}/link/"
        )
        self.http = OverHttp("", self.signing_secret, self.deliveries, http)
        self.installing = people.Installing(
            client_id=self.client_id, client_secret=self.client_secret, app_id=payloads.APP_ID
        )
        self.subscriber: OverHttp | None = None
        self._response_urls: dict[str, tuple[str, Message | None, str, int]] = {}
        self.api.add(messages.METHODS)
        self.api.add(people.METHODS)
        self.api.add(self.screens.methods())
        self.api.add(
            {
                "apps.connections.open": Method(answer=self._connect, needs_token=False),
                "oauth.v2.access": Method(answer=self.installing.access, needs_token=False),
            }
        )

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self.token.value

    @property
    def calls(self) -> list[Call]:
        return self.api.calls

    def called(self, method: str) -> list[Call]:
        return [call for call in self.api.calls if call.method == method]

    async def until(self, check: Callable[[], T | None], *, within_s: float = 10.0) -> T:
        """Wait until what the app calls makes *check* return something, and return that.

        Raises:
            TimeoutError: it stays nothing for *within_s*.
        """
        return await self.api.until(check, within_s=within_s)

    # What exists

    def add_team(self, name: str, *, enterprise: str | None = None) -> Team:
        team = Team(id=self.world.new_id("T"), name=name, enterprise=enterprise)
        self.world.teams[team.id] = team
        return team

    def new_token(
        self, team: Team | None, *, enterprise: str | None = None, scopes: Sequence[str] = ()
    ) -> Token:
        """Return a bot token that is not known yet; *team* None makes it an organisation's."""
        enterprise = team.enterprise if team is not None else enterprise
        name = team.id if team is not None else str(enterprise)
        bot = Account(id=self.world.new_id("U"), team=name, name="Keyturn", is_bot=True)
        self.world.accounts[bot.id] = bot
        return Token(
            value=f"xoxb-{self.world.new_id('')}-{secrets.token_hex(12)}",
            team=None if team is None else team.id,
            enterprise=enterprise,
            scopes=frozenset(scopes) or BOT_SCOPES,
            bot_user=bot.id,
        )

    def add_account(self, name: str, *, team: Team | None = None, **flags: Any) -> Account:
        """Add an account of *team* (the own one if None); *flags* are those of Account."""
        home = team or self.team
        kind = "W" if flags.get("global_id") else "U"
        given = {"email": f"{name.lower().replace(' ', '.')}@example.net", **flags}
        account = Account(
            id=self.world.new_id(kind), team=home.id, name=name, enterprise=home.enterprise, **given
        )
        self.world.accounts[account.id] = account
        return account

    def add_channel(
        self, name: str, *, team: Team | None = None, has_bot: bool = True, **flags: Any
    ) -> Channel:
        channel = Channel(
            id=self.world.new_id("C"), team=(team or self.team).id, name=name, **flags
        )
        if has_bot:
            channel.members.add(self.token.bot_user)
        self.world.channels[channel.id] = channel
        return channel

    def add_group(self, handle: str, users: Sequence[str], *, team: Team | None = None) -> str:
        group = UserGroup(
            id=self.world.new_id("S"), team=(team or self.team).id, handle=handle, users=[*users]
        )
        self.world.groups[group.id] = group
        return group.id

    def hand(self, account: Account, *, team: Team | None = None) -> Hand:
        """Return the hand of *account*, sitting in *team* (where its own is, if None)."""
        here = team or self.world.teams.get(account.team) or self.team
        return Hand(self, account, here)

    def copy(self, message: Message, to: Channel) -> Message:
        """Put an exact copy of *message*, buttons and all, somewhere else."""
        copied = Message(
            ts=self.world.new_ts(),
            channel=to.id,
            user=message.user,
            text=message.text,
            blocks=message.blocks,
            metadata=message.metadata,
        )
        self.world.messages.append(copied)
        return copied

    def is_org_install(self, team: Team) -> bool:
        return any(
            token.team is None and token.enterprise == team.enterprise and team.enterprise
            for token in self.world.tokens.values()
        )

    # What is sent to the app

    async def deliver(self, kind: Kind, payload: Json, *, retry: Retry | None = None) -> Delivery:
        if self.mode is Mode.SOCKET:
            return await self.socket.deliver(kind, payload, retry=retry)
        return await self.http.deliver(kind, payload, retry=retry)

    async def event(
        self,
        happened: Json,
        *,
        team: Team | None = None,
        enterprise: str | None = None,
        retry: Retry | None = None,
        again: int = 0,
    ) -> Delivery:
        """Tell the app what *happened*, up to *again* times more until it acknowledges that."""
        payload = payloads.event(
            event_id=new_event_id(),
            team=None if enterprise and team is None else team or self.team,
            enterprise=enterprise or (team or self.team).enterprise,
            event=happened,
            bot_user=self.token.bot_user,
        )
        delivery = await self.deliver(Kind.EVENT, payload, retry=retry)
        for number in range(1, again + 1):
            if delivery.is_acked:
                break
            reason = "http_timeout" if delivery.status == 0 else "http_error"
            delivery = await self.deliver(
                Kind.EVENT, payload, retry=Retry(number=number, reason=reason)
            )
        return delivery

    async def revoke(self, token: Token) -> Delivery:
        """Revoke *token* as an admin does, and tell the app."""
        token.is_revoked = True
        happened = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [token.bot_user]}}
        team = self.world.teams.get(token.team or "")
        return await self.event(happened, team=team, enterprise=token.enterprise)

    async def uninstall(self, token: Token) -> Delivery:
        token.is_revoked = True
        team = self.world.teams.get(token.team or "")
        return await self.event({"type": "app_uninstalled"}, team=team, enterprise=token.enterprise)

    def consent(self, authorize_url: str, token: Token, *, installer: str) -> str:
        """Agree to install on the page at *authorize_url*; return where Slack sends the browser."""
        asked = parse_qs(urlsplit(authorize_url).query)
        if asked["client_id"] != [self.client_id]:
            raise Refusal("invalid_client_id")
        back = asked["redirect_uri"][0]
        code = self.installing.consent(token, installer=installer, redirect_uri=back)
        return f"{back}?code={code}&state={asked['state'][0]}"

    # What people are shown

    def show(self, user: str, channel: str, said: Any) -> None:
        """Show what the app answered *user* with, as a whisper."""
        given: Json = {"text": said} if isinstance(said, str) else said
        check_message({"text": given.get("text"), "blocks": given.get("blocks")})
        self.world.messages.append(
            Message(
                ts=self.world.new_ts(),
                channel=channel,
                user=self.token.bot_user,
                text=given["text"],
                blocks=given.get("blocks") or [],
                seen_by=user,
            )
        )

    def new_response_url(self, user: str, message: Message | None, *, channel: str = "") -> str:
        key = secrets.token_hex(12)
        place = message.channel if message is not None else channel
        self._response_urls[key] = (user, message, place, 0)
        return f"{self.url}/respond/{key}"

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Serve a response_url: five uses, for whispers and for the message that was pressed."""
        key = request.match_info["key"]
        if key not in self._response_urls:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        user, message, place, uses = self._response_urls[key]
        if uses >= RESPONSE_URL_USES:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        self._response_urls[key] = (user, message, place, uses + 1)
        said = await request.json()
        try:
            if said.get("delete_original"):
                self.world.messages.remove(message)  # type: ignore[arg-type]
            elif said.get("replace_original") and message is not None:
                check_message(said)
                message.text, message.blocks = said["text"], said.get("blocks") or []
            else:
                self.show(user, place, said)
        except Refusal as refusal:
            return web.json_response({"ok": False, "error": refusal.code}, status=400)
        return web.json_response({"ok": True})

    def _connect(self, call: Call) -> Json:
        return self.socket.open(call, app_token=call.bearer)


@asynccontextmanager
async def open_fake_slack(mode: Mode = Mode.SOCKET) -> AsyncIterator[FakeSlack]:
    """Open one on a free port of the loopback interface.

    In HTTP mode give ``slack.http.url`` the address of the app before anything is sent.
    """
    async with AsyncExitStack() as closing:
        http = await closing.enter_async_context(ClientSession())
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = free.getsockname()
            slack = FakeSlack(mode=mode, url=f"http://{address[0]}:{address[1]}", http=http)
            app = web.Application()
            app.add_routes(
                [
                    web.route("*", "/api/{method}", slack.api.serve),
                    web.get("/link/", slack.socket.serve),
                    web.post("/respond/{key}", slack.respond),
                ]
            )
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            closing.push_async_callback(runner.cleanup)
            await web.SockSite(runner, free.dup()).start()
        try:
            yield slack
        finally:
            slack.faults.clear()
            await slack.socket.hang_up()
