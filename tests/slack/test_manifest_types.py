"""Slack's own type of a manifest takes ours: it knows the kind of each value, and each scope."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.slack.config import Mode
from adapters.slack.manifest import manifest
from bot.core.canonical import Json

PINNED = ("@slack/web-api@8.2.0", "@types/node@22", "typescript@5.9.3")
BASE_URL = "https://keyturn.example.com/slack"
_TYPE = 'import type { Manifest } from "@slack/web-api/dist/types/request/manifest.js";'
_CONFIG = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "module": "nodenext",
        "target": "es2022",
    },
    "files": ["manifest.ts"],
}


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here to get Slack's type definitions with")
    folder = tmp_path_factory.mktemp("types")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    got = subprocess.run(
        [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", *PINNED],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if got.returncode:
        pytest.skip(f"npm could not get {PINNED}: {got.stderr.strip()[-200:]}")
    (folder / "tsconfig.json").write_text(json.dumps(_CONFIG))
    return folder


def complaints(folder: Path, made: Json) -> str:
    source = f"{_TYPE}\nexport const made: Manifest = {json.dumps(made)};\n"
    (folder / "manifest.ts").write_text(source)
    checked = subprocess.run(
        ["node_modules/.bin/tsc", "--project", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return checked.stdout


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("more", [{}, {"installs": True}])
def test_slacks_own_type_takes_the_manifest(
    compiler: Path, mode: Mode, more: dict[str, bool]
) -> None:
    assert complaints(compiler, manifest(mode, base_url=BASE_URL, **more)) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"oauth_config": {"scopes": {"bot": ["chat:everything"]}}},
        {"settings": {"socket_mode_enabled": "yes"}},
        {"features": {"shortcuts": [{"name": "Stop", "type": "universal"}]}},
    ],
)
def test_the_type_would_notice_what_slack_does_not_know(
    compiler: Path, wrong: dict[str, Json]
) -> None:
    made = manifest(Mode.SOCKET)
    assert isinstance(made, dict)
    assert "manifest.ts" in complaints(compiler, {**made, **wrong})
