"""A section either loads, or everything that is wrong with it is named with its place."""

from pathlib import Path
from typing import Any

import pytest

from adapters.teams.testing.issuer import APP_PASSWORD
from bot.chosen import choose_connector
from bot.core.errors import SettingsInvalid
from bot.core.verbs import Kind
from bot.settings import load
from bot.system_clock import SystemClock
from tests.connectors.teams.sections import connect, section

OTHER = "0a1b2c3d-0000-4000-8000-00000000ffff"


def problems(*, secret: str = APP_PASSWORD, **changed: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as raised:
        connect(section(**changed), secret=secret)
    assert secret not in str(raised.value.problems)
    return raised.value.problems


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"app_id": None}, "app_id"),
        ({"app_id": "keyturn-writer"}, "app_id"),
        ({"tenant": "acme.onmicrosoft.com"}, "tenant"),
        ({"credential": None}, "credential"),
        ({"credential": {}}, "credential"),
        ({"credential": {"reference": "env:X"}}, "credential.reference"),
        (
            {"credential": {"app_password": "env:X", "managed_identity": True}},
            "credential",
        ),
        ({"prefix": "Teams Two"}, "prefix"),
        ({"undo_window_s": 1}, "undo_window_s"),
        ({"timeout_s": 31}, "timeout_s"),
        ({"service_url": "http://smba.trafficmanager.net/teams/"}, "service_url"),
        ({"login_url": "login.microsoftonline.com"}, "login_url"),
        ({"team": "19:x@thread.tacv2"}, "team"),
        ({"package": {"developer": "Acme"}}, "package.website_url"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changed: dict[str, Any], place: str) -> None:
    places = [one.partition(": ")[0] for one in problems(**changed)]
    assert f"connectors.teams.{place}" in places


def test_a_host_that_is_not_microsofts_has_to_be_meant() -> None:
    elsewhere = "https://smba.evil.example/teams/"
    (problem,) = problems(service_url=elsewhere)
    assert "smba.evil.example" in problem
    assert connect(section(service_url=elsewhere, service_urls=["smba.evil.example"])).verbs


@pytest.mark.parametrize("secret", ["short", "two\nlines-of-a-secret", "", OTHER])
def test_a_password_that_is_none_refuses_to_load(secret: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        connect(section(), secret=secret)
    assert raised.value.problems[0].startswith("connectors.teams.credential.app_password: ")


def test_a_certificate_without_its_key_refuses_to_load() -> None:
    (problem,) = problems(
        secret="-----BEGIN CERTIFICATE-----", credential={"certificate": "file:bot.pem"}
    )
    assert problem.startswith("connectors.teams.credential.certificate: ")
    assert "private key" in problem


def test_the_settings_choose_it_by_its_type() -> None:
    made = choose_connector(
        "talk", section(prefix="talk"), secrets=lambda _: APP_PASSWORD, clock=SystemClock()
    )
    kinds = {name: verb.kind for name, verb in made.verbs.items()}
    assert kinds == {
        "talk.post": Kind.WRITE,
        "talk.reply": Kind.WRITE,
        "talk.edit": Kind.WRITE,
        "talk.delete": Kind.DESTRUCTIVE,
    }
    undone = {name: verb.undo.verb if verb.undo else None for name, verb in made.verbs.items()}
    assert undone == {
        "talk.post": "talk.delete",
        "talk.reply": "talk.delete",
        "talk.edit": "talk.edit",
        "talk.delete": None,
    }


def test_only_what_may_be_done_twice_is_repeated_after_a_crash() -> None:
    repeats = {name for name, verb in connect(section()).verbs.items() if verb.idempotent}
    assert repeats == {"teams.edit", "teams.delete"}


@pytest.mark.parametrize(
    "changed",
    [
        {"app_id": OTHER},
        {"tenant": OTHER},
        {"service_url": "https://smba.infra.gcc.teams.microsoft.com/teams/"},
        {"credential": {"app_password": "env:OTHER"}},
    ],
)
def test_an_approval_binds_the_whole_section(changed: dict[str, Any]) -> None:
    first, other = connect(section()), connect(section(**changed))
    assert first.verbs["teams.post"].config_digest != other.verbs["teams.post"].config_digest


def test_what_the_app_tells_about_itself_ends_no_approval() -> None:
    told = {"developer": "Acme"} | {
        f"{page}_url": "https://acme.net" for page in ("website", "privacy", "terms")
    }
    first, other = connect(section()), connect(section(package=told))
    assert first.verbs["teams.post"].config_digest == other.verbs["teams.post"].config_digest


def test_the_credential_of_the_chat_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keyturn.yaml"
    file.write_text(f"""
deployment: acme-keyturn
data_dir: data
policy: policy.yaml
chats:
  teams: {{app_id: {OTHER}, tenant: {OTHER}, app_password: env:TEAMS_SECRET}}
connectors:
  teams:
    type: teams
    app_id: {OTHER}
    tenant: {OTHER}
    credential: {{app_password: env:TEAMS_SECRET}}
""")
    with pytest.raises(SettingsInvalid) as raised:
        load(file, {})
    (problem,) = raised.value.problems
    assert "connectors.teams.credential.app_password" in problem
    assert "chats.teams" in problem
