from collections.abc import AsyncIterator

import pytest

from tests.service.office import Office, open_office


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened
