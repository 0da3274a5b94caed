"""The app that an admin makes from our manifest can do what the chat needs, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.slack.config import Mode
from adapters.slack.manifest import EVENTS, OPTIONAL_SCOPES, SCOPES, manifest
from adapters.slack.testing import BOT_SCOPES
from bot.cli import app as keyturn

FOLDER = Path(__file__).parents[2] / "manifests" / "slack"
BASE_URL = "https://keyturn.example.com/slack"


def made(mode: Mode, **given: Any) -> dict[str, Any]:
    value = manifest(mode, **given)
    assert isinstance(value, dict)
    return dict(value)


@pytest.mark.parametrize(
    ("file", "mode", "base_url"),
    [("socket.json", Mode.SOCKET, None), ("http.json", Mode.HTTP, BASE_URL)],
)
def test_the_files_are_what_the_command_writes(file: str, mode: Mode, base_url: str | None) -> None:
    written = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    assert written == made(mode, base_url=base_url)


def test_every_scope_and_its_reason_stand_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = {**SCOPES, **OPTIONAL_SCOPES}
    assert [
        scope for scope, why in rows.items() if f"`{scope}`" not in text or why not in text
    ] == []


def test_what_the_fake_gives_the_app_is_what_the_manifest_asks_for() -> None:
    assert {*SCOPES, *OPTIONAL_SCOPES} == BOT_SCOPES


def test_nothing_is_asked_for_that_reads_or_writes_where_it_was_not_invited() -> None:
    asked = {*SCOPES, *OPTIONAL_SCOPES}
    too_much = ("channels:", "groups:", "mpim:", "files:", "admin", "chat:write.")
    assert [scope for scope in asked if scope.startswith(too_much)] == []


def test_nobody_can_approve_by_typing() -> None:
    assert made(Mode.SOCKET)["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": True,
    }


def test_in_socket_mode_no_address_of_ours_is_told() -> None:
    assert "http" not in json.dumps(made(Mode.SOCKET))
    assert made(Mode.SOCKET)["settings"]["socket_mode_enabled"] is True


def test_in_http_mode_clicks_events_and_commands_come_to_one_address() -> None:
    app = made(Mode.HTTP, base_url=BASE_URL)
    assert app["settings"]["interactivity"]["request_url"] == f"{BASE_URL}/events"
    assert app["settings"]["event_subscriptions"]["request_url"] == f"{BASE_URL}/events"
    assert app["features"]["slash_commands"][0]["url"] == f"{BASE_URL}/events"
    assert app["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)


def test_several_workspaces_come_back_to_our_address_after_installing() -> None:
    app = made(Mode.HTTP, base_url=BASE_URL, installs=True)
    assert app["oauth_config"]["redirect_urls"] == [f"{BASE_URL}/oauth"]
    assert app["settings"]["org_deploy_enabled"] is True


@pytest.mark.parametrize("given", [{"mode": Mode.HTTP}, {"mode": Mode.SOCKET, "installs": True}])
def test_an_address_that_is_needed_and_missing_is_told(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not known"):
        manifest(**given)


def test_the_texts_fit_what_slack_allows() -> None:
    app = made(Mode.HTTP, base_url=BASE_URL)
    shown, (shortcut,) = app["display_information"], app["features"]["shortcuts"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4_000
    assert len(shortcut["name"]) <= 24
    assert len(app["features"]["slash_commands"][0]["command"]) <= 32


def test_settings_that_cannot_be_used_are_told_in_words(tmp_path: Path) -> None:
    config = tmp_path / "keyturn.yaml"
    config.write_text("chats: {slack: 3}\n", encoding="utf-8")
    ended = CliRunner().invoke(keyturn, ["slack", "manifest", "--config", str(config)])
    assert ended.exit_code == 3
    assert "chats.slack: 3 is not a section" in ended.stderr
    assert "Traceback" not in ended.stderr
