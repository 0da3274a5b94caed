"""A Teams on the loopback interface: Bot Connector, Entra and Graph, for whoever tests against it.

It is stricter than Teams: what passes here, Teams takes. Rendering, notifications and real rate
limits cannot be shown this way.
"""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any, TypeVar
from uuid import uuid4

from aiohttp import ClientSession, web

from adapters.teams.testing.calls import Call, Desk
from adapters.teams.testing.connector import Connector
from adapters.teams.testing.deliveries import Deliveries
from adapters.teams.testing.faults import Faults
from adapters.teams.testing.graph import Graph
from adapters.teams.testing.hand import Hand
from adapters.teams.testing.issuer import Issuer, SigningPair
from adapters.teams.testing.world import Account, Chat, World

T = TypeVar("T")


class FakeTeams:
    """One Teams with one app in it; :func:`open_fake_teams` opens one.

    ``world`` is what exists, ``faults`` plants failures, ``deliveries`` holds everything sent to
    the bot, ``calls`` everything it called. Operations are ``create``, ``send``, ``reply``,
    ``update``, ``delete``, ``members``, ``member`` and, of Graph, ``graph.batch``,
    ``graph.groups``, ``graph.install`` and ``graph.catalog``.
    """

    def __init__(self, *, url: str, issuer: Issuer, http: ClientSession) -> None:
        self.url = url
        self.issuer = issuer
        self.world = World()
        self.faults = Faults()
        self.desk = Desk(faults=self.faults, is_token=lambda bearer: bearer in issuer.tokens)
        self.connector = Connector(
            self.world, self.desk, bot=self.bot, service_url=self.service_url
        )
        self.graph = Graph(self.world, self.desk, self.connector, tenant=self.tenant)
        self.deliveries = Deliveries(http, sign=issuer.bearer)

    @property
    def bot(self) -> str:
        return f"28:{self.issuer.app_id}"

    @property
    def tenant(self) -> str:
        return self.issuer.tenant

    @property
    def service_url(self) -> str:
        return f"{self.url}/teams/"

    @property
    def calls(self) -> list[Call]:
        return self.desk.calls

    def called(self, operation: str) -> list[Call]:
        return self.desk.called(operation)

    async def until(self, check: Callable[[], T | None], *, within_s: float = 10.0) -> T:
        """Wait until what the bot calls makes *check* return something, and return that.

        Raises:
            TimeoutError: it stays nothing for *within_s*.
        """
        return await self.desk.until(check, within_s=within_s)

    def add_account(
        self, name: str, *, tenant: str | None = None, is_installed: bool = True, **flags: Any
    ) -> Account:
        """Add an account of *tenant* (the own one if None), for whom the app is installed."""
        account = self.world.add_account(name, tenant=tenant or self.tenant, **flags)
        if is_installed:
            self.connector.installed.add(account.user)
        return account

    def add_channel(self, name: str, *, has_bot: bool = True) -> Chat:
        """Add a channel of a team of its own."""
        return self.world.add_chat(
            "channel",
            tenant=self.tenant,
            name=name,
            team=f"19:{uuid4().hex}@thread.tacv2",
            has_bot=has_bot,
        )

    def hand(self, account: Account) -> Hand:
        return Hand(self, account)


@asynccontextmanager
async def open_fake_teams(issuer: Issuer | None = None) -> AsyncIterator[FakeTeams]:
    """Open one on free ports of the loopback interface.

    Give ``teams.deliveries.url`` the address of the bot before anything is sent.
    """
    async with AsyncExitStack() as closing:
        signing = await closing.enter_async_context((issuer or Issuer(pair=_pair())).running())
        http = await closing.enter_async_context(ClientSession())
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = free.getsockname()
            teams = FakeTeams(url=f"http://127.0.0.1:{address[1]}", issuer=signing, http=http)
            app = web.Application()
            app.add_routes([*teams.connector.routes(), *teams.graph.routes()])
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            closing.push_async_callback(runner.cleanup)
            await web.SockSite(runner, free.dup()).start()
        try:
            yield teams
        finally:
            teams.faults.clear()


@cache
def _pair() -> SigningPair:
    """Return the key of every issuer that nobody asked for another: making one takes long."""
    return SigningPair()
