"""Installed is not trusted: only what the settings name is loaded, and ours cannot be replaced."""

from pathlib import Path

import pytest

from tests.cli.deployments import Deployment

ENTRY_POINTS = """\
[keyturn.chats]
web = other_plug_in:create
[keyturn.connectors]
http = other_plug_in:create
other = other_plug_in:create
[keyturn.stores]
sqlite = other_plug_in:create
"""
MODULE = """\
import os
from pathlib import Path
from bot.core.errors import SettingsInvalid

Path(os.environ["LOADED"]).touch()

def create(name, section, **_):
    raise SettingsInvalid("no", problems=[f"connectors.{name}: the plug-in was asked."])
"""


@pytest.fixture
def loaded(deployment: Deployment, tmp_path: Path) -> Path:
    """A file that is there once the plug-in, which is installed, has been loaded."""
    site = tmp_path / "site"
    info = site / "other_plug_in-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-plug-in\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "other_plug_in.py").write_text(MODULE)
    mark = tmp_path / "loaded"
    deployment.environment |= {"PYTHONPATH": str(site), "LOADED": str(mark)}
    return mark


def test_an_installed_plug_in_that_is_not_named_is_never_loaded(
    deployment: Deployment, loaded: Path
):
    with deployment.serving():
        pass
    assert not loaded.exists()


def test_a_plug_in_that_is_named_is_asked(deployment: Deployment, loaded: Path):
    deployment.set("connectors", "{board: {type: other}}")
    ran = deployment.run("serve")
    assert ran.returncode == 3
    assert "connectors.board: the plug-in was asked." in ran.stderr
    assert loaded.exists()
