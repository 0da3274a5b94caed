import pytest

from bot.testing.connector import ConnectorConformance, Sample
from tests.connectors.samples import SAMPLE


class TestHttp(ConnectorConformance):
    @pytest.fixture
    def sample(self) -> Sample:
        return SAMPLE
