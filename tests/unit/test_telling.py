from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.ids import ProposalId
from bot.core.news import News
from bot.core.states import State
from bot.core.transitions.telling import pause_s

T0 = datetime(2030, 1, 1, tzinfo=UTC)
NEWS = News(cursor=1, proposal=ProposalId("prp_1"), state=State.REJECTED, at=T0)
chances = st.floats(0, 1)
ages_s = st.floats(0, 7 * 24 * 3600)


def pause_at(age_s: float, chance: float) -> float:
    return pause_s(NEWS, now=T0 + timedelta(seconds=age_s), chance=chance)


@given(ages_s, ages_s, chances)
def test_the_older_the_news_the_longer_the_pause(a: float, b: float, chance: float):
    young, old = sorted((a, b))

    assert pause_at(young, chance) <= pause_at(old, chance)


@given(ages_s, chances)
def test_a_pause_is_never_so_short_that_it_floods_nor_longer_than_an_hour(
    age_s: float, chance: float
):
    assert 1 <= pause_at(age_s, chance) <= 3600


def test_chance_spreads_those_that_failed_together():
    assert pause_at(600, 0) < pause_at(600, 1)
