"""What is wrong with the section is told at once, by name, and never with the credential."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.load import create
from adapters.slack.testing import Mode
from bot.core.errors import SettingsInvalid
from bot.ports.chat import Undeliverable
from bot.testing.chat import Play
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from store.memory.shelf import MemoryShelf
from tests.slack.stage import NOW, DeskIdentities, stage_of

KEPT = {
    "env:BOT": "xoxb-" + "1" * 20,
    "env:APP": "xapp-" + "1" * 20,
    "env:SIGNING": "0123456789abcdef" * 2,
    "env:CLIENT_ID": "123.456",
    "env:CLIENT_SECRET": "0123456789abcdef" * 2,
    "env:EMPTY": "",
    "env:OTHER": "a-secret-of-another-kind",
}
GOOD: dict[str, Any] = {"bot_token": "env:BOT", "app_token": "env:APP", "team": "T0123"}
OAUTH = {"client_id": "env:CLIENT_ID", "client_secret": "env:CLIENT_SECRET", "app_token": "env:APP"}


def make(section: Mapping[str, object]) -> list[str]:
    """Return what is wrong with *section*."""
    clock = ManualClock(NOW)
    try:
        create(
            "slack",
            section,
            shelf=MemoryShelf(clock=clock),
            clock=clock,
            identities=DeskIdentities(MemoryDesk(clock=clock)),
            public_url="https://keyturn.example.net",
            web_url=None,
            secrets=KEPT.__getitem__,
        )
    except SettingsInvalid as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(
    "section",
    [
        GOOD,
        {**GOOD, "mode": "http", "signing_secret": "env:SIGNING"},
        {**GOOD, "link_by_email": True, "public_path": "/chat/slack"},
        {**OAUTH, "teams": ["T0123", "E0456"]},
        {**GOOD, "api_url": "http://127.0.0.1:3000/api"},
    ],
)
def test_a_whole_section_makes_a_chat(section: Mapping[str, object]) -> None:
    assert make(section) == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no app token": ({**GOOD, "app_token": None}, "app_token"),
    "no bot token": ({**GOOD, "bot_token": None}, "bot_token"),
    "no team": ({**GOOD, "team": None}, "team"),
    "no signing secret": ({**GOOD, "mode": "http"}, "signing_secret"),
    "an empty signing secret": (
        {**GOOD, "mode": "http", "signing_secret": "env:EMPTY"},
        "chats.slack.signing_secret",
    ),
    "an empty bot token": ({**GOOD, "bot_token": "env:EMPTY"}, "chats.slack.bot_token"),
    "tokens that were swapped": (
        {**GOOD, "bot_token": "env:APP", "app_token": "env:BOT"},
        "a bot token begins with xoxb-",
    ),
    "another secret": ({**GOOD, "app_token": "env:OTHER"}, "begins with xapp-"),
    "a client id alone": ({**GOOD, "client_id": "env:CLIENT_ID"}, "client_secret"),
    "nobody who may install": (OAUTH, "teams"),
    "a bot token that installing brings": (
        {**OAUTH, "teams": ["T0123"], "bot_token": "env:BOT"},
        "installing brings the bot token",
    ),
    "a team by its name": ({**GOOD, "team": "example"}, "write the id of a workspace"),
    "an API in the clear": ({**GOOD, "api_url": "http://slack.example.net/api/"}, "https://"),
    "an API that is none": ({**GOOD, "api_url": "slack"}, "https://slack.com/api/"),
    "a wrong mode": ({**GOOD, "mode": "rtm"}, "chats.slack.mode"),
    "an unknown key": ({**GOOD, "tokens": "x"}, "chats.slack.tokens"),
    "a path with dots": ({**GOOD, "public_path": "/../x"}, "chats.slack.public_path"),
}


@pytest.mark.parametrize(("section", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(section: dict[str, Any], words: str) -> None:
    problems = make({name: value for name, value in section.items() if value is not None})
    assert any(words in problem for problem in problems)
    for secret in filter(None, KEPT.values()):
        assert not any(secret in problem for problem in problems)


def test_the_bot_without_slack_does_not_load_it(repo: Path) -> None:
    code = "import sys, bot.main, bot.cli; print([m for m in sys.modules if 'slack' in m])"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repo
    )
    assert told.stdout.strip() == "[]"


TRAPS = {
    "SLACK_BOT_TOKEN": "xoxb-of-somebody-else",
    "SLACK_SIGNING_SECRET": "of-somebody-else",
    "SLACK_APP_TOKEN": "xapp-of-somebody-else",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "of-somebody-else",
    "SLACK_REDIRECT_URI": "https://elsewhere.example.net/",
    "SLACK_SCOPES": "admin",
    "SLACK_USER_SCOPES": "admin",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_nothing_is_taken_from_the_environment(repo: Path, tmp_path: Path, mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.slack.one_click", mode],
        capture_output=True,
        text=True,
        check=False,
        cwd=repo,
        env={**TRAPS, "HOME": str(tmp_path), "PYTHONPATH": f"{repo}"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1 click"
    assert list(tmp_path.iterdir()) == []


async def test_a_token_of_another_workspace_posts_nothing_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage_of(Mode.SOCKET, team="T0ANOTHER") as stage:
        stage.identities.enroll = stage.enroll
        play = Play(stage)
        with pytest.raises(Undeliverable):
            await play.post(play.proposal(1))
    assert "another workspace than chats.slack.team" in caplog.text
