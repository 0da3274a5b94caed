from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, open_town, page_name
from tests.regressions.wiki import Wiki, open_wiki

#: An agent, what it proposed for a few seconds only, and the form of a click that came too late.
Overdue: TypeAlias = tuple[Agent, dict[str, Any], dict[str, str]]


@pytest.fixture(scope="session")
def wiki() -> Iterator[Wiki]:
    with open_wiki() as wiki:
        yield wiki


@pytest.fixture(scope="session")
def town(wiki: Wiki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One bot for all of them; nobody stops it or changes its settings."""
    with open_town(tmp_path_factory.mktemp("town"), wiki) as town:
        yield town


@pytest.fixture(scope="module")
def own_town(wiki: Wiki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A bot that the tests of one module may kill, start and change."""
    with open_town(tmp_path_factory.mktemp("own"), wiki) as town:
        yield town


@pytest.fixture(scope="session")
def overdue(town: Town) -> Overdue:
    agent = town.agent()
    proposal = agent.propose(page_name("overdue"), expires_in_s=10)
    return agent, proposal, town.seat("dana").form(proposal)


@pytest.fixture
def agent(town: Town, overdue: Overdue) -> Agent:
    """An agent for one test. What has to become old begins to, while the others run."""
    return town.agent()


@pytest.fixture(scope="session")
def dana(town: Town) -> Seat:
    """The principal of every agent, at her inbox."""
    return town.seat("dana")
