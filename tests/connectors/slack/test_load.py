"""A section either loads, or everything that is wrong with it is named with its place."""

from pathlib import Path
from typing import Any

import pytest

from bot.chosen import choose_connector
from bot.core.errors import SettingsInvalid
from bot.core.verbs import Kind
from bot.settings import load
from bot.system_clock import SystemClock
from tests.connectors.slack.sections import SECRET, connect, section


def problems(*, token: str = SECRET, **changed: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as raised:
        connect(section(**changed), token=token)
    assert token not in str(raised.value.problems)
    return raised.value.problems


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"team": None}, "team"),
        ({"team": "E0GRID"}, "team"),
        ({"team": "acme"}, "team"),
        ({"credential": None}, "credential"),
        ({"credential": {"token": "x"}}, "credential.reference"),
        ({"prefix": "Slack Two"}, "prefix"),
        ({"mentions": "yes"}, "mentions"),
        ({"undo_window_s": 1}, "undo_window_s"),
        ({"timeout_s": 31}, "timeout_s"),
        ({"api_url": "http://slack.com/api/"}, "api_url"),
        ({"channel": "C0HELP"}, "channel"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changed: dict[str, Any], place: str) -> None:
    places = [one.partition(": ")[0] for one in problems(**changed)]
    assert f"connectors.slack.{place}" in places


@pytest.mark.parametrize("token", ["xapp-1-A0-1-abcdefgh", "xoxp-123-abcdefgh", "xoxb", "a\nb"])
def test_a_token_that_is_no_bots_refuses_to_load(token: str) -> None:
    assert problems(token=token)[0].startswith("connectors.slack.credential: ")


def test_the_settings_choose_it_by_its_type() -> None:
    made = choose_connector(
        "talk", section(prefix="talk"), secrets=lambda _: SECRET, clock=SystemClock()
    )
    kinds = {name: verb.kind for name, verb in made.verbs.items()}
    assert kinds == {
        "talk.post": Kind.WRITE,
        "talk.reply": Kind.WRITE,
        "talk.update": Kind.WRITE,
        "talk.delete": Kind.DESTRUCTIVE,
    }
    undone = {name: verb.undo.verb if verb.undo else None for name, verb in made.verbs.items()}
    assert undone == {
        "talk.post": "talk.delete",
        "talk.reply": "talk.delete",
        "talk.update": "talk.update",
        "talk.delete": None,
    }
    assert not any(verb.idempotent for verb in made.verbs.values())


@pytest.mark.parametrize(
    "changed",
    [
        {"team": "T0OTHER"},
        {"mentions": True},
        {"api_url": "https://slack-gov.com/api/"},
        {"credential": {"reference": "env:OTHER"}},
    ],
)
def test_an_approval_binds_the_whole_section(changed: dict[str, Any]) -> None:
    first, other = connect(section()), connect(section(**changed))
    assert first.verbs["slack.post"].config_digest != other.verbs["slack.post"].config_digest


def test_the_token_of_the_chat_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keyturn.yaml"
    file.write_text("""
deployment: acme-keyturn
data_dir: data
policy: policy.yaml
chats:
  slack: {bot_token: env:SLACK_TOKEN, app_token: env:SLACK_APP, team: T0ACME}
connectors:
  slack: {type: slack, team: T0ACME, credential: {reference: env:SLACK_TOKEN}}
""")
    with pytest.raises(SettingsInvalid) as raised:
        load(file, {})
    (problem,) = raised.value.problems
    assert "connectors.slack.credential.reference" in problem
    assert "chats.slack" in problem
