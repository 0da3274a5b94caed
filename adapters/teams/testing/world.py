"""What the fake Teams knows: accounts, chats, channels, and what stands in them."""

import copy
import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import uuid4

Json: TypeAlias = dict[str, Any]

ADAPTIVE = "application/vnd.microsoft.card.adaptive"


@dataclass(slots=True, kw_only=True)
class Account:
    """An account as the Connector tells it; ``tenant`` is its home, not where it is seen."""

    tenant: str
    user: str
    mri: str
    name: str
    role: str = "user"
    is_enabled: bool = True
    #: False for whom the Connector names no object id, as it does for anonymous people.
    has_object_id: bool = True

    @property
    def sender(self) -> Json:
        told: Json = {"id": self.mri, "name": self.name}
        return {**told, "aadObjectId": self.user} if self.has_object_id else told

    @property
    def member(self) -> Json:
        """The account as a member of a chat."""
        mail = f"{self.name.lower().replace(' ', '.')}@example.net"
        return {
            **self.sender,
            "givenName": self.name,
            "surname": "",
            "email": mail,
            "userPrincipalName": mail,
            "tenantId": self.tenant,
            "userRole": self.role,
        }


@dataclass(slots=True, kw_only=True)
class Chat:
    """A conversation of ``kind`` personal, groupChat or channel."""

    id: str
    kind: str
    tenant: str
    members: set[str] = field(default_factory=set)  #: by object id
    has_bot: bool = True
    #: Why nothing can be written there: a code of the Connector, for the person of the chat.
    barred: str | None = None
    team: str | None = None
    name: str = ""


@dataclass(slots=True, kw_only=True)
class Activity:
    """Something the bot has sent. ``shown_to`` holds what an answer to one person's click shows."""

    id: str
    chat: str
    content: Json
    updates: int = 0
    shown_to: dict[str, Json] = field(default_factory=dict)
    is_deleted: bool = False

    @property
    def card(self) -> Json | None:
        """What everybody sees of the card, if it is one."""
        for attachment in self.content.get("attachments") or []:
            if attachment["contentType"] == ADAPTIVE:
                found: Json = attachment["content"]
                return found
        return None

    def card_for(self, user: str) -> Json | None:
        return self.shown_to.get(user) or self.card


@dataclass(slots=True)
class World:
    """Everything that exists; ``activities`` are in the order in which they were sent."""

    accounts: dict[str, Account] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    #: Security groups by id: object ids of accounts and ids of further groups.
    groups: dict[str, set[str]] = field(default_factory=dict)
    _numbers: Callable[[], int] = field(default_factory=lambda: itertools.count(1).__next__)

    def new_activity_id(self) -> str:
        return f"1763{self._numbers():09d}"

    def add_account(self, name: str, *, tenant: str, **flags: Any) -> Account:
        account = Account(
            tenant=tenant,
            user=str(uuid4()),
            mri=f"29:1{secrets.token_urlsafe(32)}",
            name=name,
            **flags,
        )
        self.accounts[account.user] = account
        return account

    def personal(self, account: Account) -> Chat | None:
        """Return the chat of *account* with the bot, if there ever was one."""
        for chat in self.chats.values():
            if chat.kind == "personal" and chat.members == {account.user}:
                return chat
        return None

    def open_personal(self, account: Account) -> Chat:
        chat = self.personal(account)
        if chat is None:
            chat = Chat(
                id=f"a:1{secrets.token_urlsafe(48)}",
                kind="personal",
                tenant=account.tenant,
                members={account.user},
            )
            self.chats[chat.id] = chat
        return chat

    def add_chat(self, kind: str, *, tenant: str, **more: Any) -> Chat:
        """Add a group chat or a channel, with the bot in it."""
        ending = "thread.tacv2" if kind == "channel" else "thread.v2"
        chat = Chat(id=f"19:{secrets.token_hex(16)}@{ending}", kind=kind, tenant=tenant, **more)
        self.chats[chat.id] = chat
        return chat

    def chat_of(self, conversation: str) -> Chat | None:
        """Return the chat that *conversation*, perhaps one thread of a channel, is in."""
        return self.chats.get(conversation.partition(";messageid=")[0])

    def keep(self, chat: Chat, content: Json) -> Activity:
        activity = Activity(id=self.new_activity_id(), chat=chat.id, content=copy.deepcopy(content))
        self.activities.append(activity)
        return activity

    def activity(self, chat: Chat, activity_id: str) -> Activity | None:
        found = (
            one
            for one in self.activities
            if one.chat == chat.id and one.id == activity_id and not one.is_deleted
        )
        return next(found, None)

    def groups_of(self, user: str) -> set[str]:
        """Return every group that *user* is in, directly or through another group."""
        found: set[str] = set()
        left = {user}
        while left:
            holders = {name for name, members in self.groups.items() if members & left}
            left = holders - found
            found |= holders
        return found
