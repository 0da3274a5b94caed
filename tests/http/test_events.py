"""What agents are told over HTTP: streams of one proposal, pages of all, and what they note."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.halts import HaltScope, HaltTarget
from bot.core.states import State
from bot.ports.queries import Leaves
from bot.service.caps import Caps
from tests.http.served import Served, note, serve
from tests.http.test_waiting import parked


@dataclass(frozen=True, slots=True)
class Event:
    id: str | None
    name: str
    data: Any


class Stream:
    """Reads one stream as a browser would."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._comments = asyncio.Semaphore(0)

    async def quiet(self, count: int) -> None:
        """Return once *count* comments have come while somebody reads."""
        for _ in range(count):
            await self._comments.acquire()

    async def next(self) -> Event | None:
        """Return the next event; None when the stream has ended."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self._comments.release()
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    return Event(fields.get("id"), fields["event"], json.loads(fields["data"]))
                else:
                    fields = {}
        return None

    async def rest(self) -> list[Event]:
        events = []
        while (event := await self.next()) is not None:
            events.append(event)
        return events


@asynccontextmanager
async def following(
    served: Served, proposal: str, *, after: str | None = None, token: str | None = None
) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {token or served.office.token}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    url = f"{served.agents}/v1/proposals/{proposal}/events"
    async with served.session.get(url, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "text/event-stream"
        yield Stream(response)


async def proposed(served: Served, text: str = "hello") -> str:
    return str((await served.propose(note(text))).body["id"])


async def decide(served: Served, proposal: Any, button: Button = Button.APPROVE) -> None:
    await served.office.press(await served.office.now(proposal), button, note="No.")


def states(events: list[Event]) -> list[str]:
    return [event.data["state"] for event in events if event.name == "state"]


async def test_a_stream_tells_every_state_as_it_is_committed_and_ends_after_the_last(
    served: Served,
):
    proposal = await proposed(served)
    async with following(served, proposal) as stream:
        first = await stream.next()
        assert first is not None
        assert first.data["state"] == "pending"
        await parked(served)
        await decide(served, proposal)
        rest = await stream.rest()
    assert states(rest) == ["approved", "executing", "succeeded"]
    assert [event.data["final"] for event in rest] == [False, False, True]
    log = await served.office.store.read(Leaves(proposal=rest[0].data["proposal"]))
    told = {leaf.index: leaf.at for leaf in log}
    for event in (first, *rest):
        assert event.id == event.data["cursor"]
        assert int(event.data["cursor"]) in told
    await parked(served, 0)


async def test_whoever_comes_back_misses_nothing_and_hears_nothing_twice(served: Served):
    proposal = await proposed(served)
    async with following(served, proposal) as stream:
        last = await stream.next()
    assert last is not None
    await decide(served, proposal)
    await served.office.until(proposal, State.SUCCEEDED)
    async with following(served, proposal, after=last.id) as stream:
        again = await stream.rest()
    assert states(again) == ["approved", "executing", "succeeded"]
    for number, event in enumerate(again[:-1], start=1):
        async with following(served, proposal, after=event.id) as stream:
            assert await stream.rest() == again[number:]


async def test_a_stream_of_which_everything_was_told_is_over(served: Served):
    proposal = await proposed(served)
    await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
    async with following(served, proposal) as stream:
        last = (await stream.rest())[-1]
    over = await served.ask(
        "GET", f"/v1/proposals/{proposal}/events", headers={"Last-Event-ID": str(last.id)}
    )
    assert (over.status, over.raw) == (204, b"")


async def test_a_quiet_stream_shows_that_it_lives(tmp_path: Path):
    async with serve(tmp_path, heartbeat_s=0.01) as served:
        proposal = await proposed(served)
        async with following(served, proposal) as stream:
            await stream.next()
            reading = asyncio.ensure_future(stream.next())
            async with asyncio.timeout(5):
                await stream.quiet(3)
            await decide(served, proposal, Button.REJECT)
            event = await reading
        assert event is not None
        assert event.data["state"] == "rejected"


@pytest.mark.parametrize("how", ["agent", "token"])
async def test_an_agent_that_is_revoked_reads_no_further(tmp_path: Path, how: str):
    async with serve(tmp_path, heartbeat_s=0.01) as served:
        office = served.office
        proposal = await proposed(served)
        async with following(served, proposal) as stream:
            await stream.next()
            if how == "agent":
                await office.agents.revoke(OPERATOR, office.agent.id, reason="Over")
            else:
                await office.agents.rotate(OPERATOR, office.agent.id, overlap_s=0)
                office.clock.advance(1)
            rest = await stream.rest()
        assert rest[-1].name == "ended"
        assert rest[-1].data["code"] == "not_authenticated"
        await parked(served, 0)


async def test_a_state_is_not_told_to_a_token_that_has_ended_meanwhile(served: Served):
    proposal = await proposed(served)
    async with following(served, proposal) as stream:
        await stream.next()
        await parked(served)
        await served.office.agents.rotate(OPERATOR, served.office.agent.id, overlap_s=0)
        served.office.clock.advance(1)
        await decide(served, proposal, Button.REJECT)
        assert [event.name for event in await stream.rest()] == ["ended"]


async def test_another_agents_proposal_is_not_there(served: Served):
    office = served.office
    proposal = await proposed(served)
    _, other = await office.agents.create(
        OPERATOR,
        name="other",
        owner=office.dana.id,
        purpose="Looks",
        principals=[office.dana.id],
        verbs=["*"],
    )
    for method, path in (("GET", "events"), ("POST", "acknowledge")):
        reply = await served.ask(method, f"/v1/proposals/{proposal}/{path}", token=other)
        assert (reply.status, reply.code) == (404, "not_found")
    page = (await served.ask("GET", "/v1/events", token=other)).body
    assert page["events"] == []


async def test_streams_count_as_waits(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(waits_per_agent=1)) as served:
        proposal = await proposed(served)
        async with following(served, proposal) as stream:
            await stream.next()
            reply = await served.ask("GET", f"/v1/proposals/{proposal}/events")
            assert (reply.status, reply.code, reply.body["cap"]) == (429, "too_many", "waits")
        await parked(served, 0)
        async with following(served, proposal) as stream:
            assert await stream.next() is not None


@pytest.mark.parametrize("last", ["-1", "x", "1.0", "9" * 16, "999999"])
async def test_an_event_id_that_was_never_given_is_refused(served: Served, last: str):
    proposal = await proposed(served)
    reply = await served.ask(
        "GET", f"/v1/proposals/{proposal}/events", headers={"Last-Event-ID": last}
    )
    assert (reply.status, reply.code) == (422, "invalid_input")
    page = await served.ask("GET", f"/v1/events?cursor={last}")
    assert (page.status, page.code) == (422, "invalid_input")


async def test_a_bot_that_stops_ends_its_streams_at_once(tmp_path: Path):
    async with serve(tmp_path) as served:
        proposal = await proposed(served)
        async with following(served, proposal) as stream:
            await stream.next()
            await parked(served)
            async with asyncio.timeout(1.5):
                await served.listeners.__aexit__(None, None, None)
            assert await stream.rest() == []


async def test_an_agent_that_was_away_catches_up_page_by_page(served: Served):
    first, second, third = [await proposed(served, text) for text in ("a", "b", "c")]
    await decide(served, second, Button.REJECT)
    await decide(served, first)
    await served.office.until(first, State.SUCCEEDED)
    told: list[tuple[str, str]] = []
    query, more = "?limit=2", True
    while more:
        page = (await served.ask("GET", f"/v1/events{query}")).body
        assert len(page["events"]) <= 2
        told += [(event["proposal"], event["state"]) for event in page["events"]]
        query, more = f"?limit=2&cursor={page['next_cursor']}", page["more"]
    assert [state for proposal, state in told if proposal == first] == [
        "pending",
        "approved",
        "executing",
        "succeeded",
    ]
    assert [state for proposal, state in told if proposal == second] == ["pending", "rejected"]
    assert [state for proposal, state in told if proposal == third] == ["pending"]
    assert len(set(told)) == len(told)
    await decide(served, third, Button.REJECT)
    page = (await served.ask("GET", f"/v1/events{query}")).body
    assert [(e["proposal"], e["state"]) for e in page["events"]] == [(third, "rejected")]
    assert not page["more"]


async def test_a_taken_note_is_kept_once_and_shown_to_people(served: Served):
    office = served.office
    proposal: Any = await proposed(served)
    early = await served.ask("POST", f"/v1/proposals/{proposal}/acknowledge")
    assert (early.status, early.code) == (409, "illegal_transition")
    await decide(served, proposal)
    await office.until(proposal, State.SUCCEEDED)

    noted = await served.ask("POST", f"/v1/proposals/{proposal}/acknowledge")
    again = await served.ask("POST", f"/v1/proposals/{proposal}/acknowledge")

    assert noted.status == 200
    assert noted.body["acknowledged_at"] is not None
    assert again.body["acknowledged_at"] == noted.body["acknowledged_at"]
    assert (await office.leaf_types(proposal)).count("proposal.acknowledged") == 1
    card = await office.desk.card(office.dana.id, proposal, max_chars=4000)
    assert card.status.endswith("The agent has taken note.")
    history = await office.desk.history(office.dana.id, proposal)
    assert history[-1].what == "The agent has taken note"
    assert history[-1].who == "writer"


async def test_what_a_halt_has_ended_can_be_acknowledged_before_it_is_swept(tmp_path: Path):
    async with serve(tmp_path, with_workers=False) as served:
        office = served.office
        proposal: Any = await proposed(served)
        await office.halts.halt(
            OPERATOR, HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id), reason="Enough"
        )
        noted = await served.ask("POST", f"/v1/proposals/{proposal}/acknowledge")
        assert (noted.status, noted.body["state"]) == (200, "revoked")
        assert (await office.leaf_types(proposal))[-2:] == [
            "proposal.revoked",
            "proposal.acknowledged",
        ]


async def test_what_a_clock_has_ended_can_be_acknowledged_before_it_is_written(tmp_path: Path):
    async with serve(tmp_path, with_workers=False) as served:
        proposal = await proposed(served)
        served.office.clock.advance(3600)
        noted = await served.ask("POST", f"/v1/proposals/{proposal}/acknowledge")
        assert (noted.status, noted.body["state"]) == (200, "expired")
