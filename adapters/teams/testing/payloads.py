"""Activities as Teams sends them to a bot, in every field that a bot could look at."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.teams.testing.world import Account, Chat, Json


def activity(
    kind: str, *, account: Account, chat: Chat, bot: str, service_url: str, **more: Any
) -> Json:
    """Return an activity of *kind* that *account* causes in *chat*."""
    conversation: Json = {
        "conversationType": chat.kind,
        "tenantId": chat.tenant,
        "id": chat.id,
    }
    data: Json = {"tenant": {"id": chat.tenant}}
    if chat.kind != "personal":
        conversation["isGroup"] = True
    if chat.kind == "channel":
        thread = str(more.get("replyToId") or uuid4().int % 10**13)
        conversation["id"] = f"{chat.id};messageid={thread}"
        data |= {
            "teamsChannelId": chat.id,
            "teamsTeamId": chat.team,
            "channel": {"id": chat.id, "name": chat.name},
            "team": {"id": chat.team, "name": chat.team},
        }
    return {
        "type": kind,
        "id": f"f:{uuid4()}",
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "localTimestamp": datetime.now(UTC).isoformat(),
        "localTimezone": "Europe/Vienna",
        "channelId": "msteams",
        "serviceUrl": service_url,
        "from": account.sender,
        "conversation": conversation,
        "recipient": {"id": bot, "name": "Keyturn"},
        "entities": [{"locale": "en-US", "country": "US", "platform": "Web", "type": "clientInfo"}],
        "channelData": data,
        "locale": "en-US",
        **more,
    }


def executed(
    action: Mapping[str, Any], *, inputs: Mapping[str, str], trigger: str = "manual"
) -> Json:
    """Return the value of an invoke for *action*, with what was typed merged into its data."""
    return {
        "action": {
            "type": "Action.Execute",
            "id": action.get("id", ""),
            "title": action.get("title", ""),
            "verb": action.get("verb", ""),
            "data": {**copy.deepcopy(action.get("data") or {}), **inputs},
        },
        "trigger": trigger,
    }


def submitted(action: Mapping[str, Any], *, inputs: Mapping[str, str]) -> Json:
    """Return the value of the message that an old client sends for the fallback of *action*."""
    return {**copy.deepcopy(action.get("data") or {}), **inputs}
