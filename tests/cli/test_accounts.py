"""Accounts in chats and channels, with the commands and a bot that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.deployments import Deployment, make_deployment

ENTRY_POINTS = """\
[keyturn.chats]
board = board_plug_in:create
"""
MODULE = """\
from bot.testing.silent_chat import SilentChat

def create(name, section, surroundings):
    assert surroundings.identities is not None
    return SilentChat(name=name)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A bot with one person and, beside the inbox, a chat with accounts and channels."""
    folder = tmp_path_factory.mktemp("accounts")
    info = folder / "site" / "board_plug_in-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: board-plug-in\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (info.parent / "board_plug_in.py").write_text(MODULE)
    deployment = make_deployment(folder / "keyturn-data")
    deployment.environment["PYTHONPATH"] = str(info.parent)
    settings = deployment.config.read_text()
    assert settings.count("\nchats:\n") == 1
    deployment.config.write_text(settings.replace("\nchats:\n", "\nchats:\n  board: {}\n"))
    with deployment.serving():
        deployment.done("person", "create", "dana", "--email", "dana@firm.test")
        yield deployment


def test_an_address_is_set_and_removed(running: Deployment) -> None:
    assert running.json("person", "list")["people"][0]["email"] == "dana@firm.test"
    assert "dana@other.test" in running.done("person", "set-email", "dana", "dana@other.test")
    assert "no address" in running.done("person", "set-email", "dana")
    assert running.run("person", "set-email", "dana", "nonsense").returncode == 5


def test_the_operator_makes_a_code_for_somebody(running: Deployment) -> None:
    made = running.json("person", "link-code", "dana", "--chat", "board")
    assert made["chat"] == "board"
    assert len(made["code"]) == len("0000-0000-0000")
    for chat in ("web", "nowhere"):
        refused = running.run("person", "link-code", "dana", "--chat", chat)
        assert refused.returncode == 5
        assert "accounts to link" in refused.stderr


def test_accounts_are_listed_and_what_is_not_linked_is_not_unlinked(running: Deployment) -> None:
    assert running.json("person", "identities", "dana")["identities"] == []
    assert "No account is linked" in running.done("person", "identities", "dana")
    words = ("--chat", "board", "--tenant", "T1", "--user", "U1")
    assert running.run("person", "unlink", "dana", *words).returncode == 5


def test_a_channel_from_its_beginning_to_its_end(running: Deployment, tmp_path: Path) -> None:
    assert "No channel" in running.done("channel", "list")
    said = running.done("channel", "set", "C1", "--chat", "board", "--name", "#ops")
    assert said.startswith("#ops (C1) is told of: digest, halt, in_doubt, not_mine, undeliverable")
    narrowed = running.json(
        *("channel", "set", "C1", "--chat", "board", "--topic", "halt", "--agent", "forum-*")
    )
    (listed,) = running.json("channel", "list")["notice_routes"]
    assert listed == narrowed
    assert (listed["topics"], listed["agents"]) == (["halt"], ["forum-*"])

    assert "nothing any more" in running.done("channel", "end", listed["id"])
    assert running.run("channel", "end", listed["id"]).returncode == 5
    assert running.run("channel", "set", "C1", "--chat", "web").returncode == 5
    exported = tmp_path / "log.jsonl"
    running.done("audit", "export", str(exported))
    types = exported.read_text()
    assert "notice_route.set" in types
    assert "notice_route.ended" in types
