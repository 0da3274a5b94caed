"""The manifests of the Teams apps: one asks people, the other writes in channels.

Microsoft's schema of manifests, version 1.25. Least scopes: each is here with its reason, which
``keyturn teams package`` prints beside the file.
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from adapters.teams.package_section import PackageSection
from bot.core.canonical import Json
from bot.core.command import help_lines

VERSION: Final = "1.25"
COLOR_ICON: Final = "color.png"
OUTLINE_ICON: Final = "outline.png"
#: The schema's own limit for the commands of one scope.
MAX_COMMANDS: Final = 12


@unique
class Role(StrEnum):
    """What a Teams app of this deployment is for; each has a bot registration of its own."""

    ASKS = "asks"  #: the chat: shows cards to people in private
    WRITES = "writes"  #: a connector: posts in channels


SCOPES: Final[Mapping[Role, Mapping[str, str]]] = MappingProxyType(
    {
        Role.ASKS: MappingProxyType(
            {
                "personal": "Show cards to people in private, and take their clicks and commands.",
                "team": "Tell channels that an admin chose that something happened, never what. A "
                "bot that is not in the team cannot post there.",
            }
        ),
        Role.WRITES: MappingProxyType(
            {
                "team": "Post, reply, edit and delete its own messages in the teams to which an "
                "owner adds it, and say who would see them.",
            }
        ),
    }
)
#: What the manifests ask for beside scopes.
OTHERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "supportsChannelFeatures": "Be added to private and shared channels too, by whoever owns "
        "them.",
        "webApplicationInfo": "Say which app in Entra this is, so that an admin may allow the bot "
        "to install itself for people. It asks for no sign-in and no resource.",
    }
)
_NAMES: Final = {Role.ASKS: "Keyturn", Role.WRITES: "Keyturn writer"}
_SHORT: Final = {
    Role.ASKS: "Asks you before an AI agent writes anything in your name",
    Role.WRITES: "Writes in channels what a person has approved in Keyturn",
}
_FULL: Final = {
    Role.ASKS: "AI agents that act for you propose what they would write: a post, a mail, a "
    "change. Keyturn holds each proposal and shows it to you here, in private. Nothing is written "
    "until you approve it, and you can stop an agent at any time, also from your phone.",
    Role.WRITES: "AI agents propose messages; people decide in Keyturn. What they approve, this "
    "app posts in channels of teams to which an owner has added it. It reads no messages, and "
    "changes or deletes only its own.",
}
_ACCENT: Final = "#17493d"


def manifest(role: Role, package: PackageSection, *, app_id: str) -> Json:
    """Return the manifest of the app with the bot *app_id*."""
    bot: dict[str, Json] = {
        "botId": app_id,
        "scopes": list(SCOPES[role]),
        "isNotificationOnly": False,
        "supportsFiles": False,
        "supportsCalling": False,
        "supportsVideo": False,
    }
    if role is Role.ASKS:
        bot["commandLists"] = [{"scopes": ["personal"], "commands": commands()}]
    return {
        "$schema": "https://developer.microsoft.com/json-schemas/teams/"
        f"v{VERSION}/MicrosoftTeams.schema.json",
        "manifestVersion": VERSION,
        "version": package.version,
        "id": package.app or app_id,
        "developer": {
            "name": package.developer,
            "websiteUrl": package.website_url,
            "privacyUrl": package.privacy_url,
            "termsOfUseUrl": package.terms_url,
        },
        "name": {"short": package.name or _NAMES[role]},
        "description": {"short": _SHORT[role], "full": _FULL[role]},
        "icons": {"color": COLOR_ICON, "outline": OUTLINE_ICON},
        "accentColor": _ACCENT,
        "bots": [bot],
        "defaultInstallScope": next(iter(SCOPES[role])),
        "supportsChannelFeatures": "tier1",
        "validDomains": [],
        "webApplicationInfo": {"id": app_id},
    }


def commands() -> list[Json]:
    """Return what Teams suggests while people type: the words that work as they stand."""
    listed: list[Json] = []
    for typed, does in help_lines("Teams"):
        word = typed.split()[0]
        if not any(isinstance(one, dict) and one["title"] == word for one in listed):
            listed.append({"title": word, "description": does[:1].upper() + does[1:]})
    return listed
