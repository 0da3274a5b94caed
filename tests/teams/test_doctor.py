"""Each misconfiguration is planted in a Teams of its own, and the doctor names its setting."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from adapters.teams.config import ChatSection
from adapters.teams.credentials import Certificate, Password, Proof
from adapters.teams.doctor import VERB, Account, Around, Doctor, Listener, Writer
from adapters.teams.testing import FakeTeams, open_fake_teams
from adapters.teams.testing.faults import Trouble
from adapters.teams.testing.issuer import APP_PASSWORD, SigningPair
from bot.core.look import Health, Look
from tests.cli.deployments import make_deployment

PUBLIC = "https://keyturn.acme.net"
OTHER = "0a1b2c3d-0000-4000-8000-00000000ffff"
GROUP = "0a1b2c3d-0000-4000-8000-000000009000"
NOWHERE = "http://127.0.0.1:9/"


class Bot:
    """Whatever answers at the bot's address; it refuses strangers, as the bot does."""

    def __init__(self) -> None:
        self.status = 401
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        return web.Response(status=self.status)


@asynccontextmanager
async def answering() -> AsyncIterator[Bot]:
    bot = Bot()
    app = web.Application()
    app.add_routes([web.post("/teams/messages", bot.receive)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bot
    finally:
        await runner.cleanup()


@dataclass
class Setup:
    """A deployment and its Teams, both well until something is planted."""

    teams: FakeTeams
    bot: Bot
    changes: dict[str, Any] = field(default_factory=dict)
    proof: Proof = field(default_factory=lambda: Password(APP_PASSWORD))
    around: dict[str, Any] = field(default_factory=dict)
    canary: Account | None = None
    clock_is_ahead_s: float = 0.0

    @property
    def accounts(self) -> list[Account]:
        found: list[Account] = self.around["accounts"]
        return found

    def section(self) -> dict[str, Any]:
        return {
            "app_id": self.teams.issuer.app_id,
            "tenant": self.teams.tenant,
            "app_password": "env:TEAMS_SECRET",
            "service_url": self.teams.service_url,
            "metadata_url": self.teams.issuer.metadata_url,
            "login_url": self.teams.issuer.login_url,
            "graph_url": f"{self.teams.url}/",
            **self.changes,
        }

    async def looks(self, *, waits_s: float = 0.0) -> list[Look]:
        doctor = Doctor(
            "teams",
            ChatSection.model_validate(self.section()),
            self.proof,
            Around(**{"public_url": PUBLIC, "probe_url": self.bot.url, **self.around}),
            now=lambda: time.time() + self.clock_is_ahead_s,
            call_s=2.0,
        )
        return [one async for one in doctor.examine(canary=self.canary, waits_s=waits_s)]

    def link(self, person: str, **flags: Any) -> Account:
        account = self.teams.add_account(person.title(), **flags)
        linked = Account(person=person, tenant=account.tenant, user=account.user)
        self.around["accounts"] = [*self.around.get("accounts", []), linked]
        return linked

    def writer(self, **changed: Any) -> Writer:
        told = {
            "app_id": OTHER,
            "tenant": self.teams.tenant,
            "login_url": self.teams.issuer.login_url,
            "proof": Password(APP_PASSWORD),
            **changed,
        }
        return Writer(**told)


@asynccontextmanager
async def well() -> AsyncIterator[Setup]:
    async with open_fake_teams() as teams, answering() as bot:
        setup = Setup(teams, bot)
        setup.link("dana")
        setup.around["is_running"] = True
        yield setup


def another_app(setup: Setup) -> None:
    setup.changes["app_id"] = OTHER


def another_tenant(setup: Setup) -> None:
    setup.changes |= {"tenant": OTHER, "tenants": [setup.teams.tenant]}


def secret_of_another(setup: Setup) -> None:
    setup.proof = Password("another~secret.that-is-no-secret_of-this-app")


def expired_secret(setup: Setup) -> None:
    setup.teams.issuer.entra_refuses = {"error": "invalid_client", "error_codes": [7000222]}


def unknown_certificate(setup: Setup) -> None:
    setup.changes |= {"app_password": None, "certificate": "file:bot.pem"}
    setup.proof = Certificate(_pem())


def no_entra(setup: Setup) -> None:
    setup.changes["login_url"] = NOWHERE


def no_bot_registration(setup: Setup) -> None:
    setup.teams.faults.refuse("members", 401, "BotNotRegistered", times=9)


def no_connector(setup: Setup) -> None:
    setup.changes["service_url"] = f"{NOWHERE}teams/"


def another_service(setup: Setup) -> None:
    setup.changes["service_url"] = f"{setup.bot.url}/teams/"


def no_metadata(setup: Setup) -> None:
    setup.changes["metadata_url"] = f"{NOWHERE}keys"


def other_channels_keys(setup: Setup) -> None:
    pair = SigningPair(endorsements=("webchat", "directline"))
    setup.teams.issuer.published = [pair]


def not_public(setup: Setup) -> None:
    setup.around["public_url"] = "http://127.0.0.1:8081"


def proxy_elsewhere(setup: Setup) -> None:
    setup.bot.status = 404


def sign_in_page_before_it(setup: Setup) -> None:
    setup.bot.status = 302


def nothing_behind_proxy(setup: Setup) -> None:
    setup.bot.status = 502


def not_running(setup: Setup) -> None:
    setup.around |= {"is_running": False, "probe_url": NOWHERE}


def another_path(setup: Setup) -> None:
    setup.changes["public_path"] = "/keyturn/teams"


def no_inbox(setup: Setup) -> None:
    setup.around["has_web_inbox"] = False


def strange_host(setup: Setup) -> None:
    setup.changes["service_urls"] = ["smba.evil.example"]


def nobody_linked(setup: Setup) -> None:
    setup.around["accounts"] = []


def account_of_another_tenant(setup: Setup) -> None:
    setup.link("li", tenant=OTHER)


def groups_may_not_be_read(setup: Setup) -> None:
    setup.around["groups"] = [GROUP]
    setup.teams.graph.may_read_groups = False


def group_by_name(setup: Setup) -> None:
    setup.around["groups"] = ["security"]


def no_graph(setup: Setup) -> None:
    setup.around["groups"] = [GROUP]
    setup.changes["graph_url"] = NOWHERE


def may_not_install(setup: Setup) -> None:
    setup.changes |= {"install_for_people": True, "catalog_app_id": OTHER}
    setup.teams.graph.may_install = False


def one_bot_for_both(setup: Setup) -> None:
    setup.around["writers"] = {"connectors.talk": setup.writer(app_id=setup.teams.issuer.app_id)}


def writer_unknown(setup: Setup) -> None:
    setup.around["writers"] = {"connectors.talk": setup.writer()}


def writer_of_another_tenant(setup: Setup) -> None:
    setup.around["writers"] = {"connectors.talk": setup.writer(tenant=OTHER)}


def not_installed(setup: Setup) -> None:
    setup.canary = setup.link("li", is_installed=False)


def blocked_by_admin(setup: Setup) -> None:
    setup.canary = setup.accounts[0]
    setup.teams.faults.refuse("create", 403, "BotDisabledByAdmin")


def teams_is_busy(setup: Setup) -> None:
    setup.canary = setup.accounts[0]
    setup.teams.faults.plant("send", Trouble.THROTTLED)


PLANTS: dict[str, tuple[Callable[[Setup], None], str, str, Health]] = {
    "another app": (another_app, "chats.teams.app_id", "no such app", Health.FAIL),
    "another tenant": (another_tenant, "chats.teams.tenant", "no such tenant", Health.FAIL),
    "a secret of another": (
        secret_of_another, "chats.teams.app_password", "not the app's", Health.FAIL),
    "an expired secret": (expired_secret, "chats.teams.app_password", "expired", Health.FAIL),
    "a certificate that was not uploaded": (
        unknown_certificate, "chats.teams.certificate", "does not know", Health.FAIL),
    "no Entra there": (no_entra, "chats.teams.login_url", "as Entra does", Health.FAIL),
    "no bot of that app": (
        no_bot_registration, "chats.teams.app_id", "does not take its token", Health.FAIL),
    "no Connector there": (
        no_connector, "chats.teams.service_url", "as the Bot Connector", Health.FAIL),
    "another service there": (
        another_service, "chats.teams.service_url", "as the Bot Connector", Health.FAIL),
    "no metadata there": (no_metadata, "chats.teams.metadata_url", "no signing keys", Health.FAIL),
    "another cloud's keys": (
        other_channels_keys, "chats.teams.metadata_url", "speaks for msteams", Health.FAIL),
    "an address of this machine": (not_public, "public_url", "cannot call", Health.FAIL),
    "a proxy that leads elsewhere": (
        proxy_elsewhere, "chats.teams.public_path", "status 404", Health.FAIL),
    "a sign-in page before the bot": (
        sign_in_page_before_it, "chats.teams.public_path", "status 302", Health.FAIL),
    "nothing behind the proxy": (
        nothing_behind_proxy, "chats.teams.public_path", "no answer", Health.FAIL),
    "a bot that does not run": (
        not_running, "chats.teams.public_path", "does not run", Health.WARN),
    "another path": (another_path, "chats.teams.public_path", "status 404", Health.FAIL),
    "no web inbox": (no_inbox, "chats.web", "missing", Health.FAIL),
    "a host that is not Microsoft's": (
        strange_host, "chats.teams.service_urls", "smba.evil.example", Health.WARN),
    "nobody linked": (nobody_linked, "chats.teams.tenants", "nobody has linked", Health.WARN),
    "an account of another tenant": (
        account_of_another_tenant, "chats.teams.tenants", "account of li", Health.WARN),
    "groups that may not be read": (
        groups_may_not_be_read, "policy", "GroupMember.Read.All", Health.FAIL),
    "a group by its name": (group_by_name, "policy", "group:teams:security", Health.FAIL),
    "no Graph there": (no_graph, "chats.teams.graph_url", "as Graph does", Health.FAIL),
    "may not install": (
        may_not_install, "chats.teams.install_for_people", "TeamsAppInstallation", Health.FAIL),
    "one bot for both": (
        one_bot_for_both, "connectors.talk.app_id", "chats.teams too", Health.FAIL),
    "a writer nobody knows": (
        writer_unknown, "connectors.talk.app_id", "no such app", Health.FAIL),
    "a writer of another tenant": (
        writer_of_another_tenant, "connectors.talk.tenant", "no such tenant", Health.FAIL),
    "not installed": (
        not_installed, "chats.teams.install_for_people", "not installed", Health.FAIL),
    "blocked by an admin": (
        blocked_by_admin, "chats.teams.app_id", "admin of Teams has blocked", Health.FAIL),
    "busy": (teams_is_busy, "chats.teams.service_url", "could be tried now", Health.WARN),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
async def test_a_planted_misconfiguration_is_named(name: str) -> None:
    plant, setting, says, health = PLANTS[name]
    async with well() as setup:
        plant(setup)
        looks = await setup.looks()
        told = [one for one in looks if one.setting == setting and says in one.what]
        assert told, looks
        assert {one.health for one in told} == {health}
        assert all(one.remedy for one in looks if one.health is not Health.OK)
        others = [one for one in looks if one.health is not Health.OK and one not in told]
        assert others == []
        said = "".join(f"{one!r}" for one in looks)
        assert not [one for one in (APP_PASSWORD, *setup.teams.issuer.tokens) if one in said]


async def test_a_teams_that_is_well_has_nothing_to_say() -> None:
    async with well() as setup:
        setup.changes |= {"install_for_people": True, "catalog_app_id": OTHER}
        setup.around["groups"] = [GROUP]
        setup.canary = setup.accounts[0]
        looks = await setup.looks()
        assert [one for one in setup.teams.world.activities if not one.is_deleted] == []
    assert {one.health for one in looks} == {Health.OK}, looks
    assert any(f"{PUBLIC}/teams/messages" in one.what for one in looks)


async def test_nothing_is_written_without_a_canary() -> None:
    async with well() as setup:
        await setup.looks()
        written = {call.method for call in setup.teams.calls}
    assert written == {"GET"}


@pytest.mark.parametrize(
    ("ahead_s", "health"), [(400, Health.FAIL), (-400, Health.FAIL), (60, Health.WARN)]
)
async def test_a_clock_that_is_wrong_is_named(ahead_s: float, health: Health) -> None:
    async with well() as setup:
        setup.clock_is_ahead_s = ahead_s
        looks = await setup.looks()
    bad = [(one.setting, one.health) for one in looks if one.health is not Health.OK]
    assert bad == [("clock", health)]


async def test_the_canary_is_pressed_changed_and_taken_away() -> None:
    async with well() as setup:
        port = _free_port()
        setup.around["listener"] = Listener(host="127.0.0.1", port=port)
        setup.canary = setup.accounts[0]
        teams = setup.teams
        teams.deliveries.url = f"http://127.0.0.1:{port}/teams/messages"
        hand = teams.hand(teams.world.accounts[setup.canary.user])
        looking = asyncio.create_task(setup.looks(waits_s=20))
        card = await teams.until(lambda: next(iter(hand.messages()), None))
        stranger = await teams.deliveries.deliver(hand.pressing(card, VERB), authorization="")
        assert stranger.status == 401
        pressed = await hand.press(card, VERB)
        assert pressed.card is not None
        looks = await looking
        assert hand.messages() == []
        assert len(teams.called("update")) == 1
    assert "pressed it" in looks[-1].what
    assert {one.health for one in looks} == {Health.OK}


async def test_a_click_of_somebody_else_is_no_click() -> None:
    async with well() as setup:
        port = _free_port()
        setup.around["listener"] = Listener(host="127.0.0.1", port=port)
        setup.canary = setup.accounts[0]
        teams = setup.teams
        teams.deliveries.url = f"http://127.0.0.1:{port}/teams/messages"
        hand = teams.hand(teams.world.accounts[setup.canary.user])
        other = teams.hand(teams.add_account("Mallory"))
        looking = asyncio.create_task(setup.looks(waits_s=1.0))
        card = await teams.until(lambda: next(iter(hand.messages()), None))
        answered = await other.press(card, VERB)
        assert answered.card is None
        looks = await looking
        (kept,) = hand.messages()
        assert "Press me" not in hand.text(kept)
    assert looks[-1].health is Health.FAIL
    assert "no click came back" in looks[-1].what
    assert "messaging endpoint" in looks[-1].remedy


async def test_a_listener_that_somebody_else_has_is_told() -> None:
    async with well() as setup:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            setup.around["listener"] = Listener(host="127.0.0.1", port=port)
            setup.canary = setup.accounts[0]
            looks = await setup.looks(waits_s=1.0)
        assert setup.teams.world.activities == []
    assert (looks[-1].setting, looks[-1].health) == ("listeners.people.port", Health.WARN)


async def test_the_command_says_the_same_of_a_deployment(tmp_path: Path) -> None:
    async with well() as setup:
        setup.changes["app_id"] = OTHER
        deployment = await asyncio.to_thread(make_deployment, tmp_path / "keyturn-data")
        deployment.environment["TEAMS_SECRET"] = APP_PASSWORD
        text = deployment.config.read_text()
        chats = json.dumps({"teams": setup.section(), "web": {}})
        deployment.config.write_text(text.replace("chats:\n  web: {}\n", f"chats: {chats}\n"))
        await asyncio.to_thread(deployment.done, "person", "create", "dana")
        words = ("doctor", "teams", "--canary", "dana", "--json")
        ran = await asyncio.to_thread(deployment.run, *words)
    assert ran.returncode == 1, ran.stderr
    found = json.loads(ran.stdout)["findings"]
    bad = {one["setting"]: one["what"] for one in found if one["status"] != "ok"}
    public = bad.pop("public_url")
    assert "Microsoft cannot call" in public
    path = bad.pop("chats.teams.public_path")
    assert "does not run" in path
    assert bad == {
        "chats.teams.app_id": "Entra knows no such app in the tenant",
        "chats.teams.tenants": "nobody has linked a Teams account, so nobody is asked there",
        "--canary": "no Teams account is linked to dana",
    }
    assert APP_PASSWORD not in ran.stdout + ran.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"keyturn {uuid4()}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode() + certificate.public_bytes(serialization.Encoding.PEM).decode()
