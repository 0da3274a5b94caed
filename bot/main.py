"""Chooses every adapter by its name in the settings, builds the bot, runs it, closes it.

What is built is closed in reverse, whatever happens on the way.
"""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from adapters.file.directory import FileDirectory
from adapters.file.log_state import FileLogState
from adapters.webhook import HttpNotifier
from bot.backups import FolderBackups
from bot.chosen import Surroundings, choose_chat, choose_connector, open_store
from bot.core.actors import system_actor
from bot.core.errors import RefusesToStart, SettingsInvalid
from bot.core.ids import PersonId
from bot.core.policy import Policy
from bot.core.policy_file import parse_policy
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
from bot.keys import (
    GRANT_KEY,
    GRANT_KEY_BYTES,
    LOG_KEY,
    LOG_STATE,
    SHELF_KEY,
    SHELF_KEY_BYTES,
    grant_key_files,
    read_key,
    read_keys,
    read_log_keys,
)
from bot.ports.desk import SignInLink
from bot.ports.log_state import LogKeeper
from bot.ports.queries import PersonByHandle, PersonById
from bot.ports.store import Store
from bot.service.acknowledge import Acknowledge
from bot.service.agents import AgentBook
from bot.service.checkpoints import Checkpoints
from bot.service.connectors import Connectors
from bot.service.credentials import Credentials
from bot.service.desk import OfficeDesk
from bot.service.directories import Directories
from bot.service.erase import Erase
from bot.service.gate import Gate
from bot.service.grant_keys import GrantKeys
from bot.service.halt import Halts
from bot.service.identities import StoredIdentities
from bot.service.key_rotation import KeyRotation
from bot.service.linking import Linking
from bot.service.news import NewsDesk
from bot.service.notice_routes import NoticeBook
from bot.service.people import PeopleBook
from bot.service.policy_book import PolicyBook
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

log = getLogger(__name__)

T = TypeVar("T")

_POLICY_FILE = system_actor("policy_file")


class SystemClock:
    """Implements :class:`bot.ports.clock.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


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


@asynccontextmanager
async def assemble(settings: Settings) -> AsyncIterator[Bot]:
    """Build the bot of *settings*; nothing listens and nothing is done until it is told to.

    Raises:
        RefusesToStart: with everything that is wrong.
    """
    async with AsyncExitStack() as closing:
        clock = SystemClock()
        found = _Found()
        policy = found.of(lambda: _policy(settings.policy))
        shelf_keys = found.of(
            lambda: read_keys(settings.keys_dir / SHELF_KEY, length_bytes=SHELF_KEY_BYTES)
        )
        built = []
        for name, section in settings.connectors.items():
            make = partial(choose_connector, name, section, secrets=settings.secrets, clock=clock)
            if (connector := found.of(make)) is not None:
                closing.push_async_callback(connector.close)
                built.append(connector)
        connectors = found.of(lambda: Connectors(built))
        grant_keys = found.of(lambda: _grant_keys(settings.keys_dir, connectors))
        log_keys = found.of(lambda: read_log_keys(settings.keys_dir / LOG_KEY))
        if (
            policy is None
            or shelf_keys is None
            or connectors is None
            or grant_keys is None
            or log_keys is None
            or found.problems
        ):
            raise found.error(settings.file)
        store, shelf = await open_store(
            settings.store.type, data_dir=settings.data_dir, shelf_keys=shelf_keys, clock=clock
        )
        closing.push_async_callback(store.close)
        closing.push_async_callback(shelf.close)
        checkpoints = await Checkpoints.open(store, log_keys, keeper=_log_keeper(settings))
        closing.push_async_callback(checkpoints.close)
        notifier = HttpNotifier(private_hosts=settings.webhooks.private_hosts, clock=clock)
        closing.push_async_callback(notifier.close)
        surroundings = Surroundings(
            shelf=shelf,
            clock=clock,
            entropy=secrets.token_bytes,
            public_url=settings.url_for_people,
            web_url=settings.url_for_people if "web" in settings.chats else None,
            deployment=settings.deployment,
            secrets=settings.secrets,
            identities=StoredIdentities(store),
        )
        chats = {}
        for name, section in settings.chats.items():
            chat = found.of(partial(choose_chat, name, section, surroundings))
            if chat is not None:
                chats[name] = chat
        if found.problems:
            raise found.error(settings.file)
        yield _bot(
            settings,
            Gate(
                store=store,
                shelf=shelf,
                directory=Directories(
                    FileDirectory(settings.groups, _person_finder(store)), chats=chats
                ),
                connectors=connectors,
                policies=PolicyBook(store, policy),
                chats=chats,
                notifier=notifier,
                clock=clock,
                entropy=secrets.token_bytes,
                deployment=settings.deployment,
                caps=settings.all_caps,
                digest=settings.notices.daily,
            ),
            grant_keys,
            checkpoints,
        )


async def serve(settings: Settings, *, ready: Callable[[Bot], Awaitable[None]]) -> None:
    """Run the bot until SIGTERM or SIGINT; *ready* is called once everything answers.

    Raises:
        RefusesToStart: with everything that is wrong.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with assemble(settings) as bot, bot.serving() as working:
        log.info("started", extra={"deployment": settings.deployment})
        await ready(bot)
        told = asyncio.create_task(stop.wait())
        either: set[asyncio.Future[Any]] = {told, working}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if working.done():
            working.result()
        log.info("stopping")
    log.info("stopped")


def _bot(settings: Settings, gate: Gate, grant_keys: GrantKeys, checkpoints: Checkpoints) -> Bot:
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


class _Found:
    """What is wrong in one start, so that nobody has to start again to learn the rest."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._errors: list[RefusesToStart] = []

    def of(self, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except RefusesToStart as error:
            self._errors.append(error)
            self.problems += error.problems or [f"{error.message} {error.remedy}"]
            return None

    def error(self, file: Path) -> RefusesToStart:
        if len(self._errors) == 1:
            return self._errors[0]
        return SettingsInvalid(
            f"{file}: {len(self.problems)} things are wrong.", problems=self.problems
        )


def _log_keeper(settings: Settings) -> LogKeeper | None:
    # A store that keeps nothing begins anew each time, and is never behind.
    if settings.store.type == "memory":
        return None
    return FileLogState(settings.data_dir / LOG_STATE)


def _policy(file: Path) -> Policy:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or "it is not UTF-8").lower()
        raise SettingsInvalid(
            "There is no policy.",
            problems=[f"policy: {file} cannot be read ({reason}). Put a policy file there."],
            remedy="`keyturn serve --init` writes one to begin with.",
        ) from error
    return parse_policy(text)


def _grant_keys(folder: Path, connectors: Connectors | None) -> GrantKeys:
    """Read every key of grants; without verbs that are released, none needs to be there."""
    files = grant_key_files(folder)
    verbs = () if connectors is None else connectors.verbs.values()
    if not files and any(verb.release is not None for verb in verbs):
        files = [folder / GRANT_KEY]
    return GrantKeys([read_key(file, length_bytes=GRANT_KEY_BYTES) for file in files])


def _person_finder(store: Store) -> Callable[[str], Awaitable[PersonId | None]]:
    async def find(ref: str) -> PersonId | None:
        found = await store.read(PersonById(PersonId(ref)))
        found = found or await store.read(PersonByHandle(ref))
        return found.id if found is not None and found.active else None

    return find


def _where(listener: ListenerSettings) -> Tcp:
    tls = listener.tls
    return Tcp(
        host=listener.host,
        port=listener.port,
        tls=None if tls is None else TlsFiles(certificate=tls.cert, key=tls.key),
    )
