"""The commands, in real processes, with a bot that runs and with none."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.deployments import Deployment, asked, make_deployment, url


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A bot that runs, with one person and one agent that acts for them."""
    deployment = make_deployment(tmp_path_factory.mktemp("running") / "keyturn-data")
    with deployment.serving():
        deployment.done("person", "create", "dana", "--name", "Dana Ruiz", "--role", "admin")
        deployment.done(
            *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
            *("--for", "dana", "--verb", "tickets.*"),
            *("--token-file", str(deployment.home / "helper.token")),
        )
        yield deployment


def test_an_agent_made_over_the_socket_can_use_its_token(running: Deployment):
    token = (running.home / "helper.token").read_text().strip()
    answer = asked(running, "agents", "/v1/whoami", headers={"Authorization": f"Bearer {token}"})
    assert json.loads(answer.body)["name"] == "helper"


def test_a_token_file_is_for_its_owner_alone(running: Deployment):
    mode = stat.S_IMODE((running.home / "helper.token").stat().st_mode)
    assert mode == 0o600


def test_a_rotated_token_replaces_the_old_one(running: Deployment):
    token = running.json("agent", "rotate", "helper")["token"]
    again = running.json("agent", "rotate", "helper", "--overlap-s", "60")["token"]
    assert token != again
    assert _whoami(running, token) == 200
    running.done("agent", "rotate", "helper")
    assert _whoami(running, token) == 401


def test_limits_replace_only_what_is_named(running: Deployment):
    limited = running.json("agent", "limits", "helper", "--verb", "tickets.comment")
    assert limited["verbs"] == ["tickets.comment"]
    assert len(limited["principals"]) == 1


def test_a_revoked_agent_is_inactive(running: Deployment):
    running.done("agent", "create", "brief", "--owner", "dana", "--purpose", "Ends soon")
    assert running.json("agent", "revoke", "brief", "--reason", "done")["active"] is False


def test_a_sign_in_link_leads_to_the_inbox(running: Deployment):
    link = running.json("signin", "dana")["url"]
    assert re.fullmatch(re.escape(url(running, "people")) + r"/signin#kts_\w+", link)


def test_a_halt_shows_until_it_is_resumed(running: Deployment):
    halt = running.json("halt", "--agent", "helper", "--reason", "It wrote too much.")
    assert halt["id"] in _halts(running)
    assert "agent helper" in running.done("halts")
    running.done("resume", halt["id"], "--reason", "Looked at it.")
    assert halt["id"] not in _halts(running)
    assert _halts(running, "--past")[halt["id"]]["resume_reason"] == "Looked at it."


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--all", "--agent", "helper"],
        ["--principal", "dana", "--all"],
    ],
    ids=["nothing", "two things", "a person without an agent"],
)
def test_a_halt_has_to_say_what_it_stops(running: Deployment, words: list[str]):
    ran = running.run("halt", *words, "--reason", "r")
    assert ran.returncode == 2
    assert "--agent" in ran.stderr


def test_what_is_not_there_is_told_with_its_own_exit_code(running: Deployment):
    ran = running.run("agent", "show", "nobody")
    assert ran.returncode == 5
    assert "There is no agent 'nobody'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_error_is_json_where_json_is_asked_for(running: Deployment):
    ran = running.run("agent", "show", "../people", "--json")
    assert ran.returncode == 5
    assert json.loads(ran.stdout)["error"] == "not_found"


def test_the_policy_in_force_is_shown_and_the_file_checked(running: Deployment):
    assert "ask-the-person" in running.done("policy", "show")
    assert running.json("policy", "check")["loads"] is True


def test_a_bad_policy_file_is_told_line_by_line_and_not_loaded(running: Deployment, tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nrules:\n  - id: x\n    verbs: []\n    efect: allow\n")
    ran = running.run("policy", "check", str(bad))
    assert ran.returncode == 1
    assert "line 5" in ran.stdout
    assert "It does not load." in ran.stdout


def test_a_reload_of_a_bad_policy_keeps_the_old_one(running: Deployment):
    policy = running.home / "policy.yaml"
    good = policy.read_text()
    before = running.json("policy", "show")["digest"]
    try:
        policy.write_text("version: 2\n")
        ran = running.run("policy", "reload")
        assert ran.returncode in {1, 5}
        assert running.json("policy", "show")["digest"] == before
    finally:
        policy.write_text(good)


def test_people_and_their_roles_are_listed(running: Deployment):
    running.done("person", "create", "li")
    assert running.json("person", "roles", "li", "--role", "auditor")["roles"] == ["auditor"]
    assert running.json("person", "admin-token", "li")["token"].startswith("ktx_")
    assert running.json("person", "deactivate", "li")["active"] is False
    assert "li" in running.done("person", "list")


def test_a_second_bot_on_the_same_data_is_refused(running: Deployment):
    ran = running.run("serve")
    assert ran.returncode == 3
    assert "already open in another Keyturn" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_doctor_finds_the_running_bot_well(running: Deployment):
    told = running.json("doctor")
    assert told["healthy"] is True
    ports = [one for one in told["findings"] if one["setting"] == "listeners.agents.port"]
    assert "running bot" in ports[0]["what"]


def test_the_commands_work_while_no_bot_runs(deployment: Deployment):
    deployment.done("person", "create", "dana")
    deployment.done("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps")
    assert [one["handle"] for one in deployment.json("person", "list")["people"]] == ["dana"]
    assert deployment.json("agent", "show", "helper")["principals"] == []
    assert deployment.json("proposals", "list") == {"proposals": [], "next_cursor": None}
    assert not (deployment.home / "admin.sock").exists()


def test_a_link_made_without_a_bot_signs_in_once_it_runs(deployment: Deployment):
    deployment.done("person", "create", "dana")
    code = deployment.json("signin", "dana")["url"].partition("#")[2]
    with deployment.serving():
        assert _signs_in(deployment, code)
        assert not _signs_in(deployment, code)


def _signs_in(deployment: Deployment, code: str) -> bool:
    answer = asked(
        deployment,
        "people",
        "/signin",
        headers={"Origin": url(deployment, "people")},
        form={"code": code, "then": "/"},
    )
    return answer.headers.get("Set-Cookie", "").startswith("keyturn=")


def _halts(deployment: Deployment, *words: str) -> dict[str, Any]:
    return {one["id"]: one for one in deployment.json("halts", *words)["halts"]}


def _whoami(deployment: Deployment, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return asked(deployment, "agents", "/v1/whoami", headers=headers).status


def test_a_resource_server_is_registered_renewed_and_ended(running: Deployment):
    first = running.json("resource", "create", "bank", "--audience", "https://pay.example")
    assert first["token"].startswith("ktr_")
    listed = running.json("resource", "list")["resource_servers"]
    assert [one["name"] for one in listed] == ["bank"]
    assert running.json("resource", "rotate", "bank")["token"] != first["token"]
    assert running.json("resource", "revoke", "bank", "--reason", "gone")["active"] is False
    assert "no" in running.done("resource", "list")
