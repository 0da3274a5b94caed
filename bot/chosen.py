"""Finds what a name in the settings stands for.

Ours come first, so that no installed package can take their place; another is loaded only
because the settings name it, never because it is installed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import adapters.http.load
import adapters.release.load
import adapters.smtp.load
from adapters.web import WebInbox
from bot.core.errors import SettingsInvalid, StoreRefused
from bot.ports.chat import Chat
from bot.ports.clock import Clock
from bot.ports.connector import Connector
from bot.ports.identities import Identities
from bot.ports.shelf import Shelf
from bot.ports.store import Store
from bot.secret_refs import Secrets
from bot.settings_problems import wrong_keys
from store.memory.shelf import MemoryShelf
from store.memory.store import MemoryStore
from store.sqlite import SqliteStore
from store.sqlite.shelf import SqliteShelf

CHATS = "keyturn.chats"
CONNECTORS = "keyturn.connectors"
STORES = "keyturn.stores"

DATABASE = "keyturn.sqlite3"
#: While it is there, files are being replaced by those of a backup.
RESTORE_MARK = "restore.json"
_SHELF = "shelf.sqlite3"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a chat may use of the bot; ``web_url`` is where the web inbox is, if there is one."""

    shelf: Shelf
    clock: Clock
    entropy: Callable[[int], bytes]
    public_url: str
    web_url: str | None
    deployment: str
    secrets: Secrets
    identities: Identities


class MakesChat(Protocol):
    def __call__(
        self, name: str, section: Mapping[str, object], surroundings: Surroundings
    ) -> Chat: ...


class MakesConnector(Protocol):
    def __call__(
        self, name: str, section: Mapping[str, object], *, secrets: Secrets, clock: Clock
    ) -> Connector: ...


class OpensStore(Protocol):
    async def __call__(
        self, *, data_dir: Path, shelf_keys: Sequence[bytes], clock: Clock
    ) -> tuple[Store, Shelf]: ...


def choose_chat(name: str, section: Mapping[str, object], surroundings: Surroundings) -> Chat:
    """Return the chat of the section ``chats.NAME``.

    Raises:
        SettingsInvalid: with everything that is wrong.
    """
    ours: Mapping[str, MakesChat] = {"slack": _slack, "teams": _teams, "web": _web}
    make = _named(CHATS, ours, name, place=f"chats.{name}")
    return make(name, section, surroundings)


def choose_connector(
    name: str, section: Mapping[str, object], *, secrets: Secrets, clock: Clock
) -> Connector:
    """Return the connector of the section ``connectors.NAME``; its ``type`` says which kind.

    Raises:
        SettingsInvalid: with everything that is wrong.
    """
    ours: Mapping[str, MakesConnector] = {
        "http": adapters.http.load.create,
        "release": adapters.release.load.create,
        "slack": _slack_connector,
        "smtp": adapters.smtp.load.create,
        "teams": _teams_connector,
    }
    place = f"connectors.{name}.type"
    kind = section.get("type")
    if not isinstance(kind, str):
        raise _invalid(f"{place}: is missing. Add it, for example `type: http`.")
    make = _named(CONNECTORS, ours, kind, place=place)
    return make(name, section, secrets=secrets, clock=clock)


async def open_store(
    kind: str, *, data_dir: Path, shelf_keys: Sequence[bytes], clock: Clock
) -> tuple[Store, Shelf]:
    """Return the store and shelf of the section ``store``; the last of *shelf_keys* writes.

    Raises:
        SettingsInvalid: nothing installed is called so.
        StoreRefused: it cannot be used; the message says what to do.
    """
    ours: Mapping[str, OpensStore] = {"memory": _memory, "sqlite": _sqlite}
    opens = _named(STORES, ours, kind, place="store.type")
    return await opens(data_dir=data_dir, shelf_keys=shelf_keys, clock=clock)


def _named(group: str, ours: Mapping[str, T], name: str, *, place: str) -> T:
    if name in ours:
        return ours[name]
    found = tuple(entry_points(group=group, name=name))
    if len(found) != 1:
        what = "nothing installed is" if not found else "more than one installed package is"
        raise _invalid(
            f"{place}: {what} called {name} (entry point {group}). "
            f"Write one of {', '.join(sorted(ours))}, or install the one package that brings it."
        )
    made: T = found[0].load()
    return made


class WebSection(BaseModel):
    """A session ends after ``session_s``, or after ``idle_s`` without a page, in seconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    session_s: Annotated[int, Field(ge=300, le=7 * 86_400)] = 12 * 3600
    idle_s: Annotated[int, Field(ge=60, le=7 * 86_400)] = 2 * 3600


def _web(name: str, section: Mapping[str, object], surroundings: Surroundings) -> Chat:
    try:
        own = WebSection.model_validate(section)
    except ValidationError as error:
        raise SettingsInvalid(
            "The web inbox cannot be used.",
            problems=[
                f"chats.{name}.{'.'.join(map(str, way))}: {what}."
                for way, what in wrong_keys(error, WebSection)
            ],
        ) from error
    return WebInbox(
        shelf=surroundings.shelf,
        clock=surroundings.clock,
        entropy=surroundings.entropy,
        public_url=surroundings.public_url,
        deployment_name=surroundings.deployment,
        session_s=own.session_s,
        idle_s=own.idle_s,
    )


def _slack(name: str, section: Mapping[str, object], surroundings: Surroundings) -> Chat:
    # Only who writes to Slack needs its SDK, or waits until it is imported.
    try:
        load = import_module("adapters.slack.load")
    except ModuleNotFoundError as error:
        raise _invalid(
            f"chats.{name}: the package {error.name} is not installed. "
            "Run: pip install 'keyturn[slack]'"
        ) from error
    chat: Chat = load.create(
        name,
        section,
        shelf=surroundings.shelf,
        clock=surroundings.clock,
        identities=surroundings.identities,
        public_url=surroundings.public_url,
        web_url=surroundings.web_url,
        secrets=surroundings.secrets,
    )
    return chat


def _teams(name: str, section: Mapping[str, object], surroundings: Surroundings) -> Chat:
    # Only who writes to Teams needs its SDK, or waits until it is imported.
    try:
        load = import_module("adapters.teams.load")
    except ModuleNotFoundError as error:
        raise _invalid(
            f"chats.{name}: the package {error.name} is not installed. "
            "Run: pip install 'keyturn[teams]'"
        ) from error
    chat: Chat = load.create(
        name,
        section,
        shelf=surroundings.shelf,
        clock=surroundings.clock,
        identities=surroundings.identities,
        web_url=surroundings.web_url,
        secrets=surroundings.secrets,
    )
    return chat


def _slack_connector(
    name: str, section: Mapping[str, object], *, secrets: Secrets, clock: Clock
) -> Connector:
    # It needs no SDK, but only who names it waits until it is imported.
    made: Connector = import_module("adapters.slack.connector").create(
        name, section, secrets=secrets, clock=clock
    )
    return made


def _teams_connector(
    name: str, section: Mapping[str, object], *, secrets: Secrets, clock: Clock
) -> Connector:
    # It needs msal alone, but only who names it waits until that is imported.
    try:
        load = import_module("adapters.teams.connector")
    except ModuleNotFoundError as error:
        raise _invalid(
            f"connectors.{name}: the package {error.name} is not installed. "
            "Run: pip install 'keyturn[teams]'"
        ) from error
    made: Connector = load.create(name, section, secrets=secrets, clock=clock)
    return made


async def _memory(
    *,
    data_dir: Path,  # noqa: ARG001 - nothing is kept
    shelf_keys: Sequence[bytes],  # noqa: ARG001 - nothing is kept
    clock: Clock,
) -> tuple[Store, Shelf]:
    return MemoryStore(clock=clock), MemoryShelf(clock=clock)


async def _sqlite(
    *, data_dir: Path, shelf_keys: Sequence[bytes], clock: Clock
) -> tuple[Store, Shelf]:
    if (data_dir / RESTORE_MARK).exists():
        raise StoreRefused(
            f"A restore into {data_dir} was begun and has not ended.",
            remedy="Run the same `keyturn restore` again: it goes on where it was interrupted.",
        )
    store = await SqliteStore.open(data_dir / DATABASE, clock=clock)
    try:
        return store, await SqliteShelf.open(data_dir / _SHELF, keys=shelf_keys, clock=clock)
    except BaseException:
        await store.close()
        raise


def _invalid(problem: str) -> SettingsInvalid:
    return SettingsInvalid("The settings cannot be used.", problems=[problem])
