"""What every chat with an office behind it passes, in clients of today and in old ones."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from tests.chats.clickers import ClickerConformance
from tests.chats.deciding import DecidingConformance
from tests.chats.house import OpenHouse
from tests.chats.storm import StormConformance
from tests.teams.stage import Client
from tests.teams.teams_house import GROUP, opens_in


@pytest.fixture(params=list(Client))
def open_house(request: pytest.FixtureRequest) -> OpenHouse:
    return opens_in(request.param)


class TestClickers(ClickerConformance):
    group = f"teams:{GROUP}"
    group_troubles: ClassVar[Sequence[str]] = (
        "403 Authorization_RequestDenied",
        "404 Request_ResourceNotFound",
        "429 TooManyRequests",
        "503 ServiceUnavailable",
    )


class TestDeciding(DecidingConformance):
    pass


class TestStorm(StormConformance):
    reaches_all = False
