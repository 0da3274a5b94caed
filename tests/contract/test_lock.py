"""What `make setup` installs is pinned, hashed, and what pyproject.toml asks for."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(lock)}


def unhashed(lock: str) -> list[str]:
    logical_lines = lock.replace("\\\n", " ").splitlines()
    return [line for line in logical_lines if line.strip() and "--hash=sha256:" not in line]


def unmet(project: str, lock: str) -> list[str]:
    pinned = pins(lock)
    return [
        str(asked)
        for asked in _asked(project)
        if not asked.specifier.contains(pinned.get(canonicalize_name(asked.name), "0"))
    ]


def _asked(project: str) -> Iterator[Requirement]:
    table = tomllib.loads(project)["project"]
    extras = table["optional-dependencies"]
    for line in (*table["dependencies"], *extras["dev"]):
        asked = Requirement(line)
        if asked.name != table["name"]:
            yield asked
            continue
        for extra in sorted(asked.extras):
            yield from map(Requirement, extras[extra])


def test_every_pin_has_a_hash(repo: Path) -> None:
    lock = (repo / "requirements.lock").read_text()
    assert len(pins(lock)) > 20
    assert unhashed(lock) == []


def test_the_lock_meets_what_the_project_asks_for(repo: Path) -> None:
    project, lock = (repo / "pyproject.toml").read_text(), (repo / "requirements.lock").read_text()
    assert unmet(project, lock) == []


def test_a_pin_without_a_hash_is_caught() -> None:
    lock = "orjson==3.10.1 \\\n    --hash=sha256:00\nrich==14.0\n"
    assert unhashed(lock) == ["rich==14.0"]


@pytest.mark.parametrize("lock", ["", "rich==13.0 --hash=sha256:00\n"])
def test_a_dependency_that_the_lock_does_not_meet_is_caught(lock: str) -> None:
    project = """
        [project]
        name = "keyturn"
        dependencies = []
        optional-dependencies = {dev = ["keyturn[demo]"], demo = ["rich>=14"]}
    """
    assert unmet(project, lock) == ["rich>=14"]
