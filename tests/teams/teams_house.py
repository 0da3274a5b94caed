"""Teams as :class:`tests.chats.house.House`."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from adapters.teams.pressable import DO
from adapters.teams.testing import Account, Activity, Delivery, FakeTeams
from adapters.teams.testing.faults import Trouble
from adapters.teams.text import as_shown
from bot.core.actors import Person
from bot.core.card import Button
from bot.core.proposal import Proposal
from bot.testing.chat import Seen
from bot.testing.notebook import Notebook
from tests.chats.house import OpenHouse, Shown
from tests.chats.house import Seat as AnySeat
from tests.service.office import HOLD, Office
from tests.teams.stage import ASKS_FIRST, NOTE, VERBS, Client, TeamsSeat
from tests.teams.teams_office import TeamsOffice, open_teams_office

T = TypeVar("T")

GROUP: Final = "6f0d3b1e-7f42-4d53-9a52-0a4f0c6f7a11"
ABROAD: Final = "5e1f0000-0000-4000-8000-00000000e15e"
DEACTIVATED: Final = "a deactivated account"
STRANGERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "nobody's account": {},
    "a guest": {"role": "guest"},
    "somebody anonymous": {"role": "anonymous"},
    "somebody anonymous without an object id": {"role": "anonymous", "has_object_id": False},
    "a bot": {"role": "bot"},
    "a bot without an object id": {"role": "bot", "has_object_id": False},
    "an account that Teams says nothing about": {"role": ""},
    "a federated account": {"tenant": ABROAD},
}


@dataclass(frozen=True, slots=True)
class TeamsCard:
    """``reader`` is whose card it is."""

    message: Activity
    reader: TeamsSeat

    @property
    def seen(self) -> Seen:
        return self.reader.screen(self.message)

    async def look(self) -> None:
        card = self.reader.hand.seen(self.message) or {}
        if "refresh" in card:
            await self.reader.hand.refresh(self.message)


@dataclass(slots=True)
class TeamsClick:
    """``shows`` is the message in whose place the answer to an invoke is shown."""

    seat: TeamsSeat
    payload: dict[str, Any]
    shows: Activity

    async def send(self) -> str:
        hand = self.seat.hand
        if self._is_out_of_reach:
            await hand.send(self.payload)
            return "An old client shows no answer, and nobody from elsewhere has a chat here."
        if self.seat.client is Client.EXECUTE:
            return self.seat.said(await hand.send(self.payload, self.shows))
        before = {message.id: message.updates for message in self._in_sight()}
        delivery = await hand.send(self.payload)
        if delivery.status >= 400:
            return f"refused: {delivery.status}"

        def answer() -> Activity | None:
            changed = (m for m in reversed(self._in_sight()) if before.get(m.id) != m.updates)
            return next(changed, None)

        return as_shown(hand.text(await hand.teams.until(answer)))

    @property
    def _is_out_of_reach(self) -> bool:
        """Whether whoever pressed cannot be told anything, by whatever means there are."""
        seat = self.seat
        is_elsewhere = seat.hand.account.tenant != seat.teams.tenant
        return is_elsewhere and seat.client is Client.SUBMIT

    def _in_sight(self) -> list[Activity]:
        """Return what stands where it was pressed, and in the personal chat of whoever did."""
        places = {self.shows.chat, self.seat.hand.chat.id}
        return [one for one in self.seat.teams.world.activities if one.chat in places]

    async def deliver(self, *, attempt: int = 1) -> bool:  # noqa: ARG002 - it sends the same again
        hand, is_invoke = self.seat.hand, self.seat.client is Client.EXECUTE
        delivery = await hand.send(self.payload, self.shows if is_invoke else None)
        return 200 <= delivery.status < 300


@dataclass(slots=True)
class TeamsHouseSeat(TeamsSeat):
    async def click(
        self, shown: Shown, button: Button = Button.APPROVE, note: str = ""
    ) -> TeamsClick:
        assert isinstance(shown, TeamsCard)
        message, verb = shown.message, VERBS[button]
        match = None
        if button in ASKS_FIRST:
            _, message = await self.act(message, verb)
            match = {"step": DO}
        build = self.hand.pressing if self.client is Client.EXECUTE else self.hand.submitting
        asked = [name for name in self.hand.inputs(message, verb, match=match) if NOTE in name]
        typed = {asked[0]: note} if note else {}
        payload = build(message, verb, typed=typed, match=match)
        return TeamsClick(self, payload | self._place(message), message)

    def _place(self, message: Activity) -> dict[str, Any]:
        """Return where a press on *message* comes from.

        Nobody is let into the personal chat of another. But what a button there carries can be
        sent from one's own, by whoever came to know it: that is their card, then.
        """
        chat = self.teams.world.chats[message.chat]
        if chat.kind != "personal":
            chat.members.add(self.hand.account.user)
            return {}
        own = self.hand.activity("message")
        return {"conversation": own["conversation"], "channelData": own["channelData"]}


@dataclass(slots=True)
class TeamsHouse:
    """Implements :class:`tests.chats.house.House`."""

    of: TeamsOffice

    answer_within_s = 3.0
    chat_name = "teams"

    @property
    def office(self) -> Office:
        return self.of.office

    @property
    def teams(self) -> FakeTeams:
        return self.of.teams

    @property
    def slow_after_s(self) -> float:
        # An old client waits for no answer: what is told comes as a message of its own.
        return 1.5 if self.of.client is Client.EXECUTE else 4.5

    @property
    def slowest_s(self) -> float:
        def took(delivery: Delivery) -> float:
            after_s = delivery.answered_after_s
            return math.inf if after_s is None else after_s

        return max(took(one) for one in self.teams.deliveries.all if _is_press(one))

    async def hire(self, name: str) -> Person:
        person = await self.of.hire(name)
        # Whoever linked an account has spoken to the bot.
        await self.of.hand(person).install()
        return person

    def seat(self, person: Person) -> TeamsHouseSeat:
        return self._sit(self.of.hand(person).account)

    def shown(self, proposal: Proposal, person: Person) -> Sequence[TeamsCard]:
        seat = self.of.seat(person)
        return [TeamsCard(message, seat) for message in self.of.cards(proposal, person)]

    async def until(self, check: Callable[[], T | None]) -> T:
        return await self.teams.until(check)

    def copied(self, shown: Shown) -> TeamsCard:
        assert isinstance(shown, TeamsCard)
        group = self.teams.world.add_chat("groupChat", tenant=self.teams.tenant)
        message = self.teams.world.keep(group, shown.message.content)
        return TeamsCard(message, shown.reader)

    def overheard(self, copied: Shown) -> Sequence[str]:
        assert isinstance(copied, TeamsCard)
        return [
            str(activity.content)
            for activity in self.teams.world.activities
            if activity.chat == copied.message.chat and activity is not copied.message
        ]

    async def outsiders(self, like: Person) -> Mapping[str, TeamsHouseSeat]:
        teams, name = self.teams, like.display_name
        accounts = {
            "the same display name": teams.add_account(name),
            "another organisation": teams.add_account(name, tenant=ABROAD),
            DEACTIVATED: teams.add_account("Gone"),
            **{kind: teams.add_account(kind, **flags) for kind, flags in STRANGERS.items()},
        }
        del teams.world.accounts[accounts[DEACTIVATED].user]
        return {kind: self._sit(account) for kind, account in accounts.items()}

    @property
    def ways_to_fall(self) -> Sequence[str]:
        return [*(kind for kind, flags in STRANGERS.items() if flags), DEACTIVATED]

    def fall(self, person: Person, way: str) -> None:
        account = self.of.hand(person).account
        self.of.chat._parts.members.forget(account.tenant, account.user)
        if way == DEACTIVATED:
            del self.teams.world.accounts[account.user]
            return
        for flag, value in STRANGERS[way].items():
            setattr(account, flag, value)

    def gather(self, seats: Iterable[AnySeat]) -> None:
        users = set()
        for seat in seats:
            assert isinstance(seat, TeamsSeat)
            users.add(seat.hand.account.user)
        self.teams.world.groups[GROUP] = users

    def spoil_group(self, trouble: str) -> None:
        status, _, code = trouble.partition(" ")
        self.teams.faults.refuse("graph.*", int(status), code, times=200)

    def doubt(self, person: Person) -> Callable[[], None]:
        account = self.of.hand(person).account
        self.of.chat._parts.members.forget(account.tenant, account.user)
        return self.teams.faults.plant("member", Trouble.HANGS_BEFORE).released.set

    def lose_a_change(self) -> asyncio.Event:
        return self.teams.faults.plant("update", Trouble.FAILED_BEFORE).met

    def trouble(self, chance: random.Random) -> None:
        faults = self.teams.faults
        # What may have been sent is not sent again: with more of that no card would be left here.
        for operation, most in (("create", 1), ("send", 1), ("update", 3), ("member", 2)):
            for kind in Trouble:
                if "hangs" not in kind:
                    faults.plant(operation, kind, times=chance.randint(0, most))
        chance.shuffle(faults._planted)

    @asynccontextmanager
    async def next_process(self) -> AsyncIterator[None]:
        office = self.office
        await self.of.chat.close()
        again = self.of.make(office.store, office.gate.shelf, office.clock)
        office.gate.chats["teams"] = again  # type: ignore[index] # it takes the other's place
        try:
            yield
        finally:
            await again.close()

    def _sit(self, account: Account) -> TeamsHouseSeat:
        return TeamsHouseSeat(self.teams.hand(account), self.of.browser, self.of.client)


def _is_press(delivery: Delivery) -> bool:
    activity = delivery.activity
    return activity["type"] == "invoke" or bool(activity.get("value"))


def opens_in(client: Client) -> OpenHouse:
    """Return what opens a house of people whose Teams are *client*."""

    def ready(teams: FakeTeams) -> None:
        teams.world.groups[GROUP] = set()

    @asynccontextmanager
    async def open_house(
        *, policy: str = HOLD, notebook: Notebook | None = None
    ) -> AsyncIterator[TeamsHouse]:
        async with open_teams_office(
            client, policy=policy, prepare=ready, notebook=notebook
        ) as office:
            yield TeamsHouse(office)

    return open_house
