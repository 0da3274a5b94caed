"""What admins send and get about people's accounts in chats, and about where notices go."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bot.core.identity import LinkedBy
from bot.core.notice import Topic
from bot.http.bodies import Body
from bot.http.models import Answer

ChatName = Annotated[
    str, Field(min_length=1, max_length=64, examples=["slack"], description="As in the settings.")
]
ChatId = Annotated[str, Field(min_length=1, max_length=200)]
Address = Annotated[str, Field(min_length=3, max_length=255, examples=["dana@your-company.net"])]
Globs = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)]
TopicName = Literal["undeliverable", "halt", "in_doubt", "not_mine", "digest"]


class EmailBody(Body):
    """The person's address in chats; null removes it."""

    email: Address | None


class LinkCodeBody(Body):
    """In which chat the account is that the code will link."""

    chat: ChatName


class IdentityBody(Body):
    """One account in one chat, by the chat's own ids."""

    chat: ChatName
    tenant: ChatId
    user: ChatId


class NoticeRouteBody(Body):
    """What one channel is told, in place of what it was told until now."""

    chat: ChatName
    place: Annotated[ChatId, Field(description="The chat's own id of the channel.")]
    place_name: Annotated[str, Field(max_length=200, description="What people call it.")] = ""
    topics: Annotated[list[TopicName], Field(min_length=1, max_length=5)]
    agents: Annotated[
        Globs, Field(default_factory=list, description="Names with `*`; empty means all agents.")
    ]
    verbs: Annotated[
        Globs, Field(default_factory=list, description="Names with `*`; empty means all verbs.")
    ]


class LinkCodeAnswer(Answer):
    person: str
    chat: str
    code: Annotated[str, Field(description="Works once. Shown this once.")]
    expires_at: datetime


class IdentityAnswer(Answer):
    chat: str
    tenant: str
    user: str
    by: LinkedBy
    linked_at: datetime


class IdentitiesAnswer(Answer):
    """Every account of one person, the one linked last first."""

    identities: list[IdentityAnswer]


class NoticeRouteAnswer(Answer):
    id: str
    chat: str
    place: str
    place_name: str
    topics: list[Topic]
    agents: list[str]
    verbs: list[str]
    set_by: Annotated[str | None, Field(description="The admin; null: the operator.")]
    set_at: datetime


class NoticeRoutesAnswer(Answer):
    notice_routes: list[NoticeRouteAnswer]
