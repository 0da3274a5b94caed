"""A receiver that is down, slow, duplicating, out of order: the agent ends with the truth."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.webhook import HttpNotifier
from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.ports.queries import EffectsOf, Proposals
from bot.service.webhooks import WebhookBook
from bot.testing.clock import ManualClock
from tests.http.served import Served, note, serve
from tests.webhooks.receiver import Agent, Play, Receiver

COUNT = 12


@asynccontextmanager
async def an_agent(
    folder: Path, receiver: Receiver, *, answer_within_s: float = 5.0
) -> AsyncIterator[tuple[Served, Agent]]:
    notifier = HttpNotifier(
        private_hosts=["127.0.0.1"], clock=ManualClock(), answer_within_s=answer_within_s
    )
    async with serve(folder, notifier=notifier) as served:
        office = served.office
        agent = Agent(base=served.agents, token=office.token, session=served.session)
        _, agent.secret = await WebhookBook(office.gate).set(
            OPERATOR, office.agent.id, url=receiver.url
        )
        receiver.took = agent.take
        running = asyncio.create_task(agent.run())
        try:
            yield served, agent
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await notifier.close()


async def propose_and_decide(served: Served) -> dict[str, str]:
    """Let a person approve, reject or leave each of many proposals; return how they ended."""
    wanted = {}
    for number in range(COUNT):
        proposal: Any = (await served.propose(note(f"note {number}"))).body["id"]
        match number % 3:
            case 0:
                await served.office.press(await served.office.now(proposal))
                wanted[proposal] = "succeeded"
            case 1:
                await served.office.press(await served.office.now(proposal), Button.REJECT)
                wanted[proposal] = "rejected"
            case _:
                await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
                wanted[proposal] = "withdrawn"
    return wanted


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await done():  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.01)


async def is_refused(agent: Agent) -> bool:
    return agent.refused > 0


async def is_stopped(served: Served) -> bool:
    return "agent.webhook_stopped" in await served.office.leaf_types()


async def nothing_is_open(served: Served) -> bool:
    return not await is_open(served)


async def until_told(served: Served, agent: Agent, wanted: dict[str, str]) -> None:
    """Let the work go on, and time with it, until nobody has to be told anything any more."""
    async with asyncio.timeout(40):
        while agent.truth != wanted or await is_open(served):
            await asyncio.sleep(0.05)
            served.office.clock.advance(20)


async def is_open(served: Served) -> bool:
    for proposal in await served.office.store.read(Proposals(limit=200)):
        left = await served.office.store.read(EffectsOf(proposal.id))
        if any(effect.kind is EffectKind.NOTIFY for effect in left):
            return True
    return False


PLAYS = {
    "well": [],
    "failing": [Play.FAIL] * 9,
    "duplicating": [Play.TAKE_AND_FAIL] * COUNT,
    "dropping": [Play.DROP, Play.TAKE_AND_DROP] * 6,
    "busy": [Play.LATER] * 3,
    "redirecting": [Play.REDIRECT] * 3,
    "anyhow": [
        Play.TAKE_AND_DROP,
        Play.FAIL,
        Play.TAKE,
        Play.DROP,
        Play.TAKE_AND_FAIL,
        Play.LATER,
        Play.REDIRECT,
        Play.TAKE,
        Play.TAKE_AND_DROP,
    ],
}


@pytest.mark.parametrize("plays", PLAYS.values(), ids=PLAYS)
async def test_the_agent_ends_with_the_truth(tmp_path: Path, plays: list[Play]):
    async with Receiver(plays=list(plays)) as receiver, an_agent(tmp_path, receiver) as one:
        served, agent = one
        wanted = await propose_and_decide(served)
        await until_told(served, agent, wanted)
    assert sorted(agent.acted) == sorted(wanted)
    assert agent.refused == 0
    assert len(receiver.received) >= COUNT
    assert receiver.redirected_to == []
    assert not receiver.plays


async def test_a_receiver_that_hangs_holds_up_nothing_and_is_told_later(tmp_path: Path):
    plays = [Play.HANG, Play.SLOW]
    async with (
        Receiver(plays=list(plays)) as receiver,
        an_agent(tmp_path, receiver, answer_within_s=0.2) as one,
    ):
        served, agent = one
        wanted = await propose_and_decide(served)
        await until_told(served, agent, wanted)
    assert sorted(agent.acted) == sorted(wanted)


async def test_a_receiver_that_was_down_is_told_when_it_is_back(tmp_path: Path):
    receiver = Receiver()
    await receiver.start()
    await receiver.stop()
    async with an_agent(tmp_path, receiver) as (served, agent):
        wanted = await propose_and_decide(served)
        served.office.clock.advance(30)
        assert agent.truth == {}
        await agent.catch_up()
        assert {p: s for p, s in agent.truth.items() if s != "executing"} == wanted
        agent.truth.clear()
        async with receiver:
            await until_told(served, agent, wanted)


async def test_what_comes_out_of_order_is_read_as_it_is(tmp_path: Path):
    # The first message comes again after all the others.
    plays = [Play.LATER]
    async with Receiver(plays=plays) as receiver, an_agent(tmp_path, receiver) as one:
        served, agent = one
        first: Any = (await served.propose(note("first"))).body["id"]
        await served.ask("POST", f"/v1/proposals/{first}/withdraw")
        wanted = await propose_and_decide(served)
        await until_told(served, agent, {**wanted, first: "withdrawn"})
    ids = [message.headers["webhook-id"] for message in receiver.received]
    assert ids.count(ids[0]) == 2
    assert sorted(agent.acted) == sorted([*wanted, first])


async def test_a_stranger_who_knows_the_address_is_not_believed(tmp_path: Path):
    async with Receiver() as receiver, an_agent(tmp_path, receiver) as (served, agent):
        agent.secret = "whsec_" + "A" * 43 + "="
        proposal: Any = (await served.propose()).body["id"]
        await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
        await until(lambda: is_refused(agent))
        assert agent.truth == {}


async def test_a_receiver_that_is_gone_is_left_alone(tmp_path: Path):
    async with Receiver(plays=[Play.GONE]) as receiver, an_agent(tmp_path, receiver) as one:
        served, agent = one
        first: Any = (await served.propose(note("first"))).body["id"]
        await served.ask("POST", f"/v1/proposals/{first}/withdraw")
        await until(lambda: is_stopped(served))
        wanted = await propose_and_decide(served)
        await until(lambda: nothing_is_open(served))
        assert len(receiver.received) == 1
        await agent.catch_up()
        assert {**wanted, first: "withdrawn"}.keys() == agent.truth.keys()
