"""The Bot Connector's REST interface: conversations, activities and members."""

import copy
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.teams.testing.calls import Call, Desk, Does, Refusal
from adapters.teams.testing.limits import check_activity
from adapters.teams.testing.world import Account, Activity, Chat, Json, World

_WHY_BARRED: Final = {
    "BotNotInConversationRoster": "The bot is not part of the conversation roster.",
    "ConversationBlockedByUser": "User blocked the conversation with the bot.",
    "BotDisabledByAdmin": "The tenant admin disabled this bot",
    "MessageWritesBlocked": "Message writes are blocked.",
}


class Connector:
    """Serves what is asked of ``/teams/v3``; ``desk`` records it and has faults meet it."""

    def __init__(self, world: World, desk: Desk, *, bot: str, service_url: str) -> None:
        self._world = world
        self._desk = desk
        self._bot = bot
        self._service_url = service_url
        #: Organisations in which the app may be talked to before it is installed for somebody.
        self.is_installed_for_all = False
        self.installed: set[str] = set()  #: object ids of whom the app is installed for

    def routes(self) -> Sequence[web.RouteDef]:
        conversation = "/teams/v3/conversations/{conversation}"
        activity = f"{conversation}/activities/{{activity}}"
        return [
            web.post("/teams/v3/conversations", self._as("create", self._create)),
            web.post(f"{conversation}/activities", self._as("send", self._send)),
            web.post(activity, self._as("reply", self._send)),
            web.put(activity, self._as("update", self._update)),
            web.delete(activity, self._as("delete", self._delete)),
            web.get(f"{conversation}/members", self._as("members", self._members)),
            web.get(f"{conversation}/pagedmembers", self._as("members", self._paged)),
            web.get(f"{conversation}/members/{{member}}", self._as("member", self._member)),
        ]

    def _as(self, operation: str, do: Does) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._desk.serve(request, operation, do)

        return serve

    def _create(self, call: Call) -> Json:
        asked = _object(call.body)
        if (asked.get("bot") or {}).get("id") != self._bot:
            raise Refusal(401, "BotNotRegistered", "The bot is not registered")
        data = asked.get("channelData") or {}
        tenant = (data.get("tenant") or {}).get("id") or asked.get("tenantId")
        if "channel" in data:
            return self._thread(asked, str(data["channel"].get("id")), str(tenant))
        members = asked.get("members") or []
        if asked.get("isGroup") or len(members) != 1:
            raise Refusal(400, "BadSyntax", "Incorrect conversation creation parameters")
        account = self._account(str(members[0].get("id")))
        if tenant != account.tenant:
            raise Refusal(400, "BadSyntax", "The tenant is missing, or another")
        if not (self.is_installed_for_all or account.user in self.installed):
            raise Refusal(403, "BotNotInConversationRoster", _WHY_BARRED[_NOT_THERE])
        chat = self._world.open_personal(account)
        if chat.barred:
            raise _barred(chat.barred)
        chat.has_bot = True
        return {"id": chat.id, "serviceUrl": self._service_url}

    def _thread(self, asked: Json, channel: str, tenant: str) -> Json:
        chat = self._chat(channel)
        if chat.kind != "channel" or chat.tenant != tenant or not asked.get("isGroup"):
            raise Refusal(400, "BadSyntax", "Incorrect conversation creation parameters")
        activity = self._keep(chat, asked.get("activity"))
        return {
            "id": f"{chat.id};messageid={activity.id}",
            "activityId": activity.id,
            "serviceUrl": self._service_url,
        }

    def _send(self, call: Call) -> Json:
        return {"id": self._keep(self._chat(_conversation(call)), call.body).id}

    def _update(self, call: Call) -> Json:
        chat = self._chat(_conversation(call))
        activity = self._activity(chat, call)
        content = _object(call.body)
        check_activity(content)
        activity.content = copy.deepcopy(content)
        activity.updates += 1
        activity.shown_to.clear()
        return {"id": activity.id}

    def _delete(self, call: Call) -> None:
        self._activity(self._chat(_conversation(call)), call).is_deleted = True

    def _members(self, call: Call) -> list[Json]:
        chat = self._chat(_conversation(call))
        return [self._world.accounts[user].member for user in sorted(chat.members)]

    def _paged(self, call: Call) -> Json:
        return {"members": self._members(call)}

    def _member(self, call: Call) -> Json:
        chat = self._chat(_conversation(call))
        try:
            account = self._account(unquote(call.path.partition("?")[0].rpartition("/")[2]))
        except Refusal:
            raise _no_member() from None
        if account.user not in chat.members:
            raise _no_member()
        return account.member

    def _keep(self, chat: Chat, content: object) -> Activity:
        given = _object(content)
        check_activity(given)
        return self._world.keep(chat, given)

    def _chat(self, conversation: str) -> Chat:
        chat = self._world.chat_of(conversation)
        if chat is None:
            raise Refusal(404, "ConversationNotFound", "Conversation not found.")
        if chat.barred:
            raise _barred(chat.barred)
        if not chat.has_bot:
            raise _barred(_NOT_THERE)
        return chat

    def _activity(self, chat: Chat, call: Call) -> Activity:
        wanted = unquote(call.path.partition("?")[0].rpartition("/")[2])
        activity = self._world.activity(chat, wanted)
        if activity is None:
            raise Refusal(404, "ActivityNotFoundInConversation", "Activity not found")
        return activity

    def _account(self, named: str) -> Account:
        """Return whom *named* names: an object id, or what Teams calls the account."""
        for account in self._world.accounts.values():
            if named in {account.user, account.mri}:
                return account
        raise Refusal(400, "BadArgument", "Unknown member")


_NOT_THERE: Final = "BotNotInConversationRoster"


def _barred(code: str) -> Refusal:
    return Refusal(403, code, _WHY_BARRED.get(code, code))


def _no_member() -> Refusal:
    return Refusal(404, "MemberNotFoundInConversation", "Member not found")


def _conversation(call: Call) -> str:
    return unquote(call.path.partition("/v3/conversations/")[2].partition("/")[0])


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise Refusal(400, "BadSyntax", "No JSON object")
    return value
