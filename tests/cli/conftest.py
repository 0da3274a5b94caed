from pathlib import Path

import pytest

from tests.cli.deployments import Deployment, make_deployment


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """What `keyturn init` writes, on ports that are free now."""
    return make_deployment(tmp_path / "keyturn-data")
