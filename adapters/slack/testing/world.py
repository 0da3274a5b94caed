"""What the fake Slack knows: organisations, accounts, channels, messages, tokens."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

#: What our manifest asks for, written down a second time: a change there has to be one here.
BOT_SCOPES: Final = frozenset(
    {
        *("chat:write", "commands", "im:history"),
        *("users:read", "users:read.email", "usergroups:read"),
    }
)


@dataclass(slots=True, kw_only=True)
class Team:
    """A workspace; ``enterprise`` is its Grid organisation, where it is in one."""

    id: str
    name: str
    enterprise: str | None = None

    @property
    def domain(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(slots=True, kw_only=True)
class Account:
    """A user as ``users.info`` tells it. ``team`` is where it belongs, not where it is seen."""

    id: str
    team: str
    name: str
    email: str = ""
    enterprise: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_invited_user: bool = False
    is_email_confirmed: bool = True
    #: Grid: the id that is the same in every workspace, where it differs from ``id``.
    global_id: str | None = None

    def told(self, *, with_email: bool, workspaces: list[str]) -> Json:
        """Return the user object; an address only for who has the scope for it."""
        profile: Json = {"real_name": self.name, "display_name": self.name, "team": self.team}
        if with_email and self.email:
            profile["email"] = self.email
        user: Json = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower().replace(" ", "."),
            "real_name": self.name,
            "deleted": self.deleted,
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": False,
        }
        if self.is_stranger:
            return user | {"is_stranger": True}
        user |= {
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_email_confirmed": self.is_email_confirmed,
            # Slack's own flags for its admins: they must never mean anything to us.
            "is_admin": True,
            "is_owner": True,
        }
        if self.is_invited_user:
            user["is_invited_user"] = True
        if self.enterprise:
            user["enterprise_user"] = {
                "id": self.global_id or self.id,
                "enterprise_id": self.enterprise,
                "teams": workspaces,
            }
        return user


@dataclass(slots=True, kw_only=True)
class Channel:
    """``user`` is set in a DM between the bot and that account."""

    id: str
    team: str
    name: str = ""
    user: str | None = None
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    members: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Message:
    """``seen_by`` is the one account that sees an ephemeral message."""

    ts: str
    channel: str
    text: str
    blocks: list[Json]
    user: str = ""
    metadata: Json | None = None
    thread_ts: str | None = None
    edits: int = 0
    seen_by: str | None = None

    def told(self, *, with_metadata: bool = True) -> Json:
        said: Json = {
            "type": "message",
            "ts": self.ts,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
        }
        if self.thread_ts:
            said["thread_ts"] = self.thread_ts
        if self.edits:
            said["edited"] = {"user": self.user, "ts": self.ts}
        if with_metadata and self.metadata:
            said["metadata"] = self.metadata
        return said


@dataclass(slots=True, kw_only=True)
class UserGroup:
    id: str
    team: str
    handle: str
    users: list[str]
    is_disabled: bool = False


@dataclass(slots=True, kw_only=True)
class Token:
    """``team`` is None for a token of a whole Grid organisation."""

    value: str
    team: str | None
    enterprise: str | None
    scopes: frozenset[str]
    bot_user: str = ""
    is_revoked: bool = False


@dataclass(slots=True)
class World:
    """Everything that exists; ``messages`` are in the order in which they were posted.

    ``now`` is the time by which Slack stamps them, in seconds.
    """

    teams: dict[str, Team] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    views: dict[str, Json] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    has_messages_tab: bool = True
    is_on_paid_plan: bool = True
    now: Callable[[], float] = time.time
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def new_id(self, kind: str) -> str:
        return f"{kind}0{next(self._numbers):07d}"

    def new_ts(self) -> str:
        return f"{int(self.now())}.{next(self._numbers):06d}"

    def message(self, channel: str, ts: str) -> Message | None:
        found = (m for m in self.messages if m.channel == channel and m.ts == ts)
        return next(found, None)

    def dm(self, user: str, team: str) -> Channel:
        """Return the conversation of the bot with *user*, opened if there was none."""
        for channel in self.channels.values():
            if channel.user == user and channel.team == team:
                return channel
        opened = Channel(id=self.new_id("D"), team=team, user=user, members={user})
        self.channels[opened.id] = opened
        return opened

    def workspaces_of(self, enterprise: str | None) -> list[str]:
        return [team.id for team in self.teams.values() if enterprise == team.enterprise]
