"""From the section in ``keyturn.yaml`` to the chat, or to everything that is wrong with it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from adapters.slack.accounts import Accounts
from adapters.slack.cards import Cards
from adapters.slack.chat import SlackChat
from adapters.slack.client import Wire
from adapters.slack.config import ChatSection, Mode
from adapters.slack.directory import SlackGroups
from adapters.slack.installing import build_flow
from adapters.slack.keeper import Keeper, Pace
from adapters.slack.parts import Parts
from adapters.slack.people import People
from adapters.slack.posts import Copies, Posts
from adapters.slack.transport_socket import SocketTimes
from adapters.slack.workspaces import InstalledWorkspaces, OneWorkspace
from bot.core.errors import SettingsInvalid
from bot.ports.clock import Clock
from bot.ports.identities import Identities
from bot.ports.shelf import Shelf

#: How each credential looks, and how to tell it from another.
_LOOKS: Final = {
    "bot_token": (r"xox[be][.-][A-Za-z0-9.-]{10,}", "a bot token begins with xoxb-"),
    "app_token": (r"xapp-[A-Za-z0-9-]{10,}", "an app-level token begins with xapp-"),
    "signing_secret": (r"[0-9A-Za-z]{16,}", "it has 32 hexadecimal digits"),
    "client_id": (r"[0-9]+\.[0-9]+", "it has digits around one point"),
    "client_secret": (r"[0-9A-Za-z]{16,}", "it has 32 hexadecimal digits"),
}


def create(
    name: str,
    section: Mapping[str, object],
    *,
    shelf: Shelf,
    clock: Clock,
    identities: Identities,
    public_url: str,
    web_url: str | None,
    secrets: Callable[[str], str],
    socket_times: SocketTimes | None = None,
    pace: Pace | None = None,
    call_s: float | None = None,
) -> SlackChat:
    """Return the chat *name* as *section* declares it; Slack is asked nothing yet.

    *public_url* is where people, and in HTTP mode Slack, reach the bot. The times are for tests.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    place = f"chats.{name}"
    problems: list[str] = []
    parsed: ChatSection | None = None
    try:
        parsed = ChatSection.model_validate(section)
    except ValidationError as error:
        problems += _in_words(error, place)
    given = {
        key: _secret(f"{place}.{key}", key, section.get(key), secrets, problems) for key in _LOOKS
    }
    if parsed is None or problems:
        raise SettingsInvalid(f"The chat {name} cannot be used.", problems=problems)
    wire = Wire(parsed.api_url) if call_s is None else Wire(parsed.api_url, call_s=call_s)
    installed = InstalledWorkspaces(shelf, tenants=parsed.tenants)
    workspaces: InstalledWorkspaces | OneWorkspace = installed
    if not parsed.installs:
        workspaces = OneWorkspace(wire, token=given["bot_token"], tenants=parsed.tenants)
    accounts = Accounts(wire)
    people = People(
        chat=name,
        workspaces=workspaces,
        accounts=accounts,
        identities=identities,
        links_by_email=parsed.link_by_email,
    )
    cards = Cards(
        wire=wire,
        workspaces=workspaces,
        people=people,
        accounts=accounts,
        posts=Posts(shelf),
        copies=Copies(shelf),
        web_url=web_url,
    )
    keeper = Keeper(
        chat=name,
        cards=cards,
        wire=wire,
        workspaces=workspaces,
        accounts=accounts,
        identities=identities,
        shelf=shelf,
        clock=clock,
        pace=pace or Pace(),
        web_url=web_url,
    )
    base = f"{public_url.rstrip('/')}{parsed.public_path}"
    return SlackChat(
        name,
        Parts(
            wire=wire,
            shelf=shelf,
            workspaces=workspaces,
            accounts=accounts,
            people=people,
            cards=cards,
            keeper=keeper,
            groups=SlackGroups(
                wire=wire,
                workspaces=workspaces,
                accounts=accounts,
                people=people,
                identities=identities,
            ),
            make_flow=lambda: build_flow(
                wire=wire,
                shelf=shelf,
                installed=installed,
                client_id=given["client_id"] or "none",
                client_secret=given["client_secret"] or "none",
                api_url=parsed.api_url,
                install_url=f"{base}/install",
                redirect_url=f"{base}/oauth",
            ),
            offers_install=parsed.installs,
            public_path=parsed.public_path,
            web_url=web_url,
            socket_times=socket_times or SocketTimes(),
            app_token=given["app_token"] if parsed.mode is Mode.SOCKET else None,
            signing_secret=given["signing_secret"] if parsed.mode is Mode.HTTP else "",
        ),
    )


def _secret(
    where: str,
    key: str,
    reference: object,
    secrets: Callable[[str], str],
    problems: list[str],
) -> str:
    if not isinstance(reference, str) or not reference:
        return ""  # there is none, or that is told with the whole section
    try:
        value = secrets(reference)
    except SettingsInvalid as error:
        problems += [f"{where}: {problem}" for problem in error.problems or [error.message]]
        return ""
    pattern, looks = _LOOKS[key]
    if not re.fullmatch(pattern, value):
        problems.append(f"{where}: what is kept there is not such a credential: {looks}")
    return value


def _in_words(error: ValidationError, place: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        where = place
        for step in detail["loc"]:
            where += f"[{step}]" if isinstance(step, int) else f".{step}"
        match detail["type"]:
            case "missing":
                words = "this is missing: add it"
            case "extra_forbidden":
                words = "there is no such key here: remove it, or correct its spelling"
            case "string_pattern_mismatch" if "team" in str(detail["loc"]):
                words = "write the id of a workspace (T…) or of a Grid organisation (E…)"
            case "value_error":
                words = detail["msg"].removeprefix("Value error, ")
            case _:
                words = detail["msg"].replace("Input should be", "this should be")
        yield f"{where}: {words}"
