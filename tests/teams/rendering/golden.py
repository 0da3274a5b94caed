"""Writes the golden files anew: ``python -m tests.teams.rendering.golden``; then read the diff."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.teams.rendering.scenes import messages

FOLDER = Path(__file__).parent / "golden"


def all_of_them() -> Mapping[str, Any]:
    """Return the activity that is sent to Teams for each scene, by name."""
    return {name: message.activity() for name, message in messages()}


def spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = {f"{name}.json": spelled(value) for name, value in all_of_them().items()}
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
