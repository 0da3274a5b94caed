from collections.abc import AsyncIterator

import pytest

from adapters.http import HttpConnector
from tests.connectors.sections import connect, section
from tests.connectors.target import LoopbackTarget


@pytest.fixture
async def target() -> AsyncIterator[LoopbackTarget]:
    async with LoopbackTarget() as running:
        yield running


@pytest.fixture
async def connector(target: LoopbackTarget) -> AsyncIterator[HttpConnector]:
    connected = connect(section(target.url))
    yield connected
    await connected.close()
