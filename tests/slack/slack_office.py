"""A real office whose people sit in Slack: nothing between the click and the store is made up."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.chat import SlackChat
from adapters.slack.load import create
from adapters.slack.pressable import ActionId
from adapters.slack.testing import (
    Account,
    Delivery,
    FakeSlack,
    Hand,
    Message,
    Mode,
    Team,
    open_fake_slack,
)
from bot.core.actors import Person
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
from tests.slack.stage import (
    PACE,
    TIMES,
    SlackSeat,
    proposal_of,
    screen_of,
    secrets_of,
    section_of,
    speaking,
)


@dataclass(slots=True)
class SlackOffice:
    slack: FakeSlack
    office: Office
    chat: SlackChat
    make: Callable[[Store, Shelf, Clock], SlackChat]
    seats: dict[PersonId, SlackSeat] = field(default_factory=dict)

    async def hire(self, name: str, *, team: Team | None = None, **flags: Any) -> Person:
        """Register a person, give them an account in Slack, and link it."""
        person = await self.office.person(name.lower())
        await self.link(person, self.slack.add_account(name, team=team, **flags))
        return person

    async def link(self, person: Person, account: Account) -> None:
        home = self.slack.world.teams[account.team]
        identity = ChatIdentity(
            chat="slack",
            tenant=home.enterprise or home.id,
            user=account.global_id or account.id,
        )
        code = (await self.office.desk.link_code(person.id, chat="slack")).code
        await self.office.desk.link(code, identity)
        self.seats[person.id] = SlackSeat(self.slack.hand(account))

    def seat(self, person: Person) -> SlackSeat:
        return self.seats[person.id]

    def hand(self, person: Person) -> Hand:
        return self.seat(person).hand

    def cards(self, proposal: Proposal, person: Person) -> list[Message]:
        return [
            message
            for message in self.hand(person).messages()
            if message.metadata and proposal_of(message) == proposal.id
        ]

    async def card(self, proposal: Proposal, person: Person | None = None) -> Message:
        """Return the one card of *person* (the principal if None) as soon as it is there."""
        reader = person or self.office.dana
        return (await self.slack.until(lambda: self.cards(proposal, reader)))[0]

    async def until_it_says(self, message: Message, words: str) -> None:
        await self.slack.until(lambda: words in screen_of(message).text)

    async def approve(self, person: Person, message: Message) -> Delivery:
        return await self.hand(person).press(message, ActionId.APPROVE)

    def still_asks(self, message: Message) -> bool:
        return Button.APPROVE in screen_of(message).buttons


@asynccontextmanager
async def open_slack_office(
    mode: Mode,
    *,
    policy: str = HOLD,
    section: Mapping[str, Any] | None = None,
    prepare: Callable[[FakeSlack], None] = lambda _: None,
    **office_settings: Any,
) -> AsyncIterator[SlackOffice]:
    """Open it with Dana, the principal and owner, sitting in Slack."""
    async with open_fake_slack(mode) as slack:
        prepare(slack)
        made: list[SlackChat] = []

        def make(store: Store, shelf: Shelf, clock: Clock) -> SlackChat:
            slack.world.now = lambda: clock.now().timestamp()
            return create(
                "slack",
                section_of(slack, **(section or {})),
                shelf=shelf,
                clock=clock,
                identities=StoredIdentities(store),
                public_url="http://localhost",
                web_url="https://keyturn.example.net",
                secrets=secrets_of(slack),
                socket_times=TIMES,
                pace=PACE,
                call_s=2.0,
            )

        def make_chats(store: Store, shelf: Shelf, clock: Clock) -> Mapping[str, Chat]:
            made.append(make(store, shelf, clock))
            return {"slack": made[0]}

        async with (
            open_office(policy=policy, make_chats=make_chats, **office_settings) as office,
            speaking(slack, made[0], office.desk),
        ):
            house = SlackOffice(slack, office, made[0], make)
            await house.link(office.dana, slack.add_account("Dana"))
            yield house
