"""Each misconfiguration is planted in a Slack of its own, and the doctor names its setting."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.config import ChatSection
from adapters.slack.doctor import CANARY, Around, Credentials, Doctor
from adapters.slack.manifest import OPTIONAL_SCOPES, SCOPES
from adapters.slack.testing import FakeSlack, Mode, open_fake_slack
from bot.core.look import Health, Look
from tests.cli.deployments import make_deployment
from tests.slack.stage import section_of

WHOLE = frozenset({*SCOPES, *OPTIONAL_SCOPES})
PUBLIC = "https://keyturn.acme.net"


@dataclass
class Setup:
    """A deployment and its Slack, both well until something is planted."""

    slack: FakeSlack
    changes: dict[str, Any] = field(default_factory=dict)
    bot_token: str = ""
    app_token: str = ""
    signing_secret: str = ""
    public_url: str = PUBLIC
    groups: tuple[str, ...] = ()
    writers: dict[str, tuple[str, str]] = field(default_factory=dict)
    canary: str | None = None
    clock_is_ahead_s: float = 0.0

    async def looks(self, *, waits_s: float = 0.0) -> list[Look]:
        section = ChatSection.model_validate(section_of(self.slack, **self.changes))
        credentials = Credentials(
            bot_token=self.bot_token, app_token=self.app_token, signing_secret=self.signing_secret
        )
        around = Around(public_url=self.public_url, groups=self.groups, writers=self.writers)
        doctor = Doctor(
            "slack",
            section,
            credentials,
            around,
            now=lambda: time.time() + self.clock_is_ahead_s,
        )
        return [one async for one in doctor.examine(canary=self.canary, waits_s=waits_s)]


def well(slack: FakeSlack) -> Setup:
    slack.token.scopes = WHOLE
    return Setup(
        slack,
        bot_token=slack.bot_token,
        app_token=slack.app_token,
        signing_secret=slack.signing_secret,
    )


def writer(setup: Setup, scopes: set[str]) -> str:
    token = setup.slack.new_token(setup.slack.team, scopes=sorted(scopes))
    setup.slack.world.tokens[token.value] = token
    return token.value


def lacks(scope: str) -> Callable[[Setup], None]:
    def plant(setup: Setup) -> None:
        setup.slack.token.scopes = WHOLE - {scope}

    return plant


def another_token(setup: Setup) -> None:
    setup.bot_token = "xoxb-of-nobody-at-all"


def revoked(setup: Setup) -> None:
    setup.slack.token.is_revoked = True


def another_team(setup: Setup) -> None:
    setup.changes["team"] = "T0OTHER"


def nothing_there(setup: Setup) -> None:
    setup.changes["api_url"] = "http://127.0.0.1:9/api/"


def too_many_scopes(setup: Setup) -> None:
    setup.slack.token.scopes = WHOLE | {"chat:write.public"}


def another_app_token(setup: Setup) -> None:
    setup.app_token = "xapp-1-A0OTHER-1-0123456789"


def no_socket_mode(setup: Setup) -> None:
    setup.slack.faults.refuse("apps.connections.open", "socket_mode_is_off")


def app_token_without_scope(setup: Setup) -> None:
    setup.slack.faults.refuse("apps.connections.open", "missing_scope")


def messages_tab_off(setup: Setup) -> None:
    setup.slack.world.has_messages_tab = False
    setup.canary = setup.slack.add_account("Dana").id


def deactivated(setup: Setup) -> None:
    setup.canary = setup.slack.add_account("Dana", deleted=True).id


def unknown_group(setup: Setup) -> None:
    setup.groups = ("S0NOBODY",)


def free_plan(setup: Setup) -> None:
    setup.groups = (setup.slack.add_group("ops", []),)
    setup.slack.world.is_on_paid_plan = False


def group_unreadable(setup: Setup) -> None:
    setup.groups = (setup.slack.add_group("ops", []),)
    lacks("usergroups:read")(setup)


def shared_token(setup: Setup) -> None:
    setup.writers["connectors.talk"] = (setup.bot_token, setup.slack.team.id)


def writer_elsewhere(setup: Setup) -> None:
    token = writer(setup, {"chat:write", "channels:read"})
    setup.writers["connectors.talk"] = (token, "T0OTHER")


def writer_without_scope(setup: Setup) -> None:
    token = writer(setup, {"chat:write"})
    setup.writers["connectors.talk"] = (token, setup.slack.team.id)


def writer_revoked(setup: Setup) -> None:
    setup.writers["connectors.talk"] = ("xoxb-gone-gone-gone", setup.slack.team.id)


PLANTS: dict[str, tuple[Callable[[Setup], None], str, str, Health]] = {
    "a token Slack does not know": (
        another_token, "chats.slack.bot_token", "invalid_auth", Health.FAIL),
    "a revoked token": (revoked, "chats.slack.bot_token", "token_revoked", Health.FAIL),
    "another workspace": (another_team, "chats.slack.team", "T0OTHER", Health.FAIL),
    "no Slack there": (nothing_there, "chats.slack.api_url", "answers", Health.FAIL),
    "cannot write": (lacks("chat:write"), "chats.slack.bot_token", "chat:write", Health.FAIL),
    "no commands": (lacks("commands"), "chats.slack.bot_token", "commands", Health.FAIL),
    "cannot see people": (lacks("users:read"), "chats.slack.bot_token", "users:read", Health.FAIL),
    "cannot find a card again": (
        lacks("im:history"), "chats.slack.bot_token", "im:history", Health.FAIL),
    "cannot read groups": (
        lacks("usergroups:read"), "chats.slack.bot_token", "usergroups:read", Health.WARN),
    "can do too much": (
        too_many_scopes, "chats.slack.bot_token", "chat:write.public", Health.WARN),
    "a wrong app token": (
        another_app_token, "chats.slack.app_token", "does not accept", Health.FAIL),
    "Socket Mode is off": (no_socket_mode, "chats.slack.mode", "no socket", Health.FAIL),
    "an app token without its permission": (
        app_token_without_scope, "chats.slack.app_token", "connections:write", Health.FAIL),
    "no Messages tab": (
        messages_tab_off, "chats.slack.bot_token", "Messages tab is off", Health.FAIL),
    "a deactivated account": (
        deactivated, "chats.slack.bot_token", "user_disabled", Health.FAIL),
    "a group that is none": (unknown_group, "policy", "S0NOBODY", Health.FAIL),
    "groups without a paid plan": (free_plan, "policy", "plan_upgrade_required", Health.FAIL),
    "groups that may not be read": (
        group_unreadable, "chats.slack.bot_token", "usergroups:read", Health.FAIL),
    "one token for both": (
        shared_token, "connectors.talk.credential", "chats.slack too", Health.FAIL),
    "a connector elsewhere": (writer_elsewhere, "connectors.talk.team", "T0OTHER", Health.FAIL),
    "a connector that sees no channel": (
        writer_without_scope, "connectors.talk.credential", "channels:read", Health.FAIL),
    "a connector's token is gone": (
        writer_revoked, "connectors.talk.credential", "does not accept", Health.FAIL),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
async def test_a_planted_misconfiguration_is_named(name: str) -> None:
    plant, setting, says, health = PLANTS[name]
    async with open_fake_slack() as slack:
        setup = well(slack)
        plant(setup)
        looks = await setup.looks()
    told = [one for one in looks if one.setting == setting and says in one.what]
    assert told, looks
    assert {one.health for one in told} == {health}
    assert all(one.remedy for one in looks if one.health is not Health.OK)
    others = [one for one in looks if one.health is not Health.OK and one not in told]
    assert others == []
    said = "".join(f"{one.what} {one.remedy}" for one in looks)
    assert not {slack.bot_token, slack.app_token, slack.signing_secret} & set(said.split())


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_slack_that_is_well_has_nothing_to_say(mode: Mode) -> None:
    async with open_fake_slack(mode) as slack:
        setup = well(slack)
        setup.groups = (slack.add_group("ops", []),)
        token = writer(setup, {"chat:write", "channels:read"})
        setup.writers["connectors.talk"] = (token, slack.team.id)
        setup.canary = slack.add_account("Dana").id
        looks = await setup.looks()
        assert slack.world.messages == []
    assert {one.health for one in looks} == {Health.OK}, looks


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"signing_secret": "0123456789abcdef"}, "chats.slack.signing_secret"),
        ({"public_url": "http://127.0.0.1:8081"}, "public_url"),
        ({"public_url": "http://keyturn.acme.net"}, "public_url"),
        ({"public_url": "https://localhost"}, "public_url"),
    ],
)
async def test_what_http_mode_needs_is_named(changed: dict[str, str], setting: str) -> None:
    async with open_fake_slack(Mode.HTTP) as slack:
        setup = well(slack)
        for name, value in changed.items():
            setattr(setup, name, value)
        looks = await setup.looks()
    assert [one.setting for one in looks if one.health is Health.FAIL] == [setting]


@pytest.mark.parametrize(
    ("ahead_s", "mode", "health"),
    [
        (400, Mode.HTTP, Health.FAIL),
        (-400, Mode.HTTP, Health.FAIL),
        (400, Mode.SOCKET, Health.WARN),
    ],
)
async def test_a_clock_that_is_wrong_is_named(ahead_s: float, mode: Mode, health: Health) -> None:
    async with open_fake_slack(mode) as slack:
        setup = well(slack)
        setup.clock_is_ahead_s = ahead_s
        looks = await setup.looks()
    assert [(one.setting, one.health) for one in looks if one.health is not Health.OK] == [
        ("clock", health)
    ]


async def test_the_canary_is_pressed_changed_and_taken_away() -> None:
    async with open_fake_slack() as slack:
        setup, dana = well(slack), slack.add_account("Dana")
        setup.canary = dana.id
        hand = slack.hand(dana)
        looking = asyncio.create_task(setup.looks(waits_s=20))
        card = await slack.until(lambda: next(iter(hand.messages()), None))
        assert (await hand.press(card, CANARY)).is_acked
        looks = await looking
        assert slack.world.messages == []
        assert len(slack.called("chat.update")) == 1
    assert "pressed it" in looks[-1].what


async def test_a_canary_that_nobody_presses_is_told() -> None:
    async with open_fake_slack() as slack:
        setup = well(slack)
        setup.canary = slack.add_account("Dana").id
        looks = await setup.looks(waits_s=0.2)
        (card,) = slack.world.messages
        assert card.blocks == []
    assert looks[-1].health is Health.WARN
    assert "no click came back" in looks[-1].what


async def test_the_command_says_the_same_of_a_deployment(tmp_path: Path) -> None:
    async with open_fake_slack() as slack:
        slack.token.scopes = WHOLE - {"commands"}
        deployment = await asyncio.to_thread(make_deployment, tmp_path / "keyturn-data")
        deployment.environment |= {"BOT": slack.bot_token, "APP": slack.app_token}
        text = deployment.config.read_text()
        chats = json.dumps({"slack": section_of(slack), "web": {}})
        deployment.config.write_text(text.replace("chats:\n  web: {}\n", f"chats: {chats}\n"))
        await asyncio.to_thread(deployment.done, "person", "create", "dana")
        words = ("doctor", "slack", "--canary", "dana", "--json")
        ran = await asyncio.to_thread(deployment.run, *words)
    assert ran.returncode == 1, ran.stderr
    found = json.loads(ran.stdout)["findings"]
    bad = {one["setting"]: one["what"] for one in found if one["status"] != "ok"}
    assert bad == {
        "chats.slack.bot_token": "the app lacks the permission commands",
        "--canary": "no Slack account is linked to dana",
    }
