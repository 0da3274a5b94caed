"""How a deployment begins, and why it sometimes does not."""

import json
import re
import socket
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.deployments import Deployment


def test_init_writes_private_files_that_start(deployment: Deployment):
    modes = {
        path.relative_to(deployment.home).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in deployment.home.rglob("*")
    }
    assert modes == {
        "groups.yaml": 0o600,
        "keys": 0o700,
        "keys/grant-1.key": 0o600,
        "keys/log.key": 0o600,
        "keys/shelf.key": 0o600,
        "keyturn.yaml": 0o600,
        "log-state.json": 0o600,
        "policy.yaml": 0o600,
    }
    with deployment.serving() as lines:
        assert any("Keyturn is running" in line for line in lines)


def test_init_never_overwrites(deployment: Deployment):
    before = deployment.config.read_text()
    (deployment.home / "policy.yaml").unlink()
    ran = deployment.run("init")
    assert ran.returncode == 1
    assert "keyturn.yaml" in ran.stderr
    assert deployment.config.read_text() == before
    assert not (deployment.home / "policy.yaml").exists()


def test_everything_wrong_with_the_settings_is_told_at_once(deployment: Deployment):
    deployment.set("deployment", "Has Spaces")
    deployment.set("public_url", "http://keyturn.your-company.net")
    deployment.set("store", "{type: sqlite, path: here}")
    deployment.set("log", "{level: loud}")
    ran = deployment.run("serve")
    assert ran.returncode == 3
    told = [line for line in ran.stderr.splitlines() if line.strip().startswith("-")]
    assert [re.search(r"line \d+, ([\w.]+):", line)[1] for line in told] == [  # type: ignore[index]
        "deployment",
        "public_url",
        "store.path",
        "log.level",
    ]
    assert "Traceback" not in ran.stderr


def test_connectors_policy_and_keys_are_told_together(deployment: Deployment):
    deployment.set(
        "connectors",
        "{forum: {type: http, base_url: 'https://forum.your-company.net', "
        "credential: {reference: 'env:NO_SUCH_TOKEN', send: bearer}, verbs: {}}, other: {}}",
    )
    (deployment.home / "policy.yaml").write_text("version: 1\nrules: 3\n")
    (deployment.home / "keys/shelf.key").chmod(0o644)
    ran = deployment.run("serve")
    assert ran.returncode == 3
    for part in ("NO_SUCH_TOKEN", "connectors.other.type", "rules", "shelf.key", "chmod 600"):
        assert part in ran.stderr


@pytest.mark.parametrize("value", ["changeme", "<token>", "test-token", "your-api-key"])
def test_an_example_credential_does_not_start(deployment: Deployment, value: str):
    deployment.environment["FORUM_TOKEN"] = value
    deployment.set(
        "connectors",
        "{forum: {type: http, base_url: 'https://forum.your-company.net', "
        "credential: {reference: 'env:FORUM_TOKEN', send: bearer}, verbs: {}}}",
    )
    ran = deployment.run("serve")
    assert ran.returncode == 3
    assert "env:FORUM_TOKEN holds an example value" in ran.stderr
    assert value not in ran.stderr


def test_a_missing_policy_does_not_start(deployment: Deployment):
    (deployment.home / "policy.yaml").unlink()
    ran = deployment.run("serve")
    assert ran.returncode == 3
    assert "policy.yaml" in ran.stderr


def test_a_broken_policy_can_be_checked_while_no_bot_starts_with_it(deployment: Deployment):
    (deployment.home / "policy.yaml").write_text("version: 1\nrules:\n  - id: a\n    verb: [x]\n")
    ran = deployment.run("policy", "check")
    assert ran.returncode == 1
    assert "line 4" in ran.stdout
    assert deployment.run("agent", "list").returncode == 3


def test_a_port_that_is_taken_is_named_with_its_setting(deployment: Deployment):
    with socket.socket() as other:
        other.bind(("127.0.0.1", deployment.ports["agents"]))
        other.listen()
        ran = deployment.run("serve")
    assert ran.returncode == 3
    assert "listeners.agents: another program listens on 127.0.0.1" in ran.stderr


def test_no_settings_say_how_to_make_some(tmp_path: Path):
    ran = Deployment(tmp_path / "nothing", {}).run("serve")
    assert ran.returncode == 3
    assert "keyturn init" in ran.stderr


def test_an_unknown_store_is_not_looked_for_further(deployment: Deployment):
    deployment.set("store", "{type: postgres}")
    ran = deployment.run("serve")
    assert ran.returncode == 3
    assert "store.type: nothing installed is called postgres" in ran.stderr


def test_the_doctor_names_each_setting_and_what_to_do(deployment: Deployment):
    deployment.home.chmod(0o755)
    (deployment.home / "groups.yaml").write_text("groups: {security: [nobody]}\n")
    ran = deployment.run("doctor", "--json")
    assert ran.returncode == 1
    told = {one["setting"]: one for one in json.loads(ran.stdout)["findings"]}
    bad = [one for one in json.loads(ran.stdout)["findings"] if one["status"] in {"warn", "fail"}]
    assert all(one["remedy"] for one in bad)
    assert {"data_dir", "groups", "connectors"} <= {one["setting"] for one in bad}
    assert "listeners.agents.port" in told


def test_the_doctor_reads_broken_settings_too(deployment: Deployment):
    deployment.set("log", "{level: loud}")
    ran = deployment.run("doctor")
    assert ran.returncode == 1
    assert "log.level" in ran.stdout


@pytest.mark.skipif(
    find_spec("isso") is None, reason="the extra demo, which brings Isso, is missing"
)
def test_serve_init_prints_a_line_that_leads_to_a_pending_proposal(tmp_path: Path):
    deployment = Deployment(tmp_path / "keyturn-data", {})
    with deployment.serving("--init") as lines:
        links = [line for line in lines if "/signin#kts_" in line]
        assert len(links) == 1
        start = next(n for n, line in enumerate(lines) if line.startswith("curl "))
        command = "\n".join(lines[start : start + 5])
        assert "kta_" not in command
        ran = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True, text=True
        )
        assert json.loads(ran.stdout)["state"] == "pending"
    token = deployment.home / "sample-agent.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    written = deployment.config.read_text()
    with deployment.serving("--init") as lines:
        again = [line for line in lines if "/signin#kts_" in line]
        assert again != links
        assert "\n".join(lines[-20:]).count("sample-agent.token") == 1
        assert len(deployment.json("agent", "list")["agents"]) == 1
    assert deployment.config.read_text() == written


def test_serve_init_moves_aside_for_ports_that_are_taken(tmp_path: Path):
    deployment = Deployment(tmp_path / "keyturn-data", {})
    with deployment.serving("--init"):
        other = Deployment(tmp_path / "other-data", {})
        with other.serving("--init") as lines:
            assert any("Keyturn is running" in line for line in lines)
