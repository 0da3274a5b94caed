"""One deployment: its use cases put together over the gate, its listeners, its work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.backups import FolderBackups
from bot.core.actors import system_actor
from bot.http.admin_api import AdminApi
from bot.http.agent_api import AgentApi
from bot.http.app import admin_app, agents_app
from bot.http.health import Check, policy_is_loaded, store_answers
from bot.http.listeners import Listener, Listeners, Tcp, TlsFiles, UnixSocket
from bot.http.metrics import Metrics
from bot.http.people import people_app
from bot.http.proxies import TrustedProxies
from bot.http.waits import Waits
from bot.key_rings import key_rings
from bot.ports.desk import SignInLink
from bot.service.acknowledge import Acknowledge
from bot.service.agents import AgentBook
from bot.service.checkpoints import Checkpoints
from bot.service.credentials import Credentials
from bot.service.desk import OfficeDesk
from bot.service.erase import Erase
from bot.service.gate import Gate
from bot.service.grant_keys import GrantKeys
from bot.service.halt import Halts
from bot.service.key_rotation import KeyRotation
from bot.service.linking import Linking
from bot.service.news import NewsDesk
from bot.service.notice_routes import NoticeBook
from bot.service.people import PeopleBook
from bot.service.reading import Reading
from bot.service.receipts import Receipts
from bot.service.release import Release
from bot.service.reload import PolicyReload
from bot.service.resource_servers import ResourceBook
from bot.service.sign_in import SignIn
from bot.service.submit import Submit
from bot.service.waiting import Waiters
from bot.service.webhooks import WebhookBook
from bot.service.withdraw import Withdraw
from bot.service.workers import Workers
from bot.settings import Listener as ListenerSettings
from bot.settings import Settings

_POLICY_FILE = system_actor("policy_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """Everything of one deployment, built and not yet running."""

    settings: Settings
    gate: Gate
    admin: AdminApi
    agents: AgentApi
    desk: OfficeDesk
    workers: Workers
    waits: Waits
    checkpoints: Checkpoints

    @asynccontextmanager
    async def serving_admin(self, socket: Path) -> AsyncIterator[None]:
        """Serve the admin API on *socket* alone, for one command."""
        async with Listeners([self._socket(socket)]):
            yield

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[asyncio.Future[None]]:
        """Put the policy file in force, do the work and answer on every listener.

        The future ends, with what went wrong, when the work cannot go on.

        Raises:
            SettingsInvalid: a listener cannot be opened.
            StoreUnavailable: the policy cannot be recorded.
        """
        policies = self.gate.policies
        await policies.activate(policies.current.text, actor=_POLICY_FILE)
        # First to begin and last to end: whoever is answered finds the work being done.
        working = asyncio.ensure_future(self._work())
        try:
            async with Listeners([*self._listeners(), self._socket(self.settings.admin_socket)]):
                yield working
        finally:
            working.cancel()
            await asyncio.wait({working})
            await self.desk.finish()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.workers.run())
            group.create_task(self.admin.reload.run())
            group.create_task(self.checkpoints.run())
            for chat in self.gate.chats.values():
                group.create_task(chat.run(self.desk))

    def _listeners(self) -> Sequence[Listener]:
        settings = self.settings
        proxies = TrustedProxies(settings.trusted_proxies)
        checks = self._checks()
        apps: dict[str, Callable[[], web.Application]] = {
            "agents": lambda: agents_app(
                self.agents, checks=checks, proxies=proxies, waits=self.waits
            ),
            "people": lambda: self._people_app(proxies),
            "admin": lambda: admin_app(self.admin, checks=checks, trust_socket=False),
        }
        return [
            Listener(name=name, app=apps[name](), where=_where(listener))
            for name, listener in settings.listeners.by_name()
        ]

    def _people_app(self, proxies: TrustedProxies) -> web.Application:
        chats = self.gate.chats.values()
        app = people_app(
            chats, self.desk, max_body_bytes=self.gate.caps.max_body_bytes, proxies=proxies
        )

        async def close(_: web.Application) -> None:
            for chat in chats:
                await chat.close()

        app.on_shutdown.append(close)
        return app

    def _socket(self, path: Path) -> Listener:
        app = admin_app(self.admin, checks=self._checks(), trust_socket=True)
        return Listener(name="admin.socket", app=app, where=UnixSocket(path))

    def _checks(self) -> Mapping[str, Check]:
        async def work_is_done() -> str | None:
            return None if self.workers.running else "Nothing is being delivered or carried out."

        return {
            "store": store_answers(self.gate.store),
            "policy": policy_is_loaded(self.gate.policies),
            "workers": work_is_done,
        }


def build(settings: Settings, gate: Gate, grant_keys: GrantKeys, checkpoints: Checkpoints) -> Bot:
    """Return the bot of *settings* over *gate*: every use case, and who calls it."""
    halts, sign_in, people = Halts(gate), SignIn(gate), PeopleBook(gate)
    receipts = Receipts(gate.store, checkpoints)
    waiters, waits = Waiters(gate.caps), Waits()
    reading = Reading(gate, waiters)
    credentials = Credentials(gate)
    metrics = Metrics(gate.tally, waiting=lambda: len(waits))

    def sign_in_url(link: SignInLink) -> str:
        # Behind the # it reaches neither a server's log nor another site.
        return f"{settings.url_for_people}/signin#{link.code}"

    return Bot(
        settings=settings,
        gate=gate,
        admin=AdminApi(
            gate=gate,
            credentials=credentials,
            agents=AgentBook(gate, halts),
            webhooks=WebhookBook(gate),
            people=people,
            erase=Erase(gate, people),
            resource_servers=ResourceBook(gate),
            sign_in=sign_in,
            linking=Linking(gate),
            notices=NoticeBook(gate),
            halts=halts,
            checkpoints=checkpoints,
            keys=KeyRotation(
                gate,
                key_rings(
                    settings.keys_dir,
                    clock=gate.clock,
                    grants=grant_keys,
                    checkpoints=checkpoints,
                    shelf=gate.shelf,
                ),
            ),
            backups=FolderBackups(settings, clock=gate.clock),
            metrics=metrics,
            reload=PolicyReload(gate.policies, lambda: settings.policy.read_text(encoding="utf-8")),
            sign_in_url=sign_in_url,
        ),
        agents=AgentApi(
            gate=gate,
            credentials=credentials,
            submit=Submit(gate),
            reading=reading,
            news=NewsDesk(gate, reading=reading, waiters=waiters),
            acknowledge=Acknowledge(gate),
            withdraw=Withdraw(gate),
            release=Release(gate, grant_keys),
            checkpoints=checkpoints,
            receipts=receipts,
            metrics=metrics,
        ),
        desk=OfficeDesk(gate, halts=halts, sign_in=sign_in, receipts=receipts),
        workers=Workers(gate, waiters=waiters, halts=halts, checkpoints=checkpoints),
        waits=waits,
        checkpoints=checkpoints,
    )


def _where(listener: ListenerSettings) -> Tcp:
    tls = listener.tls
    return Tcp(
        host=listener.host,
        port=listener.port,
        tls=None if tls is None else TlsFiles(certificate=tls.cert, key=tls.key),
    )
