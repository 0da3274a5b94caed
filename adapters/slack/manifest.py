"""The app's manifest: everything an admin would otherwise click together on Slack's pages.

Slack's manifest schema, version 2. Least scopes: each one is here with its reason, which
``keyturn slack manifest`` prints beside it.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from adapters.slack.config import Mode
from adapters.slack.pressable import COMMAND, STOP_SHORTCUT
from bot.core.canonical import Json

#: Without one of these the chat does not work.
SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "chat:write": "Send cards to people in private, and notices to channels it was invited to.",
        "commands": "Answer /keyturn and the shortcut that stops an agent.",
        "im:history": "Find a card again whose posting was not answered, so that none is posted "
        "twice. These conversations hold nothing but Keyturn's own cards.",
        "users:read": "Refuse guests, bots, deactivated accounts and people of other workspaces.",
        "users:read.email": "Find a person by the address an admin gave, where that is allowed.",
    }
)
#: With these it does more; an admin may leave each of them out.
OPTIONAL_SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "usergroups:read": "Let a rule name a user group of Slack as approvers.",
    }
)
EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "app_home_opened": "Show the inbox.",
        "app_uninstalled": "Notice at once that nobody can be reached.",
        "tokens_revoked": "The same.",
        "user_change": "Forget what was known of an account that changed.",
    }
)
_NAME: Final = "Keyturn"
_DESCRIPTION: Final = "Asks you before an AI agent writes anything in your name"
_LONG_DESCRIPTION: Final = (
    "AI agents that act for you propose what they would write: a post, a mail, a change. Keyturn "
    "holds each proposal and shows it to you here, in private. Nothing is written until you "
    "approve it, and you can stop an agent at any time, also from your phone."
)


def lacking(scopes: Collection[str]) -> list[str]:
    """Return what an app with *scopes* lacks for the chat to work."""
    return [scope for scope in SCOPES if scope not in scopes]


def manifest(mode: Mode, *, base_url: str | None = None, installs: bool = False) -> Json:
    """Return the manifest for *mode*; *base_url* is where Slack reaches the bot in HTTP mode.

    *installs* adds what several workspaces need to install the app by themselves.

    Raises:
        ValueError: HTTP mode or installing without *base_url*.
    """
    if base_url is None and (mode is Mode.HTTP or installs):
        raise ValueError("where Slack reaches the bot is not known")
    events_url = f"{base_url}/events"
    is_http = mode is Mode.HTTP
    command: dict[str, Json] = {
        "command": COMMAND,
        "description": "Your inbox, your agents, and Stop",
        "usage_hint": "pending | stop | resume | agents | whoami | link CODE | help",
        "should_escape": False,
    }
    subscriptions: dict[str, Json] = {"bot_events": list(EVENTS)}
    interactivity: dict[str, Json] = {"is_enabled": True}
    if is_http:
        command["url"] = interactivity["request_url"] = subscriptions["request_url"] = events_url
    oauth: dict[str, Json] = {
        "scopes": {"bot": [*SCOPES, *OPTIONAL_SCOPES], "bot_optional": list(OPTIONAL_SCOPES)}
    }
    if installs:
        oauth["redirect_urls"] = [f"{base_url}/oauth"]
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": _NAME,
            "description": _DESCRIPTION,
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1f4d3a",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                # Nobody can approve by typing.
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": _NAME, "always_online": True},
            "shortcuts": [
                {
                    "name": "Stop an agent",
                    "type": "global",
                    "callback_id": STOP_SHORTCUT,
                    "description": "Stop an AI agent at once",
                }
            ],
            "slash_commands": [command],
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": interactivity,
            "org_deploy_enabled": installs,
            "socket_mode_enabled": not is_http,
            "token_rotation_enabled": False,
        },
    }
