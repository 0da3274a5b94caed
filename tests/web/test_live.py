"""Open pages hear of what changed, as soon as it has."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import ClientResponse, ClientSession, ClientTimeout, CookieJar

from bot.core.states import State
from tests.web.scenes import DANA, MIRA, a_day
from tests.web.seat import WebSeat, fields
from tests.web.serving import Served, serving

SOON_S = 5


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(lambda clock: a_day(clock)[0]) as served:
        yield served


@pytest.fixture
async def dana(served: Served) -> AsyncIterator[WebSeat]:
    async with ClientSession(cookie_jar=CookieJar()) as browser:
        yield await WebSeat(served.url, browser).sign_in(served.sign_in_code(DANA.id))


@asynccontextmanager
async def listening(
    seat: WebSeat, *, known: str = "", last: str | None = None
) -> AsyncIterator[ClientResponse]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with seat.browser.get(
        f"{seat.url}/events?known={known}", headers=headers, timeout=ClientTimeout(total=None)
    ) as stream:
        yield stream


async def next_event(stream: ClientResponse) -> tuple[str, dict[str, object]]:
    name = ""
    async with asyncio.timeout(SOON_S):
        async for line in stream.content:
            key, _, value = line.decode().strip().partition(": ")
            if key == "event":
                name = value
            if key == "data":
                return name, json.loads(value)
    return "closed", {}


async def a_comment(stream: ClientResponse) -> None:
    async with asyncio.timeout(SOON_S):
        async for line in stream.content:
            if line.startswith(b":"):
                return


async def test_a_page_that_is_out_of_date_hears_it_at_once(dana: WebSeat) -> None:
    async with listening(dana, known="older") as stream:
        name, data = await next_event(stream)
    assert (name, data["waiting"]) == ("changed", 4 + 1)


async def test_a_page_that_is_up_to_date_hears_only_the_heartbeat(dana: WebSeat) -> None:
    version = (await dana.get("/")).one("body").attributes["data-version"]
    async with listening(dana, known=version) as stream:
        await a_comment(stream)
        await a_comment(stream)


async def test_a_browser_that_comes_back_says_what_it_has(dana: WebSeat) -> None:
    version = (await dana.get("/")).one("body").attributes["data-version"]
    async with listening(dana, known="older", last=version) as stream:
        await a_comment(stream)


async def test_a_new_card_is_heard_of(served: Served, dana: WebSeat) -> None:
    card = next(iter(served.desk.proposals))
    hidden = served.desk.proposals.pop(card)
    version = (await dana.get("/")).one("body").attributes["data-version"]
    async with listening(dana, known=version) as stream:
        await a_comment(stream)
        served.desk.hold(hidden)
        shown = served.desk.card_for(DANA.id, card, max_chars=4000)
        await served.inbox.post(shown, DANA.id, key="first")
        name, data = await next_event(stream)
    assert (name, data["waiting"]) == ("changed", 5)


async def test_what_others_see_is_not_heard_of(served: Served, dana: WebSeat) -> None:
    version = (await dana.get("/")).one("body").attributes["data-version"]
    theirs = next(p for p in served.desk.proposals.values() if p.idempotency_key == "key-1")
    async with ClientSession(cookie_jar=CookieJar()) as browser:
        mira = await WebSeat(served.url, browser).sign_in(served.sign_in_code(MIRA.id))
        before = (await mira.get("/")).one("body").attributes["data-version"]
        served.desk.hold(replace(theirs, state=State.REJECTED))
        assert (await mira.get("/")).one("body").attributes["data-version"] == before
    assert (await dana.get("/")).one("body").attributes["data-version"] != version


async def test_a_clock_that_runs_out_is_heard_of(served: Served, dana: WebSeat) -> None:
    version = (await dana.get("/")).one("body").attributes["data-version"]
    soonest = min(
        (p for p in served.desk.proposals.values() if p.state is State.PENDING),
        key=lambda p: p.expires_at or served.clock.now(),
    )
    async with listening(dana, known=version) as stream:
        await a_comment(stream)
        served.desk.hold(replace(soonest, state=State.EXPIRED))
        assert (await next_event(stream))[0] == "changed"


async def test_signing_out_ends_the_stream(served: Served, dana: WebSeat) -> None:
    page = await dana.get("/")
    version = page.one("body").attributes["data-version"]
    async with listening(dana, known=version) as stream:
        await a_comment(stream)
        await dana.send("/signout", fields(page.one("form", action="/signout")))
        assert (await next_event(stream))[0] == "signed-out"
        assert (await next_event(stream))[0] == "closed"


async def test_who_is_no_longer_active_hears_no_more(served: Served, dana: WebSeat) -> None:
    version = (await dana.get("/")).one("body").attributes["data-version"]
    async with listening(dana, known=version) as stream:
        await a_comment(stream)
        served.desk.people[DANA.id] = replace(DANA, active=False)
        assert (await next_event(stream))[0] == "signed-out"


async def test_nobody_listens_without_a_session(served: Served) -> None:
    async with ClientSession() as browser, browser.get(f"{served.url}/events") as answer:
        assert answer.status == 401


async def test_the_inbox_ends_its_streams_when_it_closes(served: Served, dana: WebSeat) -> None:
    version = (await dana.get("/")).one("body").attributes["data-version"]
    async with listening(dana, known=version) as stream:
        await a_comment(stream)
        await served.inbox.close()
        assert (await next_event(stream))[0] == "closed"
