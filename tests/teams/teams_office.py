"""A real office whose people sit in Teams: nothing between the click and the store is made up."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, CookieJar

from adapters.teams.chat import TeamsChat
from adapters.teams.load import create
from adapters.teams.pressable import Verb
from adapters.teams.testing import Account, Activity, Delivery, FakeTeams, Hand, open_fake_teams
from bot.core.actors import Person, Role
from bot.core.card import Button
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.core.proposal import Proposal
from bot.ports.chat import Chat
from bot.ports.clock import Clock
from bot.ports.shelf import Shelf
from bot.ports.store import Store
from bot.service.identities import StoredIdentities
from tests.service.office import HOLD, Office, open_office
from tests.teams.stage import (
    PACE,
    Client,
    TeamsSeat,
    proposal_of,
    secrets_of,
    section_of,
    speaking,
    web_inbox,
)
from tests.web.seat import WebSeat


@dataclass(slots=True)
class TeamsOffice:
    """``make`` makes the same chat once more, as after a restart; ``url`` is where both serve."""

    teams: FakeTeams
    office: Office
    chat: TeamsChat
    make: Callable[[Store, Shelf, Clock], TeamsChat]
    url: str
    browser: WebSeat
    client: Client = Client.EXECUTE
    seats: dict[PersonId, TeamsSeat] = field(default_factory=dict)

    async def hire(self, name: str, *roles: Role, **flags: Any) -> Person:
        """Register a person, give them an account in Teams, and link it."""
        person = await self.office.person(name.lower(), *roles)
        await self.link(person, self.teams.add_account(name, **flags))
        return person

    async def link(self, person: Person, account: Account) -> None:
        code = (await self.office.desk.link_code(person.id, chat="teams")).code
        identity = ChatIdentity(chat="teams", tenant=account.tenant, user=account.user)
        await self.office.desk.link(code, identity)
        self.seats[person.id] = self.sit(account)

    def sit(self, account: Account) -> TeamsSeat:
        return TeamsSeat(self.teams.hand(account), self.browser, self.client)

    def seat(self, person: Person) -> TeamsSeat:
        return self.seats[person.id]

    def hand(self, person: Person) -> Hand:
        return self.seat(person).hand

    def cards(self, proposal: Proposal, person: Person) -> list[Activity]:
        return [
            message
            for message in self.hand(person).messages()
            if proposal_of(message) == proposal.id
        ]

    async def card(self, proposal: Proposal, person: Person | None = None) -> Activity:
        """Return the one card of *person* (the principal if None) as soon as it is there."""
        reader = person or self.office.dana
        return (await self.teams.until(lambda: self.cards(proposal, reader)))[0]

    async def until_it_says(
        self, message: Activity, said: str, person: Person | None = None
    ) -> None:
        reader = self.seat(person or self.office.dana)
        await self.teams.until(lambda: said in reader.screen(message).text)

    async def approve(self, person: Person, message: Activity) -> Delivery:
        return await self.hand(person).press(message, Verb.APPROVE)

    def still_asks(self, message: Activity, person: Person | None = None) -> bool:
        reader = self.seat(person or self.office.dana)
        return Button.APPROVE in reader.screen(message).buttons


@asynccontextmanager
async def open_teams_office(
    client: Client = Client.EXECUTE,
    *,
    policy: str = HOLD,
    section: Mapping[str, Any] | None = None,
    prepare: Callable[[FakeTeams], None] = lambda _: None,
    **office_settings: Any,
) -> AsyncIterator[TeamsOffice]:
    """Open it with Dana, the principal and owner, sitting in Teams."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listening.getsockname()[1]}"
    async with open_fake_teams() as teams, ClientSession(cookie_jar=CookieJar()) as http:
        prepare(teams)
        made: list[TeamsChat] = []

        def make(store: Store, shelf: Shelf, clock: Clock) -> TeamsChat:
            return create(
                "teams",
                section_of(teams, **(section or {})),
                shelf=shelf,
                clock=clock,
                identities=StoredIdentities(store),
                web_url=url,
                secrets=secrets_of(teams),
                pace=PACE,
                call_s=2.0,
            )

        def make_chats(store: Store, shelf: Shelf, clock: Clock) -> Mapping[str, Chat]:
            made.append(make(store, shelf, clock))
            return {"teams": made[0]}

        async with open_office(policy=policy, make_chats=make_chats, **office_settings) as office:
            inbox = web_inbox(url, shelf=office.gate.shelf, clock=office.clock)
            async with speaking(teams, made[0], inbox, office.desk, listening):
                house = TeamsOffice(
                    teams=teams,
                    office=office,
                    chat=made[0],
                    make=make,
                    url=url,
                    browser=WebSeat(url, http),
                    client=client,
                )
                await house.link(office.dana, teams.add_account("Dana"))
                yield house
