import asyncio
from pathlib import Path

import pytest

from tests.audit.lives import Lives, live
from tests.audit.logs import Log, log_of, new_signer


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Lives:
    folder: Path = tmp_path_factory.mktemp("lives")
    return asyncio.run(live(folder))


@pytest.fixture(scope="session")
def original(lives: Lives) -> Log:
    return log_of(lives.leaves, new_signer())


@pytest.fixture
def log(original: Log) -> Log:
    return original.copy()
