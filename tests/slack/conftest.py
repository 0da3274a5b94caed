from collections.abc import AsyncIterator

import pytest

from adapters.slack.testing import Mode
from tests.slack.stage import SlackStage, stage_of


@pytest.fixture(params=list(Mode))
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    async with stage_of(request.param) as stage:
        stage.identities.enroll = stage.enroll
        yield stage
