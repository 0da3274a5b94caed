from collections.abc import Iterator

import pytest

from tests.secrets.acts import act
from tests.secrets.trial import Trial, trying


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A bot that has been through everything."""
    with trying(tmp_path_factory.mktemp("trial")) as running:
        act(running)
        yield running
