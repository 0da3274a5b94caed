"""What waits on a card that is reached no more is asked again, and nothing else is."""

import asyncio
from collections.abc import Callable

from bot.core.proposal import Proposal
from bot.core.states import State
from bot.service.caps import Caps
from tests.service.office import Office, open_office


async def until(office: Office, proposal: Proposal, so: Callable[[Proposal], bool]) -> Proposal:
    async with asyncio.timeout(10):
        async for _ in office.store.watch(0):
            now = await office.now(proposal.id)
            if so(now):
                return now
    raise AssertionError("the store closed before that")


async def test_every_card_under_a_place_is_shown_again_and_no_other() -> None:
    async with open_office(caps=Caps(pending_per_agent=300, pending_per_principal=300)) as office:
        waiting = [await office.propose(f"text {n}", key=f"k{n}") for n in range(130)]
        for proposal in waiting:
            await office.until_delivered(proposal.id)
        one = await office.now(waiting[7].id)
        (elsewhere,) = one.deliveries
        assert await office.desk.cards_lost("another", under="") == 0
        assert await office.desk.cards_lost("silent", under="nowhere/") == 0
        assert await office.desk.cards_lost("silent", under=elsewhere.where) == 1
        assert await office.desk.cards_lost("silent", under=elsewhere.where) == 0
        now = await until(office, one, lambda seen: len(seen.deliveries) == 2)
        assert [d.lost_at is None for d in now.deliveries] == [False, True]
        assert len({d.where for d in now.deliveries}) == 2
        assert await office.desk.cards_lost("silent", under="") == 130
        for proposal in waiting:
            await until(office, proposal, lambda seen: bool(seen.reached))


async def test_what_is_decided_stays_where_it_is() -> None:
    async with open_office() as office:
        proposal = await office.propose()
        await office.until_delivered(proposal.id)
        await office.press(proposal)
        decided = await office.until(proposal.id, State.SUCCEEDED)
        assert await office.desk.cards_lost("silent", under="") == 0
        assert (await office.now(proposal.id)).deliveries == decided.deliveries
