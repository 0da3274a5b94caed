"""From the section in ``keyturn.yaml`` to the chat, or to everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from adapters.slack.accounts import Accounts
from adapters.slack.card_calls import CardCalls
from adapters.slack.cards import Cards
from adapters.slack.chat import SlackChat
from adapters.slack.client import Wire
from adapters.slack.config import ChatSection, Mode
from adapters.slack.directory import SlackGroups
from adapters.slack.installing import build_flow
from adapters.slack.keeper import Keeper, Pace
from adapters.slack.parts import Parts
from adapters.slack.people import People
from adapters.slack.posts import COPIES, Posts
from adapters.slack.removal import Removal
from adapters.slack.transport_socket import SocketTimes
from adapters.slack.workspaces import InstalledWorkspaces, OneWorkspace
from bot.card_copies import Copies
from bot.core.credential import CredentialRefused, kept_under
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import read_section
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

_TENANT: Final = "write the id of a workspace (T…) or of a Grid organisation (E…)"


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
    parsed = read_section(
        ChatSection,
        section,
        place=place,
        problems=problems,
        patterns={"team": _TENANT, "teams": _TENANT},
    )
    given = {
        key: _given(section, key, secrets=secrets, place=place, problems=problems) for key in _LOOKS
    }
    if parsed is None or problems:
        raise SettingsInvalid(f"The chat {name} cannot be used.", problems=problems)
    wire = Wire(parsed.api_url) if call_s is None else Wire(parsed.api_url, call_s=call_s)
    installed = InstalledWorkspaces(shelf, tenants=parsed.tenants)
    workspaces: InstalledWorkspaces | OneWorkspace = installed
    if not parsed.installs:
        workspaces = OneWorkspace(wire, token=given["bot_token"], tenants=parsed.tenants)
    removal = Removal(chat=name, wire=wire, workspaces=workspaces)
    accounts = Accounts(wire, removal)
    people = People(
        chat=name,
        workspaces=workspaces,
        accounts=accounts,
        identities=identities,
        links_by_email=parsed.link_by_email,
    )
    cards = Cards(
        calls=CardCalls(wire=wire, removal=removal, web_url=web_url),
        workspaces=workspaces,
        people=people,
        accounts=accounts,
        posts=Posts(shelf),
        copies=Copies(shelf, kind=COPIES),
        clock=clock,
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
            removal=removal,
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


def _given(
    section: Mapping[str, object],
    key: str,
    *,
    secrets: Callable[[str], str],
    place: str,
    problems: list[str],
) -> str:
    """Return the credential *key*; "" where there is none, or it is told what is wrong with it."""
    reference = section.get(key)
    if not isinstance(reference, str) or not reference:
        return ""
    pattern, looks = _LOOKS[key]

    def looked_at(secret: str) -> str:
        if not re.fullmatch(pattern, secret):
            raise CredentialRefused(f"what is kept there is not such a credential: {looks}")
        return secret

    kept = kept_under(
        reference, secrets=secrets, use=looked_at, place=f"{place}.{key}", problems=problems
    )
    return kept or ""
