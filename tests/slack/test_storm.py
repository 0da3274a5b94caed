"""While Slack fails in every way it can, everything ends as it was decided, once, and is shown."""

import asyncio
import random
from collections.abc import Callable

import pytest

from adapters.slack.pressable import ActionId
from adapters.slack.testing import BOT_SCOPES, FakeSlack, Kind, Message, Mode, Retry, Trouble
from bot.core.proposal import Proposal
from bot.core.states import TERMINAL, State
from tests.slack.slack_office import SlackOffice, open_slack_office
from tests.slack.stage import screen_of

PROPOSALS = 6
#: What a decision or an end looks like on a card.
SHOWN = {State.SUCCEEDED: "Done", State.REJECTED: "Rejected", State.WITHDRAWN: "Taken back"}


def reads_back(slack: FakeSlack) -> None:
    """Let the app find its own cards again, and give it a conversation to look in."""
    slack.token.scopes = BOT_SCOPES | {"im:history"}


def trouble(slack: FakeSlack, chance: random.Random) -> None:
    for method in ("chat.postMessage", "chat.update", "chat.postEphemeral", "users.info"):
        for kind in Trouble:
            if "hangs" not in kind:
                slack.faults.plant(method, kind, times=chance.randint(0, 2), retry_after_s=1)
    chance.shuffle(slack.faults._planted)


async def until(house: SlackOffice, check: Callable[[], bool]) -> None:
    """Let the outbox try again, and time go by, until *check* holds."""
    async with asyncio.timeout(45):
        while not check():
            house.office.clock.advance(6)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("seed", [1, 2])
async def test_everything_ends_as_it_was_decided(mode: Mode, seed: int) -> None:
    chance = random.Random(seed)
    async with open_slack_office(mode, prepare=reads_back) as house:
        office, slack, dana = house.office, house.slack, house.office.dana
        first = await office.propose("to begin with", key="first")
        await house.card(first)
        trouble(slack, chance)
        proposals = [await office.propose(f"note {n}", key=f"k{n}") for n in range(PROPOSALS)]

        def cards(proposal: Proposal) -> list[Message]:
            return house.cards(proposal, dana)

        await until(house, lambda: all(cards(proposal) for proposal in proposals))
        wanted: dict[str, State] = {}
        for number, proposal in enumerate(proposals):
            if number % 3 == 2:
                await office.withdraw.withdraw(office.agent, proposal.id, reason="Not needed.")
                wanted[proposal.id] = State.WITHDRAWN
                continue
            wanted[proposal.id] = State.SUCCEEDED
            payload = house.hand(dana).pressing(cards(proposal)[0], ActionId.APPROVE)
            again = Retry(number=1, reason="http_error")
            while (await office.now(proposal.id)).state is State.PENDING:
                await asyncio.gather(
                    slack.deliver(Kind.INTERACTIVE, payload),
                    slack.deliver(Kind.INTERACTIVE, payload, retry=again),
                )
        for proposal in proposals:
            assert (await office.until(proposal.id, *TERMINAL)).state is wanted[proposal.id]

        def are_all_true() -> bool:
            return all(
                SHOWN[wanted[proposal.id]] in screen_of(card).text
                for proposal in proposals
                for card in cards(proposal)
            )

        await until(house, are_all_true)
        assert {len(cards(proposal)) for proposal in proposals} == {1}
        assert len(office.notebook.written) == len([s for s in wanted.values() if s == "succeeded"])
