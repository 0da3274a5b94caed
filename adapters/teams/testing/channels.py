"""Teams with channels, and a bot that writes there: what a connector speaks to."""

import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.teams.testing.calls import Call, Desk, Does, Refusal
from adapters.teams.testing.connector import Connector
from adapters.teams.testing.faults import Faults
from adapters.teams.testing.issuer import TENANT, Issuer, SigningPair
from adapters.teams.testing.world import Account, Chat, Json, World

WRITER_APP: Final = "0a1b2c3d-0000-4000-8000-0000000000e4"
_PAIR: Final[list[SigningPair]] = []


@dataclass(slots=True, kw_only=True)
class Team:
    """``channels`` are by id, each with the kind that Teams tells of it."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)  #: by object id
    channels: dict[str, str] = field(default_factory=dict)
    has_bot: bool = True


class Channels:
    """Serves what is asked of ``/teams/v3/teams``."""

    def __init__(self, world: World, desk: Desk, *, tenant: str) -> None:
        self._world = world
        self._desk = desk
        self._tenant = tenant
        self.teams: dict[str, Team] = {}

    def routes(self) -> Sequence[web.RouteDef]:
        team = "/teams/v3/teams/{team}"
        return [
            web.get(team, self._as("team", self._team)),
            web.get(f"{team}/conversations", self._as("channels", self._channels)),
        ]

    def add_team(self, name: str, members: Iterable[Account] = ()) -> Team:
        """Add a team with its first channel, whose id is the team's own."""
        first = self._world.add_chat("channel", tenant=self._tenant)
        first.team = first.id
        team = Team(id=first.id, name=name, members={one.user for one in members})
        first.members = team.members
        team.channels[first.id] = "standard"
        self.teams[team.id] = team
        return team

    def add_channel(
        self, team: Team, name: str, *, kind: str = "standard", members: Iterable[Account] = ()
    ) -> Chat:
        """Add a channel; a standard one has the members of its team."""
        chat = self._world.add_chat("channel", tenant=self._tenant, name=name, team=team.id)
        chat.members = team.members if kind == "standard" else {one.user for one in members}
        team.channels[chat.id] = kind
        return chat

    def _as(self, operation: str, do: Does) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._desk.serve(request, operation, do)

        return serve

    def _team(self, call: Call) -> Json:
        team = self._of(call)
        return {
            "id": team.id,
            "name": team.name,
            "aadGroupId": secrets.token_hex(16),
            "channelCount": len(team.channels),
            "memberCount": len(team.members),
        }

    def _channels(self, call: Call) -> Json:
        listed = [
            {"id": channel, "name": self._world.chats[channel].name or None, "type": kind}
            for channel, kind in self._of(call).channels.items()
        ]
        return {"conversations": listed}

    def _of(self, call: Call) -> Team:
        named = unquote(call.path.partition("?")[0].partition("/v3/teams/")[2].partition("/")[0])
        team = self.teams.get(named)
        if team is None:
            raise Refusal(404, "TeamNotFound", "Unknown team")
        if not team.has_bot:
            raise Refusal(403, "BotNotInConversationRoster", "The bot is not in the team.")
        return team


@dataclass(frozen=True, kw_only=True)
class FakeChannels:
    """An organisation with teams, Entra for one bot, and the Bot Connector."""

    world: World
    desk: Desk
    faults: Faults
    issuer: Issuer
    connector: Connector
    channels: Channels
    service_url: str

    def add_people(self, count: int, *, tenant: str = TENANT, role: str = "user") -> list[Account]:
        return [
            self.world.add_account(f"Person {at}", tenant=tenant, role=role) for at in range(count)
        ]


@asynccontextmanager
async def open_channels() -> AsyncIterator[FakeChannels]:
    """Run all of it on loopback, with the bot `WRITER_APP`."""
    world, faults = World(), Faults()
    if not _PAIR:
        _PAIR.append(SigningPair())  # making one takes a while
    issuer = Issuer(app_id=WRITER_APP, pair=_PAIR[0])
    desk = Desk(faults=faults, is_token=lambda bearer: bearer in issuer.tokens)
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    channels = Channels(world, desk, tenant=TENANT)
    connector = Connector(world, desk, bot=f"28:{WRITER_APP}", service_url="")
    app.add_routes([*issuer.routes(), *connector.routes(), *channels.routes()])
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield FakeChannels(
            world=world,
            desk=desk,
            faults=faults,
            issuer=issuer,
            connector=connector,
            channels=channels,
            service_url=f"{issuer.url}/teams/",
        )
    finally:
        faults.clear()
        await runner.cleanup()
