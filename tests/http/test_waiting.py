"""Callers that would rather wait than ask again."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from bot.core.card import Button
from bot.core.states import State
from bot.service.caps import Caps
from tests.http.served import Served, note, serve

WAIT = {"Prefer": "wait=30"}


async def parked(served: Served, count: int = 1) -> None:
    """Return once *count* callers are parked."""
    async with asyncio.timeout(5):
        while len(served.waits) != count:  # noqa: ASYNC110 - they are woken, they do not wake
            await asyncio.sleep(0)


async def test_a_decision_wakes_who_waits(served: Served):
    proposal = (await served.propose()).body["id"]
    waiting = asyncio.create_task(served.ask("GET", f"/v1/proposals/{proposal}", headers=WAIT))
    await parked(served)
    await served.office.press(await served.office.now(proposal), Button.REJECT, note="No.")
    reply = await asyncio.wait_for(waiting, 5)
    assert (reply.status, reply.body["state"]) == (200, "rejected")
    assert reply.headers["Preference-Applied"] == "wait=30"
    assert len(served.waits) == 0


async def test_a_submit_can_wait_for_its_own_outcome(served: Served):
    waiting = asyncio.create_task(served.propose(Prefer="wait=30"))
    await parked(served)
    [proposal], _ = await served.remains()
    await served.office.press(await served.office.now(proposal))
    reply = await asyncio.wait_for(waiting, 5)
    assert (reply.status, reply.body["state"]) == (200, "succeeded")


async def test_time_that_is_up_is_202(served: Served):
    proposal = (await served.propose()).body["id"]
    began = time.monotonic()
    reply = await served.ask("GET", f"/v1/proposals/{proposal}", headers={"Prefer": "wait=1"})
    assert time.monotonic() - began >= 0.9
    assert (reply.status, reply.body["state"]) == (202, "pending")


@pytest.mark.parametrize("prefer", ["wait=soon", "respond-async", "wait=-1", "wait", "wait=1.5"])
async def test_a_preference_that_is_not_understood_is_ignored(served: Served, prefer: str):
    proposal = (await served.propose()).body["id"]
    async with asyncio.timeout(5):
        reply = await served.ask("GET", f"/v1/proposals/{proposal}", headers={"Prefer": prefer})
    assert reply.status == 202
    assert "Preference-Applied" not in reply.headers


@pytest.mark.parametrize(
    "prefer", ["wait=99999999999999999999", "respond-async, WAIT=600; x=1", 'wait="51"']
)
async def test_a_wait_is_never_longer_than_50_seconds(served: Served, prefer: str):
    proposal = (await served.propose()).body["id"]
    waiting = asyncio.create_task(
        served.ask("GET", f"/v1/proposals/{proposal}", headers={"Prefer": prefer})
    )
    await parked(served)
    await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
    assert (await asyncio.wait_for(waiting, 5)).headers["Preference-Applied"] == "wait=50"


async def test_a_caller_that_hangs_up_ends_its_wait_and_nothing_else(served: Served):
    proposal = (await served.propose()).body["id"]
    async with aiohttp.ClientSession() as session:
        waiting = asyncio.create_task(
            session.get(
                f"{served.agents}/v1/proposals/{proposal}",
                headers={"Authorization": f"Bearer {served.office.token}", **WAIT},
            )
        )
        await parked(served)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await parked(served, 0)
    assert (await served.office.now(proposal)).state is State.PENDING
    await served.office.press(await served.office.now(proposal))
    await served.office.until(proposal, State.SUCCEEDED)


async def test_a_caller_that_hangs_up_right_after_its_submit_has_submitted(served: Served):
    async with aiohttp.ClientSession() as session:
        waiting = asyncio.create_task(
            session.post(
                f"{served.agents}/v1/proposals",
                json=note(),
                headers={
                    "Authorization": f"Bearer {served.office.token}",
                    "Idempotency-Key": "once",
                    **WAIT,
                },
            )
        )
        await parked(served)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await parked(served, 0)
    again = await served.propose(key="once")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body["state"] == "pending"


async def test_more_waits_than_an_agent_may_have_are_429_and_a_submit_is_kept(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(waits_per_agent=1)) as served:
        proposal = (await served.propose()).body["id"]
        first = asyncio.create_task(served.ask("GET", f"/v1/proposals/{proposal}", headers=WAIT))
        await parked(served)
        second = await served.ask("GET", f"/v1/proposals/{proposal}", headers=WAIT)
        assert (second.status, second.code, second.body["cap"]) == (429, "too_many", "waits")
        assert "Retry-After" in second.headers
        submitted = await served.propose(note("another"), Prefer="wait=30")
        assert submitted.status == 202
        assert "Preference-Applied" not in submitted.headers
        await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
        assert (await asyncio.wait_for(first, 5)).body["state"] == "withdrawn"


async def test_a_bot_that_stops_tells_who_waits_how_things_stand(tmp_path: Path):
    async with serve(tmp_path) as served:
        proposal = (await served.propose()).body["id"]
        waiting = asyncio.create_task(served.ask("GET", f"/v1/proposals/{proposal}", headers=WAIT))
        await parked(served)
        async with asyncio.timeout(1.5):
            await served.listeners.__aexit__(None, None, None)
        reply = await waiting
    assert (reply.status, reply.body["state"]) == (202, "pending")
    assert "Preference-Applied" not in reply.headers
