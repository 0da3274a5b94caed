"""While the chat fails in every way it can, everything ends as it was decided and is shown."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

import pytest

from bot.core.proposal import Proposal
from bot.core.states import TERMINAL, State
from tests.chats.house import House, OpenHouse, Shown, card_of

PROPOSALS = 6
#: What a decision or an end looks like on a card.
SHOWN = {State.SUCCEEDED: "Done", State.REJECTED: "Rejected", State.WITHDRAWN: "Taken back"}


class StormConformance:
    """Inherit, and provide the fixture ``open_house``.

    ``reaches_all``: a card whose posting failed, or may have, is posted again in the same chat.
    Elsewhere it goes to the next chat, and what was lost is not posted a second time.
    """

    reaches_all: ClassVar[bool]

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_everything_ends_as_it_was_decided(
        self, open_house: OpenHouse, seed: int
    ) -> None:
        chance = random.Random(seed)
        async with open_house() as house:
            office, dana = house.office, house.office.dana
            first = await office.propose("to begin with", key="first")
            await card_of(house, first)
            house.trouble(chance)
            proposals = [await office.propose(f"note {n}", key=f"k{n}") for n in range(PROPOSALS)]
            for proposal in proposals:
                await self._until_it_is_somewhere(house, proposal)
            wanted: dict[str, State] = {}
            for number, proposal in enumerate(proposals):
                if number % 3 == 2:
                    await office.withdraw.withdraw(office.agent, proposal.id, reason="Not needed.")
                    wanted[proposal.id] = State.WITHDRAWN
                    continue
                wanted[proposal.id] = State.SUCCEEDED
                await _approve(house, proposal)
            for proposal in proposals:
                assert (await office.until(proposal.id, *TERMINAL)).state is wanted[proposal.id]
            for proposal in proposals:
                for shown in house.shown(proposal, dana):
                    await until(house, partial(_says, shown, SHOWN[wanted[proposal.id]]))
            posted = {len(house.shown(proposal, dana)) for proposal in proposals}
            assert posted == {1} if self.reaches_all else posted <= {0, 1}
            done = [state for state in wanted.values() if state is State.SUCCEEDED]
            assert len(office.notebook.written) == len(done)

    async def _until_it_is_somewhere(self, house: House, proposal: Proposal) -> None:
        async def is_there() -> bool:
            if house.shown(proposal, house.office.dana):
                return True
            is_elsewhere = bool((await house.office.now(proposal.id)).deliveries)
            return is_elsewhere and not self.reaches_all

        await until(house, is_there)


async def _says(shown: Shown, words: str) -> bool:
    await shown.look()
    return words in shown.seen.text


async def _approve(house: House, proposal: Proposal) -> None:
    """Press until it counts: on the card, each time twice; where there is none, elsewhere."""
    office = house.office
    shown = house.shown(proposal, office.dana)
    if not shown:
        await office.press(proposal)
        return
    click = await house.seat(office.dana).click(shown[0])
    while (await office.now(proposal.id)).state is State.PENDING:
        await asyncio.gather(click.deliver(), click.deliver(attempt=2))


async def until(house: House, check: Callable[[], Awaitable[bool]]) -> None:
    """Let the outbox try again, and time go by, until *check* holds."""
    async with asyncio.timeout(45):
        while not await check():
            house.office.clock.advance(6)
            await asyncio.sleep(0.05)
