"""`keyturn undo` asks a person; it undoes nothing."""

import json

import pytest

from tests.cli.deployments import Deployment, asked_to_propose
from tests.cli.test_stopping import ALLOW, SlowTarget, notes, target

__all__ = ["target"]  # a fixture


@pytest.fixture
def done(deployment: Deployment, target: SlowTarget) -> str:
    """The id of a note that was written, in a deployment that can take notes back."""
    target.may_answer.set()
    connector = notes(target.url)
    (add,) = connector["verbs"].values()  # type: ignore[attr-defined] # it is a mapping
    add["undo"] = {
        "verb": "notes.strike",
        "window_s": 900,
        "resource": "notes:{resource.book}",
        "params": {"text": "{params.text}"},
    }
    strike = {name: value for name, value in add.items() if name != "undo"}
    connector["verbs"]["notes.strike"] = strike  # type: ignore[index] # as above
    (deployment.home / "policy.yaml").write_text(ALLOW)
    deployment.set("connectors", json.dumps({"notes": connector}))
    for handle in ("dana", "eve"):
        deployment.done("person", "create", handle)
    token = deployment.json(
        *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
        *("--for", "dana", "--verb", "notes.*"),
    )["token"]
    with deployment.serving():
        action = {"verb": "notes.add", "resource": "notes:x", "params": {"text": "once"}}
        proposal: str = asked_to_propose(deployment, token, action)["id"]
        assert target.asked.wait(10)
    return proposal


def test_the_person_is_asked_and_nothing_is_done(
    deployment: Deployment, target: SlowTarget, done: str
):
    with deployment.serving():
        told = deployment.done("undo", done)
        again = deployment.json("undo", done, "--ask", "dana")
        (pending,) = deployment.json("proposals", "list", "--state", "pending")["proposals"]
        original = deployment.json("proposals", "show", done)
        undo = deployment.json("proposals", "show", pending["id"])
        refused = deployment.run("undo", done, "--ask", "eve")
        unknown = deployment.run("undo", "prp_" + "0" * 26)

    assert "dana is asked" in told
    assert again["id"] == pending["id"]
    assert (original["state"], original["undone_by"]) == ("succeeded", pending["id"])
    assert (undo["undoes"], undo["proposer"]) == (done, "system:operator")
    assert target.notes == [{"text": "once"}]
    assert refused.returncode == unknown.returncode == 5
    assert "not yours to undo" in refused.stderr + refused.stdout
