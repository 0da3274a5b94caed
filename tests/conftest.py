import os
import shutil
import sys
from pathlib import Path

import hypothesis
import pytest

# A slow machine is not a counterexample; pytest-timeout ends what hangs.
hypothesis.settings.register_profile("keyturn", deadline=None)
hypothesis.settings.load_profile("keyturn")

# The conformance suites are product code, and their asserts should explain themselves too.
pytest.register_assert_rewrite("bot.testing", "tests.chats")

_REPO = Path(__file__).resolve().parent.parent
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the working tree."""
    return _REPO


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with test vectors and notes that may lie beside the repository."""
    folder = _REPO.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside the repository: its vectors are not part of it")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The executable for `playwright.chromium.launch(executable_path=...)`."""
    for name in _CHROMIUM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    if found := _playwright_chromium():
        return found
    pytest.skip("no Chromium: `make browser` installs one, or put `chromium` on the PATH")


def _playwright_chromium() -> Path | None:
    caches = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    browsers = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or caches / "ms-playwright")
    linux = browsers.glob("chromium-*/chrome-linux*/chrome")
    mac = browsers.glob("chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    return max((*linux, *mac), default=None)
