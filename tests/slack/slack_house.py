"""Slack as :class:`tests.chats.house.House`."""

import asyncio
import copy
import math
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from adapters.slack.pressable import ActionId
from adapters.slack.testing import (
    ACK_S,
    BOT_SCOPES,
    Account,
    Delivery,
    FakeSlack,
    Kind,
    Message,
    Mode,
    Retry,
    Trouble,
)
from adapters.slack.testing.hand import view_values
from adapters.slack.testing.payloads import view_submission
from bot.core.actors import Person
from bot.core.card import Button
from bot.core.proposal import Proposal
from bot.testing.chat import Seen
from bot.testing.notebook import Notebook
from tests.chats.house import OpenHouse, Shown
from tests.chats.house import Seat as AnySeat
from tests.service.office import HOLD, Office
from tests.slack.slack_office import SlackOffice, open_slack_office
from tests.slack.stage import SlackSeat, screen_of

T = TypeVar("T")

GROUP: Final = "S0APPROVERS"
STRANGERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "nobody's account": {},
    "a guest": {"is_restricted": True},
    "a guest of one channel": {"is_ultra_restricted": True},
    "a bot": {"is_bot": True},
    "a deactivated account": {"deleted": True},
    "an external account": {"is_stranger": True},
    "an account that was only invited": {"is_invited_user": True},
}


@dataclass(frozen=True, slots=True)
class SlackCard:
    message: Message

    @property
    def seen(self) -> Seen:
        return screen_of(self.message)

    async def look(self) -> None:
        """Slack asks for nothing when a message is looked at."""


@dataclass(slots=True)
class SlackClick:
    """``view`` is the modal that is submitted, where one is."""

    seat: "SlackHouseSeat"
    payload: dict[str, Any]
    view: dict[str, Any] | None = None

    async def send(self) -> str:
        return await self.seat.told(self._deliver())

    async def deliver(self, *, attempt: int = 1) -> bool:
        return (await self._deliver(attempt)).is_acked

    async def _deliver(self, attempt: int = 1) -> Delivery:
        slack, account = self.seat.slack, self.seat.hand.account
        retry = None if attempt == 1 else Retry(number=attempt - 1, reason="timeout")
        delivery = await slack.deliver(Kind.INTERACTIVE, copy.deepcopy(self.payload), retry=retry)
        is_open = self.view is not None and self.view in slack.screens.modals.get(account.id, [])
        if self.view is not None and is_open and delivery.is_acked:
            slack.screens.answer(account.id, self.view, delivery.said)
        return delivery


@dataclass(slots=True)
class SlackHouseSeat(SlackSeat):
    async def click(
        self, shown: Shown, button: Button = Button.APPROVE, note: str = ""
    ) -> SlackClick:
        assert isinstance(shown, SlackCard)
        message, hand = shown.message, self.hand
        self.slack.world.channels[message.channel].members.add(hand.account.id)
        if button is Button.APPROVE:
            return SlackClick(self, hand.pressing(message, ActionId.APPROVE))
        view = await self.open_modal(message, button)
        payload = view_submission(
            account=hand.account,
            team=hand.team,
            view=view,
            values=view_values(view, {"note": note}),
            trigger_id=self.slack.screens.new_trigger(hand.account.id),
            is_org_install=self.slack.is_org_install(hand.team),
        )
        return SlackClick(self, payload, view)


@dataclass(slots=True)
class SlackHouse:
    """Implements :class:`tests.chats.house.House`."""

    of: SlackOffice

    answer_within_s = ACK_S
    slow_after_s = 1.0
    chat_name = "slack"

    @property
    def office(self) -> Office:
        return self.of.office

    @property
    def slack(self) -> FakeSlack:
        return self.of.slack

    @property
    def slowest_s(self) -> float:
        pressed = [d for d in self.slack.deliveries if d.kind is Kind.INTERACTIVE]
        return max(math.inf if d.acked_after_s is None else d.acked_after_s for d in pressed)

    async def hire(self, name: str) -> Person:
        return await self.of.hire(name)

    def seat(self, person: Person) -> SlackHouseSeat:
        return SlackHouseSeat(self.of.hand(person))

    def shown(self, proposal: Proposal, person: Person) -> Sequence[SlackCard]:
        return [SlackCard(message) for message in self.of.cards(proposal, person)]

    async def until(self, check: Callable[[], T | None]) -> T:
        return await self.slack.until(check)

    def copied(self, shown: Shown) -> SlackCard:
        assert isinstance(shown, SlackCard)
        return SlackCard(self.slack.copy(shown.message, self.slack.add_channel("general")))

    def overheard(self, copied: Shown) -> Sequence[str]:
        assert isinstance(copied, SlackCard)
        return [
            message.text
            for message in self.slack.world.messages
            if message.channel == copied.message.channel
            and not message.seen_by
            and message is not copied.message
        ]

    async def outsiders(self, like: Person) -> Mapping[str, SlackHouseSeat]:
        slack, name = self.slack, like.display_name
        accounts: dict[str, Account] = {
            "the same display name": slack.add_account(name),
            "another workspace": slack.add_account(name, team=slack.add_team("Elsewhere")),
            **{kind: slack.add_account(kind, **flags) for kind, flags in STRANGERS.items()},
        }
        return {kind: self._seat_of(account) for kind, account in accounts.items()}

    @property
    def ways_to_fall(self) -> Sequence[str]:
        return [kind for kind, flags in STRANGERS.items() if flags]

    def fall(self, person: Person, way: str) -> None:
        account = self.of.hand(person).account
        for flag, value in STRANGERS[way].items():
            setattr(account, flag, value)
        self.of.chat._parts.accounts.forget(account.id)

    def gather(self, seats: Iterable[AnySeat]) -> None:
        accounts = []
        for seat in seats:
            assert isinstance(seat, SlackSeat)
            accounts.append(seat.hand.account.id)
        self.slack.world.groups[GROUP].users = accounts

    def spoil_group(self, trouble: str) -> None:
        self.slack.faults.refuse("usergroups.users.list", trouble, times=100)

    def doubt(self, person: Person) -> Callable[[], None]:
        self.of.chat._parts.accounts.forget(self.of.hand(person).account.id)
        return self.slack.faults.plant("users.info", Trouble.HANGS_BEFORE).released.set

    def lose_a_change(self) -> asyncio.Event:
        return self.slack.faults.plant("chat.update", Trouble.FAILED_BEFORE, times=1).met

    def trouble(self, chance: random.Random) -> None:
        faults = self.slack.faults
        for method in ("chat.postMessage", "chat.update", "chat.postEphemeral", "users.info"):
            for kind in Trouble:
                if "hangs" not in kind:
                    faults.plant(method, kind, times=chance.randint(0, 2), retry_after_s=1)
        chance.shuffle(faults._planted)

    @asynccontextmanager
    async def next_process(self) -> AsyncIterator[None]:
        office = self.office
        await self.of.chat.close()
        again = self.of.make(office.store, office.gate.shelf, office.clock)
        office.gate.chats["slack"] = again  # type: ignore[index] # it takes the other's place
        try:
            yield
        finally:
            await again.close()

    def _seat_of(self, account: Account) -> SlackHouseSeat:
        return SlackHouseSeat(self.slack.hand(account, team=self.slack.team))


def opens_in(mode: Mode, prepare: Callable[[FakeSlack], None] = lambda _: None) -> OpenHouse:
    """Return what opens a house in *mode*, in a Slack that *prepare* has made ready."""

    def ready(slack: FakeSlack) -> None:
        slack.world.groups[GROUP] = slack.world.groups[slack.add_group("approvers", [])]
        prepare(slack)

    @asynccontextmanager
    async def open_house(
        *, policy: str = HOLD, notebook: Notebook | None = None
    ) -> AsyncIterator[SlackHouse]:
        async with open_slack_office(
            mode, policy=policy, prepare=ready, notebook=notebook
        ) as office:
            yield SlackHouse(office)

    return open_house


def reads_back(slack: FakeSlack) -> None:
    """Let the app find its own cards again, and give it a conversation to look in."""
    slack.token.scopes = BOT_SCOPES | {"im:history"}
