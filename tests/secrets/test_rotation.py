"""Keys and tokens are renewed while the bot runs, and nobody notices."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.deployments import Deployment, make_deployment
from tests.secrets.mirror import Mirror
from tests.secrets.trial import Trial, serving


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(make_deployment(tmp_path / "data"), Mirror(0), tmp_path / "log.txt", {})
    with serving(trial):
        trial.deployment.done("person", "create", "dana", "--role", "admin")
        words = ("--owner", "dana", "--purpose", "Tries", "--for", "dana")
        trial.token = trial.deployment.json("agent", "create", "trier", *words)["token"]
        trial.sign_in()
        yield trial


def kept(deployment: Deployment, kind: str) -> list[dict[str, object]]:
    return [key for key in deployment.json("keys", "list")["keys"] if key["kind"] == kind]


def test_both_tokens_of_an_agent_work_in_the_overlap(running: Trial):
    rotate = ("agent", "rotate", "trier")
    new = running.deployment.json(*rotate, "--overlap-s", "600")["token"]
    assert [
        running.as_agent("GET", "/v1/whoami", token=t).status for t in (running.token, new)
    ] == [
        200,
        200,
    ]
    last = running.deployment.json(*rotate)["token"]
    tokens = (running.token, new, last)
    assert [running.as_agent("GET", "/v1/whoami", token=t).status for t in tokens] == [
        401,
        401,
        200,
    ]


@pytest.mark.parametrize("kind", ["grant", "log", "shelf"])
def test_a_new_key_is_the_one_in_use_and_the_old_one_is_kept(running: Trial, kind: str):
    before = kept(running.deployment, kind)
    name = running.deployment.json("keys", "rotate", kind)["name"]
    after = kept(running.deployment, kind)
    assert [key["name"] for key in after] == [*(key["name"] for key in before), name]
    assert [key["in_use"] for key in after] == [False, True]
    keys = running.deployment.home / "keys"
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {0o600}
    assert not list(keys.glob("*.new"))


def test_people_stay_signed_in_when_the_shelf_has_a_new_key(running: Trial):
    assert b"dana" in running.as_person("/").body
    running.deployment.done("keys", "rotate", "shelf")
    assert running.as_person("/").status == 200


def test_grants_of_both_keys_can_be_checked(running: Trial):
    name = running.deployment.json("keys", "rotate", "grant")["name"]
    published = running.ask("agents", "GET", "/.well-known/jwks.json").json["keys"]
    assert len(published) == 2
    assert published[-1]["kid"] == name


def test_after_rotations_a_bot_starts_again_and_people_are_still_signed_in(tmp_path: Path):
    trial = Trial(make_deployment(tmp_path / "data"), Mirror(0), tmp_path / "log.txt", {})
    with serving(trial):
        trial.deployment.done("person", "create", "dana")
        trial.sign_in()
        for kind in ("grant", "log", "shelf"):
            trial.deployment.done("keys", "rotate", kind)
    with serving(trial):
        assert trial.as_person("/").status == 200
        assert [len(kept(trial.deployment, kind)) for kind in ("grant", "log", "shelf")] == [
            2,
            2,
            2,
        ]


def test_doctor_warns_of_a_key_that_is_old(tmp_path: Path):
    deployment = make_deployment(tmp_path / "data")
    file = deployment.home / "keys" / "shelf.key"
    os.utime(file, (0, 0))
    found = deployment.json("doctor")["findings"]
    (old,) = [one for one in found if one["status"] == "warn" and "in use for" in one["what"]]
    assert old["remedy"] == "keyturn keys rotate shelf"
    deployment.done("keys", "rotate", "shelf")
    found = deployment.json("doctor")["findings"]
    assert not [one for one in found if "in use for" in one["what"]]


def test_a_key_of_another_kind_is_refused(running: Trial):
    assert running.deployment.run("keys", "rotate", "tls").returncode == 2
