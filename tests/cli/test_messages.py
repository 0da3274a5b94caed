"""Whatever is typed: what comes back says what is wrong, and what to do next."""

import os
from pathlib import Path

import pytest

from tests.cli.deployments import Deployment, make_deployment

NOT_UTF8 = b"\xff\xfe\x00rules"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    home = tmp_path_factory.mktemp("messages") / "keyturn-data"
    made = make_deployment(home)
    made.done("person", "create", "dana", "--role", "admin")
    made.done(
        *("agent", "create", "writer", "--owner", "dana", "--purpose", "Writes"),
        *("--for", "dana", "--verb", "forum.*"),
    )
    (home.parent / "there").touch()
    (home.parent / "broken.yaml").write_text("a: [\n")
    (home.parent / "binary.yaml").write_bytes(NOT_UTF8)
    return made


#: What is typed, what has to be told, and what to do.
WRONG = {
    "signin nobody": ("There is no person 'nobody'", "List the people"),
    "person create Dana_Ö": ("small letters and digits", "send it again"),
    "person create dana": ("called 'dana' already", "Choose another name"),
    "agent create writer --owner dana --purpose x": ("'writer' already", "Choose another name"),
    "agent create other --owner nobody --purpose x": ("no person 'nobody'", "List the people"),
    "agent create other --owner dana --purpose x --token-file nowhere/token": (
        "there is no folder nowhere",
        "Nothing was changed",
    ),
    "agent rotate writer --token-file nowhere/token": ("no folder nowhere", "Nothing was changed"),
    "agent rotate nobody": ("There is no agent 'nobody'", "List the agents"),
    "agent webhook writer --url ftp://x": ("has to be like https://", "send it again"),
    "agent webhook writer --rotate": ("no webhook", "Set one"),
    "agent webhook writer --url https://x --secret-file .": ("is a folder", "Name a file"),
    "resource create wiki --audience ''": ("up to 200 ASCII characters", "send it again"),
    "resource rotate nobody": ("no resource server 'nobody'", "List the resource servers"),
    "policy check nowhere.yaml": ("nowhere.yaml cannot be read", "Name a file"),
    "policy check binary.yaml": ("binary.yaml cannot be read", "in UTF-8"),
    "policy check .": ("cannot be read", "Name a file"),
    "policy explain a b --agent nobody": ("There is no agent 'nobody'", "List the agents"),
    "policy explain a b --agent writer": ("No connector declares the verb 'a'", "verbs"),
    "policy explain a b --agent writer --params {x": ("not JSON", "Write it like"),
    "proposals show nothing": ("no such proposal", "Check the id"),
    "undo nothing": ("no such proposal", "Check the id"),
    "halt --agent nobody --reason x": ("There is no agent 'nobody'", "List the agents"),
    "halt --connector nothing --reason x": ("no connector 'nothing'", "connectors"),
    "halt --all --reason ''": ("/reason must not be empty", "send it again"),
    "resume nothing --reason x": ("no such stop", "Check the id"),
    "audit verify nothing": ("nothing cannot be read", "Name a file"),
    "audit verify broken.yaml": ("neither an exported log nor a receipt", "Export it again"),
    "audit verify .": ("cannot be read", "Name a file"),
    "audit export there": ("there exists", "Name another file"),
    "audit export nowhere/log": ("nowhere/log.part: no such file", "Name another file"),
    "audit checkpoint there": ("there exists", "Name another file"),
    "audit erase nobody --reason x": ("no person 'nobody'", "List the people"),
    "audit show nothing": ("nothing about such a proposal", "Check the id"),
    "backup there": ("The backup cannot be written", "Name a folder"),
    "restore nothing": ("manifest.json cannot be read", "Name the folder"),
    "person list --config nowhere.yaml": ("There are no settings", "Change to the folder"),
    "person list --config .": ("There are no settings", "name the file"),
    "person list --config broken.yaml": ("line 2", "Correct what is named"),
    "person list --config binary.yaml": ("not UTF-8", "Save it as UTF-8"),
    "demo --home there/below": ("there/below: not a directory", "Name another"),
}


@pytest.mark.parametrize("typed", WRONG)
def test_what_is_wrong_is_told_with_what_to_do(typed: str, office: Deployment):
    what, remedy = WRONG[typed]

    ran = office.run(*(word.strip("'") for word in typed.split()))

    assert ran.returncode in {1, 3, 5, 13}
    assert what in ran.stderr
    assert remedy in ran.stderr
    assert not [word for word in ("Traceback", "Error:", "Errno", "^[") if word in ran.stderr]


#: Wrong usage ends with 2; what is printed names the option or the word.
MISUSED = {
    "frobnicate": "No such command 'frobnicate'",
    "persn list": "Did you mean 'person'?",
    "person lst": "Did you mean 'list'?",
    "person create": "Missing argument",
    "person create dana --role king": "'admin', 'auditor'",
    "signin dana --ttl-s 5": "greater than or equal to 10",
    "agent revoke writer": "Missing option '--reason'",
    "agent webhook writer --rotate --off": "Choose one of --url, --rotate and --off",
    "halt --reason x": "one of --agent, --connector and --all",
    "halt --agnt x": "--agent",
    "keys rotate all": "'grant', 'log', 'shelf'",
    "proposals list --state lost": "'pending'",
}


@pytest.mark.parametrize("typed", MISUSED)
def test_wrong_usage_is_told_with_what_is_right(typed: str, office: Deployment):
    ran = office.run(*typed.split())

    assert ran.returncode == 2
    assert MISUSED[typed] in ran.stderr
    assert "-h' for help" in ran.stderr


def test_a_token_that_cannot_be_kept_is_not_made(office: Deployment):
    before = office.json("agent", "show", "writer")

    ran = office.run(
        *("agent", "create", "other", "--owner", "dana", "--purpose", "x"),
        *("--token-file", "nowhere/token"),
    )

    assert ran.returncode == 5
    assert [agent["name"] for agent in office.json("agent", "list")["agents"]] == ["writer"]
    assert office.json("agent", "show", "writer") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(office: Deployment, tmp_path: Path):
    tmp_path.chmod(0o500)
    ran = office.run("agent", "rotate", "writer", "--token-file", str(tmp_path / "token"))
    assert "by this user" in ran.stderr
