"""What every chat with an office behind it passes, over a socket and over HTTP."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from adapters.slack.testing import Mode
from tests.chats.clickers import ClickerConformance
from tests.chats.deciding import DecidingConformance
from tests.chats.house import OpenHouse
from tests.chats.storm import StormConformance
from tests.slack.slack_house import GROUP, opens_in, reads_back


@pytest.fixture(params=list(Mode))
def open_house(request: pytest.FixtureRequest) -> OpenHouse:
    return opens_in(request.param)


class TestClickers(ClickerConformance):
    group = f"slack:{GROUP}"
    group_troubles: ClassVar[Sequence[str]] = (
        "no_such_subteam",
        "plan_upgrade_required",
        "missing_scope",
    )


class TestDeciding(DecidingConformance):
    pass


class TestStorm(StormConformance):
    reaches_all = True

    @pytest.fixture(params=list(Mode))
    def open_house(self, request: pytest.FixtureRequest) -> OpenHouse:
        return opens_in(request.param, reads_back)
