"""Backup and restore by command, with a bot that carries things out meanwhile."""

import json
import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.deployments import Deployment, asked, asked_to_propose
from tests.cli.test_stopping import ALLOW, SlowTarget, notes

DATABASE = "keyturn.sqlite3"
ACTION = {"verb": "notes.add", "resource": "notes:x", "params": {"text": "once"}}


@dataclass
class Office:
    """A deployment whose agent may write notes, and the target that takes them."""

    deployment: Deployment
    target: SlowTarget
    token: str

    def propose(self, key: str) -> Any:
        action = {**ACTION, "params": {"text": key}}
        return asked_to_propose(self.deployment, self.token, action, key=key)

    def final(self, proposal: str) -> Any:
        """Return the proposal once it is over, or after some seconds as it is."""
        headers = {"Authorization": f"Bearer {self.token}", "Prefer": "wait=4"}
        answer = asked(self.deployment, "agents", f"/v1/proposals/{proposal}", headers=headers)
        return json.loads(answer.body)

    def noted(self) -> list[str]:
        return sorted(note["text"] for note in self.target.notes)  # type: ignore[index]

    def backup(self, into: Path, *words: str) -> Path:
        return Path(self.deployment.json("backup", str(into), *words)["folder"])


@pytest.fixture
def office(deployment: Deployment) -> Iterator[Office]:
    target = SlowTarget()
    thread = threading.Thread(target=target.server.serve_forever)
    thread.start()
    (deployment.home / "policy.yaml").write_text(ALLOW)
    deployment.set("connectors", json.dumps({"notes": notes(target.url)}))
    deployment.done("person", "create", "dana")
    token = deployment.json(
        *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
        *("--for", "dana", "--verb", "notes.*"),
    )["token"]
    yield Office(deployment, target, token)
    target.may_answer.set()
    target.server.shutdown()
    target.server.server_close()
    thread.join()


def test_a_backup_is_whole_private_and_without_keys(deployment: Deployment, tmp_path: Path):
    deployment.done("person", "create", "dana")
    made = deployment.json("backup", str(tmp_path / "kept"))
    folder = Path(made["folder"])
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "manifest.json",
        DATABASE,
        "log-state.json",
        "settings/keyturn.yaml",
        "settings/policy.yaml",
        "settings/groups.yaml",
    }
    assert all(stat.S_IMODE((folder / name).stat().st_mode) == 0o600 for name in files)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == files - {"manifest.json"}
    assert (manifest["log"]["size"], manifest["log"]["root"]) == (made["size"], made["root"])


def test_keys_are_in_it_only_when_they_are_asked_for(deployment: Deployment, tmp_path: Path):
    deployment.done("person", "create", "dana")
    folder = Path(deployment.json("backup", str(tmp_path), "--with-keys")["folder"])
    keys = {path.name for path in (deployment.home / "keys").iterdir()}
    assert {path.name for path in (folder / "keys").iterdir()} == keys
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (folder / "keys").iterdir())


def test_a_changed_file_in_a_backup_is_found(deployment: Deployment, tmp_path: Path):
    deployment.done("person", "create", "dana")
    folder = Path(deployment.json("backup", str(tmp_path))["folder"])
    with (folder / DATABASE).open("r+b") as file:
        file.seek(20_000)
        file.write(b"x")
    ran = deployment.run("restore", str(folder))
    assert ran.returncode == 5
    assert "is not the file that was backed up" in ran.stderr
    assert not list(deployment.home.glob("replaced-*"))


def test_what_is_not_a_backup_is_told_so(deployment: Deployment, tmp_path: Path):
    ran = deployment.run("restore", str(tmp_path))
    assert ran.returncode == 5
    assert "manifest.json cannot be read" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_backup_of_a_bot_that_never_ran_says_what_is_missing(
    deployment: Deployment, tmp_path: Path
):
    ran = deployment.run("backup", str(tmp_path / "kept"))
    assert ran.returncode == 3
    assert DATABASE in ran.stderr
    assert not list((tmp_path / "kept").iterdir())


def test_while_a_bot_runs_it_is_backed_up_and_not_restored(office: Office, tmp_path: Path):
    office.target.may_answer.set()
    with office.deployment.serving():
        first = office.propose("first")
        assert office.final(first["id"])["state"] == "succeeded"
        folder = office.backup(tmp_path)
        ran = office.deployment.run("restore", str(folder))
    assert ran.returncode == 3
    assert "already open in another Keyturn" in ran.stderr


def test_what_was_carried_out_after_the_backup_is_never_carried_out_again(
    office: Office, tmp_path: Path
):
    with office.deployment.serving():
        under_way = office.propose("under-way")
        assert office.target.asked.wait(10)
        folder = office.backup(tmp_path)
        office.target.may_answer.set()
        assert office.final(under_way["id"])["state"] == "succeeded"
        later = office.propose("later")
        assert office.final(later["id"])["state"] == "succeeded"
    assert office.noted() == ["later", "under-way"]

    office.deployment.done("restore", str(folder))

    with office.deployment.serving():
        (halt,) = office.deployment.json("halts")["halts"]
        assert halt["reason"].startswith("Restored from the backup of")
        doubted = office.propose("under-way")
        assert (doubted["id"], doubted["state"]) == (under_way["id"], "in_doubt")
        assert doubted["executed"] is None
        known = office.propose("later")
        assert (known["id"], known["state"]) == (later["id"], "succeeded")
        assert office.propose("new")["code"] == "halted"
        office.deployment.done("resume", halt["id"], "--reason", "Looked at the target.")
        assert office.propose("under-way")["state"] == "in_doubt"
        assert office.propose("later")["state"] == "succeeded"
        new = office.propose("new")
        assert office.final(new["id"])["state"] == "succeeded"
        export = tmp_path / "log.jsonl"
        office.deployment.done("audit", "export", str(export))
    assert office.noted() == ["later", "new", "under-way"]
    told = office.deployment.run("audit", "verify", str(export), "--json")
    assert json.loads(told.stdout)["problems"] == []


def test_an_old_copy_put_back_by_hand_does_not_start(office: Office, tmp_path: Path):
    office.target.may_answer.set()
    deployment = office.deployment
    folder = office.backup(tmp_path)
    with deployment.serving():
        done = office.propose("one")
        assert office.final(done["id"])["state"] == "succeeded"
    shutil.copy(folder / DATABASE, deployment.home / DATABASE)
    (deployment.home / f"{DATABASE}-wal").unlink(missing_ok=True)

    ran = deployment.run("serve")

    assert ran.returncode == 3
    assert "It is an older copy" in ran.stderr
    assert "keyturn restore" in ran.stderr
    deployment.done("restore", str(folder))
    with deployment.serving():
        assert office.propose("one")["code"] == "halted"
    assert office.noted() == ["one"]


def test_a_lost_machine_is_set_up_from_a_backup_alone(office: Office, tmp_path: Path):
    folder = office.backup(tmp_path, "--with-keys")
    shutil.rmtree(office.deployment.home)

    told = office.deployment.json("restore", str(folder))

    assert told["epoch"] == 1
    assert "not known here" in told["warnings"][0]
    with office.deployment.serving():
        assert [one["name"] for one in office.deployment.json("agent", "list")["agents"]] == [
            "helper"
        ]
        assert office.propose("one")["code"] == "halted"
