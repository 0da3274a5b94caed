"""What is wrong with the section is told at once, by name, and never with the credential."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.teams.config import SERVICE_HOSTS, ChatSection
from adapters.teams.load import create
from bot.core.errors import SettingsInvalid
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from store.memory.shelf import MemoryShelf
from tests.teams.stage import NOW, DeskIdentities
from tests.teams.test_credentials import certified

APP = "0a1b2c3d-0000-4000-8000-00000000b07a"
TENANT = "72f0a1b2-0000-4000-8000-000000ace100"
PEM, _ = certified()
KEPT = {
    "env:PASSWORD": "kT8~sample.client.secret-that-is-nobodys_0Zq",
    "env:ID_OF_PASSWORD": "11111111-2222-4333-8444-555555555555",
    "env:SHORT": "short",
    "env:EMPTY": "",
    "file:certificate.pem": PEM,
    "file:key_alone.pem": PEM.partition("-----BEGIN CERTIFICATE-----")[0],
}
GOOD: dict[str, Any] = {"app_id": APP, "tenant": TENANT, "app_password": "env:PASSWORD"}


def make(section: Mapping[str, object], *, web_url: str | None = "https://k.example") -> list[str]:
    """Return what is wrong with *section*."""
    clock = ManualClock(NOW)

    def secret(reference: str) -> str:
        if reference not in KEPT:
            raise SettingsInvalid("No.", problems=["there is no such variable. Set it"])
        return KEPT[reference]

    try:
        create(
            "teams",
            section,
            shelf=MemoryShelf(clock=clock),
            clock=clock,
            identities=DeskIdentities(MemoryDesk(clock=clock)),
            web_url=web_url,
            secrets=secret,
        )
    except SettingsInvalid as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(
    "section",
    [
        GOOD,
        {**GOOD, "app_id": APP.upper(), "tenants": [TENANT.upper()]},
        {**GOOD, "app_password": None, "certificate": "file:certificate.pem"},
        {**GOOD, "app_password": None, "managed_identity": True},
        {**GOOD, "install_for_people": True, "catalog_app_id": APP},
        {**GOOD, "service_urls": ["teams.example.net"], "public_path": "/chat/teams"},
        {
            **GOOD,
            "service_url": "http://127.0.0.1:3000/teams",
            "metadata_url": "http://127.0.0.1:3000/metadata",
            "login_url": "http://localhost:3000",
            "graph_url": "http://[::1]:3000",
        },
    ],
)
def test_a_whole_section_makes_a_chat(section: Mapping[str, object]) -> None:
    assert make(_given(section)) == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no app": ({**GOOD, "app_id": None}, "chats.teams.app_id: this is missing"),
    "no tenant": ({**GOOD, "tenant": None}, "chats.teams.tenant: this is missing"),
    "an empty app id": ({**GOOD, "app_id": ""}, "chats.teams.app_id: write the id"),
    "a tenant by its domain": ({**GOOD, "tenant": "example.net"}, "chats.teams.tenant: write"),
    "people of no tenant": ({**GOOD, "tenants": ["x"]}, "chats.teams.tenants[0]: write the id"),
    "no credential": ({**GOOD, "app_password": None}, "a credential is missing"),
    "two credentials": ({**GOOD, "managed_identity": True}, "more than one credential"),
    "an unknown variable": ({**GOOD, "app_password": "env:NO"}, "chats.teams.app_password: there"),
    "an empty password": ({**GOOD, "app_password": "env:EMPTY"}, "chats.teams.app_password"),
    "a short password": ({**GOOD, "app_password": "env:SHORT"}, "40 characters"),
    "the id of a password": (
        {**GOOD, "app_password": "env:ID_OF_PASSWORD"},
        "the id of a client secret",
    ),
    "a key without its certificate": (
        {**GOOD, "app_password": None, "certificate": "file:key_alone.pem"},
        "no certificate in PEM",
    ),
    "a password in place of a certificate": (
        {**GOOD, "app_password": None, "certificate": "env:PASSWORD"},
        "no private key in PEM",
    ),
    "installing what has no id": ({**GOOD, "install_for_people": True}, "catalog_app_id"),
    "graph in the clear": ({**GOOD, "graph_url": "http://graph.example"}, "https://"),
    "keys in the clear": ({**GOOD, "metadata_url": "http://keys.example/m"}, "https://"),
    "a login that is none": ({**GOOD, "login_url": "entra"}, "should be an address"),
    "an address with a question": ({**GOOD, "graph_url": "https://g.example/?x"}, "graph_url"),
    "a service of nobody": (
        {**GOOD, "service_url": "https://smba.example.net/teams/"},
        "add smba.example.net to service_urls",
    ),
    "a host with its scheme": (
        {**GOOD, "service_urls": ["https://smba.example.net"]},
        "chats.teams.service_urls[0]: write the name of a host alone",
    ),
    "a host of all": ({**GOOD, "service_urls": ["net"]}, "chats.teams.service_urls[0]"),
    "a host with a port": ({**GOOD, "service_urls": ["a.example:80"]}, "service_urls[0]"),
    "an unknown key": ({**GOOD, "bot_token": "x"}, "chats.teams.bot_token: there is no such key"),
    "a path with dots": ({**GOOD, "public_path": "/../x"}, "chats.teams.public_path: write a path"),
    "a number for text": ({**GOOD, "app_id": 5}, "chats.teams.app_id: this should be"),
}


@pytest.mark.parametrize(("section", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(section: dict[str, Any], words: str) -> None:
    problems = make(_given(section))
    assert any(words in problem for problem in problems), problems
    for secret in KEPT.values():
        assert not secret or not any(secret in problem for problem in problems)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    problems = make({"app_id": "x", "app_password": "env:SHORT", "more": 1}, web_url=None)
    assert len(problems) == 5


def test_without_the_web_inbox_there_is_no_way_to_read_what_does_not_fit() -> None:
    (problem,) = make(GOOD, web_url=None)
    assert "Add `web: {}` under chats" in problem


def test_people_are_those_of_the_apps_own_organisation_unless_others_are_named() -> None:
    other = "5e1f0000-0000-4000-8000-00000000e15e"
    assert ChatSection.model_validate(GOOD).people_of == {TENANT}
    assert ChatSection.model_validate({**GOOD, "tenants": [other]}).people_of == {other}


def test_a_host_that_is_named_joins_microsofts() -> None:
    section = ChatSection.model_validate({**GOOD, "service_urls": ["teams.example.net"]})
    assert section.hosts == SERVICE_HOSTS | {"teams.example.net"}


def test_the_bot_without_teams_does_not_load_it(repo: Path) -> None:
    code = (
        "import sys, bot.main, bot.cli; print([m for m in sys.modules"
        " if m.startswith(('adapters.teams', 'botbuilder', 'botframework', 'msal', 'msrest'))])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repo
    )
    assert told.stdout.strip() == "[]"


def _given(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if value is not None}
