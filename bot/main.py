"""Chooses every adapter by its name in the settings, builds the bot, runs it, closes it.

What is built is closed in reverse, whatever happens on the way.
"""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any, TypeVar

from adapters.file.directory import FileDirectory
from adapters.file.log_state import FileLogState
from adapters.webhook import HttpNotifier
from bot.chosen import Surroundings, choose_chat, choose_connector, open_store
from bot.core.errors import RefusesToStart, SettingsInvalid
from bot.core.ids import PersonId
from bot.core.policy import Policy
from bot.core.policy_file import parse_policy
from bot.deployment import Bot, build
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
from bot.ports.log_state import LogKeeper
from bot.ports.queries import PersonByHandle, PersonById
from bot.ports.store import Store
from bot.service.checkpoints import Checkpoints
from bot.service.connectors import Connectors
from bot.service.directories import Directories
from bot.service.gate import Gate
from bot.service.grant_keys import GrantKeys
from bot.service.identities import StoredIdentities
from bot.service.policy_book import PolicyBook
from bot.settings import Settings
from bot.system_clock import SystemClock

log = getLogger(__name__)

T = TypeVar("T")


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
        yield build(
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
