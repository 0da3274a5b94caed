from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http.served import Served, serve
from tests.release.counter import Counter, open_counter


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path) as opened:
        yield opened


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as opened:
        yield opened
