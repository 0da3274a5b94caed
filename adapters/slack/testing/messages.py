"""``chat.*`` and ``conversations.*`` of the fake."""

import json
from typing import Any, Final

from adapters.slack.testing.calls import Call, Method, Refusal
from adapters.slack.testing.limits import check_message
from adapters.slack.testing.world import Channel, Json, Message

_USER_IDS: Final = ("U", "W")
_MOST_AT_ONCE: Final = 999
_CURSOR: Final = "next:"


def _post(call: Call) -> Json:
    check_message(call.args)
    channel = _place(call)
    thread = call.args.get("thread_ts")
    if thread is not None and call.world.message(channel.id, thread) is None:
        raise Refusal("thread_not_found")
    message = Message(
        ts=call.world.new_ts(),
        channel=channel.id,
        user=call.caller.bot_user,
        text=call.args["text"],
        blocks=_json(call.args.get("blocks")) or [],
        metadata=_json(call.args.get("metadata")),
        thread_ts=thread,
    )
    call.world.messages.append(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.told()}


def _place(call: Call) -> Channel:
    """Return the channel of the call; the id of a user opens the DM with them."""
    world, place = call.world, call.text("channel")
    if not place.startswith(_USER_IDS):
        return _channel(call, place)
    account = world.accounts.get(place)
    if account is None or account.is_invited_user:
        raise Refusal("channel_not_found")
    if account.deleted:
        raise Refusal("user_disabled")
    if account.is_bot:
        raise Refusal("cannot_dm_bot")
    if not world.has_messages_tab:
        raise Refusal("messages_tab_disabled")
    team = call.caller.team or account.team
    if account.team != team and account.enterprise is None:
        raise Refusal("channel_not_found")
    return world.dm(account.id, team)


def _channel(call: Call, id: str) -> Channel:
    channel = call.world.channels.get(id)
    if channel is None or channel.team not in _visible(call):
        raise Refusal("channel_not_found")
    if channel.is_archived:
        raise Refusal("is_archived")
    if channel.user is None and call.caller.bot_user not in channel.members:
        raise Refusal("channel_not_found" if channel.is_private else "not_in_channel")
    return channel


def _visible(call: Call) -> set[str]:
    token = call.caller
    if token.team is not None:
        return {token.team}
    return set(call.world.workspaces_of(token.enterprise))


def _own(call: Call, *, refusal: str) -> Message:
    channel, ts = call.text("channel"), call.text("ts")
    # With the id of a user Slack finds no conversation here, whatever postMessage allows.
    if channel.startswith(_USER_IDS):
        raise Refusal("channel_not_found")
    message = call.world.message(_channel(call, channel).id, ts)
    if message is None or message.seen_by is not None:
        raise Refusal("message_not_found")
    if message.user != call.caller.bot_user:
        raise Refusal(refusal)
    return message


def _update(call: Call) -> Json:
    check_message(call.args)
    message = _own(call, refusal="cant_update_message")
    message.text = call.args["text"]
    message.blocks = _json(call.args.get("blocks")) or []
    if call.args.get("metadata") is not None:
        message.metadata = _json(call.args["metadata"])
    message.edits += 1
    return {"channel": message.channel, "ts": message.ts, "text": message.text}


def _delete(call: Call) -> Json:
    message = _own(call, refusal="cant_delete_message")
    call.world.messages.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def _whisper(call: Call) -> Json:
    check_message(call.args)
    place, user = call.text("channel"), call.text("user")
    if place.startswith(_USER_IDS):
        raise Refusal("channel_not_found")
    channel = _channel(call, place)
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    message = Message(
        ts=call.world.new_ts(),
        channel=channel.id,
        user=call.caller.bot_user,
        text=call.args["text"],
        blocks=_json(call.args.get("blocks")) or [],
        seen_by=user,
    )
    call.world.messages.append(message)
    return {"message_ts": message.ts}


def _permalink(call: Call) -> Json:
    channel = _channel(call, call.text("channel"))
    ts = call.text("message_ts")
    if call.world.message(channel.id, ts) is None:
        raise Refusal("message_not_found")
    return {"permalink": f"https://{call.team.domain}.slack.com/archives/{channel.id}/p{ts}"}


def _open(call: Call) -> Json:
    (user,) = call.text("users").split(",")
    account = call.world.accounts.get(user)
    if account is None or account.deleted:
        raise Refusal("user_not_found")
    return {"channel": {"id": call.world.dm(user, call.caller.team or account.team).id}}


def _history(call: Call) -> Json:
    channel = _channel(call, call.text("channel"))
    needed = "im:history" if channel.user is not None else "channels:history"
    if not call.has_scope(needed):
        raise Refusal("missing_scope", needed=needed)
    limit = int(call.args.get("limit") or 100)
    if limit > _MOST_AT_ONCE:
        raise Refusal("invalid_limit")
    begin = _begin(str(call.args.get("cursor") or ""))
    oldest = float(call.args.get("oldest") or 0)
    with_metadata = str(call.args.get("include_all_metadata", "")).lower() in {"1", "true"}
    found = [
        message.told(with_metadata=with_metadata)
        for message in reversed(call.world.messages)
        if message.channel == channel.id
        and message.seen_by is None
        and not message.thread_ts
        and float(message.ts) > oldest
    ]
    end = begin + limit
    told: Json = {"messages": found[begin:end], "has_more": len(found) > end}
    if told["has_more"]:
        told["response_metadata"] = {"next_cursor": f"{_CURSOR}{end}"}
    return told


def _begin(cursor: str) -> int:
    number = cursor.removeprefix(_CURSOR)
    if cursor and (cursor == number or not number.isdigit()):
        raise Refusal("invalid_cursor")
    return int(number or 0)


def _replies(call: Call) -> Json:
    channel, ts = _channel(call, call.text("channel")), call.text("ts")
    if not call.has_scope("channels:history"):
        raise Refusal("missing_scope", needed="channels:history")
    with_metadata = str(call.args.get("include_all_metadata", "")).lower() in {"1", "true"}
    found = [
        message.told(with_metadata=with_metadata)
        for message in call.world.messages
        if message.channel == channel.id
        and message.seen_by is None
        and ts in {message.ts, message.thread_ts}
    ]
    if not found:
        raise Refusal("thread_not_found")
    return {"messages": found, "has_more": False}


def _info(call: Call) -> Json:
    channel = call.world.channels.get(call.text("channel"))
    if channel is None or channel.team not in _visible(call):
        raise Refusal("channel_not_found")
    told: Json = {
        "id": channel.id,
        "name": channel.name,
        "is_im": channel.user is not None,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "is_member": call.caller.bot_user in channel.members,
        "context_team_id": channel.team,
    }
    if str(call.args.get("include_num_members", "")).lower() in {"1", "true"}:
        told["num_members"] = len(channel.members)
    return {"channel": told}


def _members(call: Call) -> Json:
    channel = _channel(call, call.text("channel"))
    return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


METHODS: Final = {
    "chat.postMessage": Method(answer=_post, scope="chat:write"),
    "chat.update": Method(answer=_update, scope="chat:write"),
    "chat.delete": Method(answer=_delete, scope="chat:write"),
    "chat.postEphemeral": Method(answer=_whisper, scope="chat:write"),
    "chat.getPermalink": Method(answer=_permalink, is_read=True),
    "conversations.open": Method(answer=_open, scope="im:write"),
    "conversations.history": Method(answer=_history, is_read=True),
    "conversations.replies": Method(answer=_replies, is_read=True),
    "conversations.info": Method(answer=_info, scope="channels:read", is_read=True),
    "conversations.members": Method(answer=_members, scope="channels:read", is_read=True),
}
