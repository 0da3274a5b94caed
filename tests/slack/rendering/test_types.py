"""Slack's own type definitions take what we send: they know more than its Python models."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.slack.rendering.golden import all_of_them

PINNED = ("@slack/types@3.2.0", "typescript@5.9.3")
_CONFIG = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "module": "nodenext",
        "target": "es2022",
    },
    "files": ["sent.ts"],
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


def complaints(folder: Path, source: str) -> str:
    (folder / "sent.ts").write_text(source, encoding="utf-8")
    checked = subprocess.run(
        ["node_modules/.bin/tsc", "--project", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return checked.stdout


def source_of(sent: object) -> str:
    lines = ['import type { HomeView, KnownBlock, ModalView } from "@slack/types";']
    for number, value in enumerate(sent if isinstance(sent, list) else [sent]):
        kind = {"modal": "ModalView", "home": "HomeView"}.get(value.get("type"), "KnownBlock[]")
        what = value if kind != "KnownBlock[]" else value["blocks"]
        lines.append(f"export const sent{number}: {kind} = {json.dumps(what)};")
    return "\n".join(lines)


@pytest.mark.slow
def test_everything_that_is_sent_has_slacks_own_types(compiler: Path) -> None:
    assert complaints(compiler, source_of(list(all_of_them().values()))) == ""


@pytest.mark.slow
def test_the_types_would_notice_a_header_that_is_mrkdwn(compiler: Path) -> None:
    header = {"type": "header", "text": {"type": "mrkdwn", "text": "Approved"}}
    assert "sent.ts" in complaints(compiler, source_of({"blocks": [header]}))
