from collections.abc import AsyncIterator

import pytest

from adapters.web import WebInbox
from tests.web.seat import WebStage, stage_of


@pytest.fixture
async def stage() -> AsyncIterator[WebStage]:
    async with stage_of(WebInbox) as stage:
        yield stage
