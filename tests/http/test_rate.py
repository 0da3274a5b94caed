"""A bucket that fills up with time."""

from collections.abc import Callable

import pytest

from bot.core.errors import TooMany
from bot.core.ids import AgentId
from bot.http.rate import Rate


def rate_of(*, per_minute: int, clock: Callable[[], float]) -> Rate:
    return Rate(per_minute=per_minute, clock=clock, cap="submits_per_minute", asked="proposals")


A, B = AgentId("agt_a"), AgentId("agt_b")


class Seconds:
    """A clock in seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_may_come_at_once_and_then_one_by_one():
    clock = Seconds()
    rate = rate_of(per_minute=60, clock=clock)
    for _ in range(60):
        rate.take(A)
    with pytest.raises(TooMany) as refused:
        rate.take(A)
    assert refused.value.retry_after_s == 1
    clock.now += 1
    rate.take(A)
    with pytest.raises(TooMany):
        rate.take(A)


def test_one_agent_does_not_use_up_what_another_has():
    rate = rate_of(per_minute=1, clock=Seconds())
    rate.take(A)
    rate.take(B)


def test_waiting_longer_does_not_save_up_more_than_a_minute():
    clock = Seconds()
    rate = rate_of(per_minute=2, clock=clock)
    rate.take(A)
    clock.now += 3600
    rate.take(A)
    rate.take(A)
    with pytest.raises(TooMany):
        rate.take(A)


def test_asking_too_early_does_not_put_the_moment_off():
    clock = Seconds()
    rate = rate_of(per_minute=6, clock=clock)
    for _ in range(6):
        rate.take(A)
    for _ in range(9):
        clock.now += 1
        with pytest.raises(TooMany):
            rate.take(A)
    clock.now += 1.5
    rate.take(A)


def test_a_rate_of_none_refuses_everything():
    with pytest.raises(TooMany):
        rate_of(per_minute=0, clock=Seconds()).take(A)


def test_what_costs_more_counts_for_more_and_never_for_more_than_all():
    clock = Seconds()
    rate = rate_of(per_minute=60, clock=clock)
    rate.take(A, cost=50)
    with pytest.raises(TooMany) as refused:
        rate.take(A, cost=20)
    assert refused.value.retry_after_s == 10
    clock.now += 10
    rate.take(A, cost=20)
    clock.now += 60
    rate.take(A, cost=1000)
    with pytest.raises(TooMany):
        rate.take(A)
