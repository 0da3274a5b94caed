"""A chat with a real office behind it: nothing between a click and the store is made up.

The suites beside this module are what every such chat has to pass. Each asks for the fixture
``open_house`` and learns all it learns from what people are shown, and from what is committed.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from bot.core.actors import Person
from bot.core.card import Button
from bot.core.proposal import Proposal
from bot.core.step import Ask, Committed, Snapshot, Step
from bot.testing import chat
from bot.testing.chat import DECIDING, Seen
from bot.testing.notebook import Notebook
from tests.service.office import HOLD, Office

T = TypeVar("T")


class Shown(Protocol):
    """One card, where it stands in the chat."""

    @property
    def seen(self) -> Seen:
        """What its person reads there now."""
        ...

    async def look(self) -> None:
        """Have its person open it anew, with whatever their chat does by itself then."""
        ...


class Click(Protocol):
    """One press of one button. However often it is sent, it is the same press."""

    async def send(self) -> str:
        """Send it, and return what the person is told."""
        ...

    async def deliver(self, *, attempt: int = 1) -> bool:
        """Send it as the chat does for the *attempt*-th time; return whether it was answered."""
        ...


class Seat(chat.Seat, Protocol):
    """Somebody with an account in the chat, whoever it is."""

    async def click(self, shown: Shown, button: Button = Button.APPROVE, note: str = "") -> Click:
        """Press *button* on *shown* as it stands now, up to what is sent for it.

        Whoever sits here is let see *shown*, though it be somebody else's.
        """
        ...


class House(Protocol):
    """An office whose people sit in the chat. Dana, the principal and owner, does already."""

    @property
    def office(self) -> Office: ...

    @property
    def chat_name(self) -> str: ...

    @property
    def answer_within_s(self) -> float:
        """How long the chat waits for an answer before it shows a failure of its own."""
        ...

    @property
    def slow_after_s(self) -> float:
        """How long an answer may take while the store is slow."""
        ...

    @property
    def slowest_s(self) -> float:
        """How long the slowest answer to a press took until now; infinite if there was none."""
        ...

    async def hire(self, name: str) -> Person:
        """Register a person, give them an account, and link it."""
        ...

    def seat(self, person: Person) -> Seat: ...

    def shown(self, proposal: Proposal, person: Person) -> Sequence[Shown]:
        """Return every card about *proposal* that *person* has in the chat."""
        ...

    async def until(self, check: Callable[[], T | None]) -> T:
        """Wait until what comes into the chat makes *check* return something."""
        ...

    def copied(self, shown: Shown) -> Shown:
        """Return a copy of *shown*, as somebody passes it on to where others are."""
        ...

    def overheard(self, copied: Shown) -> Sequence[str]:
        """Return what the chat has said where *copied* is, for everybody there to read."""
        ...

    async def outsiders(self, like: Person) -> Mapping[str, Seat]:
        """Return accounts that are nobody's, of every kind there is, by what they are.

        One has the name of *like*, one belongs to another organisation.
        """
        ...

    @property
    def ways_to_fall(self) -> Sequence[str]:
        """What can become of a linked account so that it does not count any more."""
        ...

    def fall(self, person: Person, way: str) -> None:
        """Have that become of the account of *person*; the chat has heard of it."""
        ...

    def gather(self, seats: Iterable[Seat]) -> None:
        """Make those in *seats*, and nobody else, the members of the suite's group."""
        ...

    def spoil_group(self, trouble: str) -> None:
        """Let *trouble* befall whoever asks for the members of the suite's group."""
        ...

    def doubt(self, person: Person) -> Callable[[], None]:
        """Have the chat not say whose account *person* has; call what is returned to end it."""
        ...

    def lose_a_change(self) -> asyncio.Event:
        """Have the next change of a card fail once; the event is set when it did."""
        ...

    def trouble(self, chance: random.Random) -> None:
        """Plant failures of the chat, of every kind and in any order."""
        ...

    def next_process(self) -> AbstractAsyncContextManager[None]:
        """End the chat, and have another in its place that knows only what is kept."""
        ...


class OpenHouse(Protocol):
    """Opens a house in which *policy* holds what is proposed; it is written into *notebook*."""

    def __call__(
        self, *, policy: str = HOLD, notebook: Notebook | None = None
    ) -> AbstractAsyncContextManager[House]: ...


async def fallen(house: House) -> Mapping[str, Seat]:
    """Return people whose accounts do not count any more, by what became of them."""
    seats = {}
    for number, way in enumerate(house.ways_to_fall):
        person = await house.hire(f"Former-{number}")
        house.fall(person, way)
        seats[f"{way}, linked and in the group"] = house.seat(person)
    return seats


async def card_of(house: House, proposal: Proposal, person: Person | None = None) -> Shown:
    """Return the card of *person* (the principal if None) as soon as it is there."""
    reader = person or house.office.dana
    return (await house.until(lambda: house.shown(proposal, reader) or None))[0]


async def until_it_says(house: House, shown: Shown, words: str) -> None:
    await house.until(lambda: words in shown.seen.text or None)


def still_asks(shown: Shown) -> bool:
    return bool(shown.seen.buttons & DECIDING)


def hold_commits(office: Office) -> asyncio.Event:
    """Let nothing be committed until the event is set."""
    real, free = office.store.transact, asyncio.Event()

    async def transact(ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        await free.wait()
        return await real(ask, step)

    office.store.transact = transact  # type: ignore[method-assign]
    return free
