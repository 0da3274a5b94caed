"""Everything about a person is erased by command, and searched for in every file afterwards."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.deployments import Deployment, asked, asked_to_propose, url

HANDLE, NAME, TEXT, KEY = "canaryhandle", "CanaryName", "canary-text", "canary-key"
WHY = "canary-why"
CANARIES = (HANDLE, NAME, TEXT, KEY, WHY)
#: What the operator wrote by hand is the operator's to change.
BY_HAND = {"keyturn.yaml", "policy.yaml", "groups.yaml"}

HOLD = """version: 1
rules: [{id: notes, verbs: [notes.add], effect: {hold: {mode: confirm}}}]
"""
NOTES = {
    "type": "http",
    "base_url": "http://127.0.0.1:9",
    "allow_private": True,
    "verbs": {
        "notes.add": {
            "summary": "Add a note",
            "kind": "write",
            "resource": "notes:{book}",
            "params": {"type": "object", "properties": {"text": {"type": "string"}}},
            "request": {
                "method": "POST",
                "path": "/{resource.book}",
                "body": {"text": "{params.text}"},
            },
            "audience": {"reach": "private", "who": "You"},
            "say": {"effect": "Add {params.text}"},
        }
    },
}


@pytest.fixture
def filled(deployment: Deployment) -> Iterator[tuple[Deployment, str]]:
    """A running bot with an open proposal for a person who is signed in, and their cookie."""
    (deployment.home / "policy.yaml").write_text(HOLD)
    deployment.set("connectors", json.dumps({"notes": NOTES}))
    deployment.done("person", "create", "owner")
    deployment.done("person", "create", HANDLE, "--name", NAME, "--role", "auditor")
    token = deployment.json(
        *("agent", "create", "helper", "--owner", "owner", "--purpose", "Helps"),
        *("--for", HANDLE, "--for", "owner", "--verb", "notes.*"),
    )["token"]
    person = deployment.json("person", "admin-token", HANDLE)["id"]
    with deployment.serving():
        code = deployment.json("signin", HANDLE)["url"].partition("#")[2]
        form = {"code": code, "then": "/"}
        origin = {"Origin": url(deployment, "people")}
        signed_in = asked(deployment, "people", "/signin", headers=origin, form=form)
        cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
        action = {"verb": "notes.add", "resource": "notes:x", "params": {"text": TEXT}}
        for key, who in ((KEY, person), ("other", None)):
            owner = deployment.json("person", "list")["people"]
            other = next(one["id"] for one in owner if one["handle"] == "owner")
            answer = asked_to_propose(
                deployment,
                token,
                action if who else {**action, "params": {"text": "not theirs"}},
                key=key,
                on_behalf_of=who or other,
                rationale={"why": WHY if who else "another reason"},
            )
            assert answer["state"] == "pending", answer
        yield deployment, cookie


def found_in(home: Path) -> set[str]:
    """Return which canaries stand anywhere in the files of *home*."""
    files = [p for p in home.rglob("*") if p.is_file() and p.name not in BY_HAND]
    everything = b"".join(path.read_bytes() for path in files)
    return {canary for canary in CANARIES if canary.encode() in everything}


def test_no_byte_of_an_erased_person_is_left(filled: tuple[Deployment, str], tmp_path: Path):
    deployment, cookie = filled
    assert found_in(deployment.home) == set(CANARIES)
    assert _inbox(deployment, cookie) == 200

    preview = deployment.done("audit", "erase", HANDLE, "--reason", "Asked for it.")
    assert "Nothing was erased" in preview
    assert re.search(r"proposals +1, 1 of them open", preview)
    assert found_in(deployment.home) == set(CANARIES)

    gone = deployment.json("audit", "erase", HANDLE, "--reason", "Asked for it.", "--yes")

    assert (gone["ended"], gone["tokens"]) == (1, 1)
    assert found_in(deployment.home) == set()
    assert _inbox(deployment, cookie) != 200
    states = {one["effect"]: one["state"] for one in _proposals(deployment)}
    assert states == {"Erased": "revoked", "Add not theirs": "pending"}
    (erased,) = [one for one in _proposals(deployment) if one["effect"] == "Erased"]
    shown = deployment.done("proposals", "show", erased["id"])
    assert "Traceback" not in shown
    export = tmp_path / "log.jsonl"
    deployment.done("audit", "export", str(export))
    told = json.loads(deployment.run("audit", "verify", str(export), "--json").stdout)
    assert told["problems"] == []
    assert not {canary for canary in CANARIES if canary in export.read_text()}


def test_what_has_to_end_first_is_named_and_nothing_is_erased(deployment: Deployment):
    deployment.done("person", "create", "dana")
    deployment.done("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps")
    for words in ([], ["--yes"]):
        ran = deployment.run("audit", "erase", "dana", "--reason", "r", *words)
        assert ran.returncode == 5
        assert "The agent helper is theirs" in ran.stdout + ran.stderr
    assert deployment.json("person", "list")["people"][0]["active"] is True
    deployment.done("agent", "revoke", "helper", "--reason", "r")
    deployment.done("audit", "erase", "dana", "--reason", "r", "--yes")
    assert deployment.run("audit", "erase", "dana", "--reason", "r").returncode == 5


def _inbox(deployment: Deployment, cookie: str) -> int:
    return asked(deployment, "people", "/", headers={"Cookie": cookie}).status


def _proposals(deployment: Deployment) -> list[dict[str, str]]:
    found: list[dict[str, str]] = deployment.json("proposals", "list")["proposals"]
    return found
