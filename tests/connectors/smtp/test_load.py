"""A section either loads, or everything that is wrong with it is named with its place."""

from typing import Any

import pytest

from bot.chosen import choose_connector
from bot.core.errors import SettingsInvalid
from bot.system_clock import SystemClock
from tests.connectors.smtp.sections import connect, keep, section


def problems(**changed: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as raised:
        connect(section(**changed))
    return raised.value.problems


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"host": None}, "host"),
        ({"host": "http://mx.example.org"}, "host"),
        ({"security": "none"}, "security"),
        ({"own_domains": []}, "own_domains"),
        ({"own_domains": ["*.example.org"]}, "own_domains[0]"),
        ({"own_domains": ["org"]}, "own_domains[0]"),
        ({"from": []}, "from"),
        ({"from": ["Ana <ana@example.org>"]}, "from[0]"),
        ({"from": ["a*@example.org"]}, "from"),
        ({"from_name": "Ana\r\nBcc: all@example.org"}, "from_name"),
        ({"credential": {"user": "ana", "password": "x"}}, "credential.reference"),
        ({"max_recipients": 0}, "max_recipients"),
        ({"max_recipients": 101}, "max_recipients"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"security": "off"}, "security"),
        ({"port": 70_000}, "port"),
        ({"verb": "Mail Send"}, "verb"),
        ({"verify": False}, "verify"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changed: dict[str, Any], place: str) -> None:
    places = [one.partition(": ")[0] for one in problems(**changed)]
    assert f"connectors.mail.{place}" in places


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "127.0.0.1", "allow_private": False},
        {"host": "169.254.169.254"},
        {"host": "127.1"},
        {"host": "2130706433"},
        {"host": "mx.example.org:25"},
        {"host": "smtp://mx.example.org"},
        {"security": "none"},
        {"security": "none", "host": "10.0.0.5"},
        {"security": "none", "host": "localhost", "allow_private": False},
    ],
)
def test_a_host_where_no_mail_may_go_refuses_to_load(changed: dict[str, Any]) -> None:
    assert problems(**changed)


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems(port="25", timeout_s=-1, extra=1)) == 3


@pytest.mark.parametrize("secret", ["", "sh0rt", "two\nlines of it", "pässwörter"])
def test_a_password_that_cannot_be_kept_secret_refuses_to_load(secret: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        choose_connector("mail", section(), secrets=lambda _: secret, clock=SystemClock())
    assert not secret or secret not in str(raised.value.problems)


def test_the_settings_choose_it_by_its_type() -> None:
    chosen = choose_connector("post", section(), secrets=keep, clock=SystemClock())
    verb = chosen.verbs["mail.send"]
    assert verb.connector == "post"
    assert verb.resources == ("mail:agent@example.org",)
    assert not verb.can_look_up
    assert not verb.idempotent


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "mx2.example.org"},
        {"own_domains": ["example.org", "example.net"]},
        {"from_name": "Somebody"},
        {"security": "tls"},
        {"credential": {"user": "other", "reference": "env:MAIL_PASSWORD"}},
        {"credential": {"user": "agent@example.org", "reference": "env:OTHER"}},
    ],
)
def test_an_approval_binds_the_whole_section(changed: dict[str, Any]) -> None:
    first, other = connect(section()), connect(section(**changed))
    one, two = first.verbs["mail.send"], other.verbs["mail.send"]
    assert one.config_digest != two.config_digest
    assert connect(section()).verbs["mail.send"].config_digest == one.config_digest
