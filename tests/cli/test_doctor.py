"""Each misconfiguration is planted in a deployment of its own, and the doctor names its setting."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.cli.findings import Finding, Status
from bot.cli.look_at_files import about_files, space
from bot.settings import load
from tests.cli.deployments import Deployment
from tests.cli.plants import PLANTS


def findings(deployment: Deployment) -> list[dict[str, Any]]:
    ran = deployment.run("doctor", "--json")
    assert "Traceback" not in ran.stderr
    told = json.loads(ran.stdout)
    found: list[dict[str, Any]] = told["findings"]
    failed = any(one["status"] == "fail" for one in found)
    assert (told["healthy"], ran.returncode) == (not failed, int(failed))
    return found


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_misconfiguration_is_found_and_named(name: str, deployment: Deployment):
    plant = PLANTS[name]
    plant.do(deployment)

    found = findings(deployment)

    told = [one for one in found if one["setting"] == plant.setting and plant.says in one["what"]]
    assert told, found
    assert {one["status"] for one in told} == {plant.status}
    assert all(plant.remedy in one["remedy"] for one in told), told
    assert len({(one["setting"], one["what"]) for one in found}) == len(found), "told twice"
    assert all(one["remedy"] for one in found if one["status"] != "ok")


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_port_that_another_program_has_is_named(deployment: Deployment):
    with taken(deployment.ports["people"]):
        found = findings(deployment)

    (told,) = [one for one in found if one["status"] == "fail"]
    assert told["setting"] == "listeners.people.port"


def test_a_new_deployment_has_nothing_that_fails(deployment: Deployment):
    assert {one["status"] for one in findings(deployment)} == {"ok", "warn"}


async def test_a_network_file_system_is_found(deployment: Deployment, tmp_path: Path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/export {deployment.home.resolve()} nfs4 rw 0 0\n")
    settings = load(deployment.config)

    found = [one async for one in about_files(settings, mounts=mounts)]

    (told,) = [one for one in found if one.status is Status.FAIL]
    assert (told.setting, "network file system (nfs4)" in told.what) == ("data_dir", True)
    assert "local disk" in told.remedy


@pytest.mark.parametrize(
    ("free_bytes", "status"),
    [(50 << 20, Status.FAIL), (500 << 20, Status.WARN), (50 << 30, Status.OK)],
)
def test_a_disk_that_is_almost_full_is_found(free_bytes: int, status: Status):
    found: Finding = space(free_bytes=free_bytes)

    assert (found.setting, found.status) == ("data_dir", status)
    assert bool(found.remedy) == (status is not Status.OK)


@pytest.mark.parametrize("columns", ["60", "80"])
def test_what_the_doctor_says_is_read_from_top_to_bottom(columns: str, deployment: Deployment):
    deployment.home.chmod(0o755)

    told = deployment.run("doctor", COLUMNS=columns).stdout

    assert "fail  data_dir\n      " in told
    assert told.index("ok    settings") < told.index("warn  people") < told.index("fail  data_dir")
