"""A caller that asks much waits behind itself."""

import asyncio
from pathlib import Path

import pytest

from bot.core.errors import TooMany
from bot.http.pace import Pace
from bot.http.rate import REFUSED_AFTER_S
from bot.service.caps import Caps
from tests.http.served import serve


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_stays_below_the_pace_never_waits(clock: Clock):
    pace = Pace(per_s=10, clock=clock)
    for _ in range(100):
        assert pace.wait_s("one") == 0
        clock.now += 0.1


def test_what_is_beyond_the_pace_waits_one_after_the_other(clock: Clock):
    pace = Pace(per_s=10, clock=clock)
    waits = [pace.wait_s("one") for _ in range(12)]
    assert waits[:3] == [0, 0, 0]
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(11 / 10 - 0.25)


def test_nobody_waits_for_somebody_else(clock: Clock):
    pace = Pace(per_s=10, clock=clock)
    for _ in range(50):
        pace.wait_s("one")
    assert pace.wait_s("two") == 0


def test_only_who_waits_is_remembered_for_long(clock: Clock):
    pace = Pace(per_s=10, clock=clock)
    for _ in range(20):
        pace.wait_s("one")
    for number in range(20_000):
        pace.wait_s(f"guest {number}")
        clock.now += 0.00001
    assert len(pace._next) < 11_000
    assert pace.wait_s("one") > 1


def test_what_would_wait_too_long_is_refused_and_does_not_count(clock: Clock):
    pace = Pace(per_s=10, clock=clock)
    for _ in range(103):
        pace.wait_s("one")
    with pytest.raises(TooMany) as refused:
        pace.wait_s("one")
    assert refused.value.cap == "requests_per_second"
    assert refused.value.retry_after_s >= 10
    for _ in range(50):
        with pytest.raises(TooMany):
            pace.wait_s("one")
    clock.now += 0.2
    assert pace.wait_s("one") == pytest.approx(10, abs=0.2)


async def test_who_is_refused_cannot_ask_again_at_once(clock: Clock):
    pace = Pace(per_s=10, clock=clock)
    for _ in range(103):
        pace.wait_s("one")
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TooMany):
        await pace.wait("one")
    assert loop.time() - began >= REFUSED_AFTER_S - 0.01


async def test_many_requests_of_an_agent_are_all_answered_in_their_time(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(requests_per_second=40)) as served:
        loop = asyncio.get_running_loop()
        began = loop.time()
        replies = await asyncio.gather(*(served.ask("GET", "/v1/whoami") for _ in range(30)))
        assert {reply.status for reply in replies} == {200}
        # Ten may be begun at once, the others one every 25 ms.
        assert loop.time() - began >= 0.45
