"""What Slack sends when somebody does something, as it is documented. Pure."""

from collections.abc import Mapping
from typing import Any

from adapters.slack.testing.world import Account, Channel, Json, Message, Team

APP_ID = "A0KEYTURN"
#: Deprecated by Slack, still sent, and proof of nothing.
VERIFICATION = "verification-token"


def _where(team: Team, *, is_org_install: bool) -> Json:
    told: Json = {"id": team.id, "domain": team.domain}
    enterprise = None
    if team.enterprise:
        told |= {"enterprise_id": team.enterprise, "enterprise_name": team.enterprise}
        enterprise = {"id": team.enterprise, "name": team.enterprise}
    return {"team": told, "enterprise": enterprise, "is_enterprise_install": is_org_install}


def _who(account: Account) -> Json:
    handle = account.name.lower()
    return {"id": account.id, "username": handle, "name": handle, "team_id": account.team}


def block_actions(
    *,
    account: Account,
    team: Team,
    action: Json,
    trigger_id: str,
    response_url: str,
    message: Message | None = None,
    channel: Channel | None = None,
    view: Json | None = None,
    values: Mapping[str, Any] | None = None,
    is_org_install: bool = False,
) -> Json:
    """Return what a click sends: on *message* in *channel*, or in *view*."""
    payload: Json = {
        "type": "block_actions",
        "user": _who(account),
        "api_app_id": APP_ID,
        "token": VERIFICATION,
        "trigger_id": trigger_id,
        **_where(team, is_org_install=is_org_install),
        "actions": [action],
    }
    if message is not None and channel is not None:
        is_ephemeral = message.seen_by is not None
        payload |= {
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": channel.id,
                "is_ephemeral": is_ephemeral,
            },
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "state": {"values": dict(values or {})},
            "response_url": response_url,
        }
        if not is_ephemeral:
            payload["message"] = {**message.told(), "app_id": APP_ID, "team": team.id}
    if view is not None:
        payload |= {
            "container": {"type": "view", "view_id": view["id"]},
            "view": {**view, "state": {"values": dict(values or {})}},
        }
    return payload


def pressed(element: Json, *, block_id: str, option: Json | None = None) -> Json:
    """Return the action of pressing *element*, or of choosing *option* in it."""
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": "1763000000.000100",
    }
    if option is not None:
        return action | {"selected_option": option}
    for name in ("value", "text", "style", "confirm"):
        if name in element:
            action[name] = element[name]
    return action


def view_submission(
    *,
    account: Account,
    team: Team,
    view: Json,
    values: Mapping[str, Any],
    trigger_id: str,
    is_org_install: bool = False,
) -> Json:
    return {
        "type": "view_submission",
        "user": _who(account),
        "api_app_id": APP_ID,
        "token": VERIFICATION,
        "trigger_id": trigger_id,
        **_where(team, is_org_install=is_org_install),
        "view": {**view, "state": {"values": dict(values)}},
        "response_urls": [],
    }


def view_closed(*, account: Account, team: Team, view: Json) -> Json:
    return {
        "type": "view_closed",
        "user": _who(account),
        "api_app_id": APP_ID,
        "token": VERIFICATION,
        **_where(team, is_org_install=False),
        "view": view,
        "is_cleared": False,
    }


def command(
    *,
    account: Account,
    team: Team,
    channel: Channel,
    name: str,
    text: str,
    trigger_id: str,
    response_url: str,
    is_org_install: bool = False,
) -> Json:
    told = {
        "token": VERIFICATION,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": channel.name or "directmessage",
        "user_id": account.id,
        "user_name": account.name.lower(),
        "command": name,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "true" if is_org_install else "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }
    if team.enterprise:
        told |= {"enterprise_id": team.enterprise, "enterprise_name": team.enterprise}
    return told


def shortcut(
    *, account: Account, team: Team, callback_id: str, trigger_id: str, is_org_install: bool = False
) -> Json:
    return {
        "type": "shortcut",
        "token": VERIFICATION,
        "action_ts": "1763000000.000200",
        **_where(team, is_org_install=is_org_install),
        "user": _who(account),
        "callback_id": callback_id,
        "trigger_id": trigger_id,
    }


def event(
    *, event_id: str, team: Team | None, enterprise: str | None, event: Json, bot_user: str
) -> Json:
    """Return the callback of *event*; *team* is None where a whole organisation is meant."""
    told: Json = {
        "token": VERIFICATION,
        "team_id": None if team is None else team.id,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": 1_763_000_000,
        "authorizations": [
            {
                "enterprise_id": enterprise,
                "team_id": None if team is None else team.id,
                "user_id": bot_user,
                "is_bot": True,
                "is_enterprise_install": team is None,
            }
        ],
        "is_ext_shared_channel": False,
    }
    if enterprise:
        told["enterprise_id"] = enterprise
    return told
