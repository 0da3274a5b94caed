from collections.abc import AsyncIterator

import pytest

from tests.teams.stage import Client, TeamsStage, stage_of


@pytest.fixture(params=list(Client))
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[TeamsStage]:
    async with stage_of(request.param) as stage:
        stage.identities.enroll = stage.enroll
        yield stage
