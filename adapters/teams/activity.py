"""The few fields of Teams' activities that are used, as they are on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from bot.core.errors import InvalidInput

GUID: Final = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
Guid = Annotated[str, StringConstraints(pattern=f"^{GUID}$"), AfterValidator(str.lower)]
TeamsId = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Account(Part):
    id: TeamsId
    aad: Guid = Field(alias="aadObjectId")


class Ref(Part):
    id: TeamsId


class Named(Part):
    id: TeamsId
    name: str | None = None


class Tenant(Part):
    id: Guid


class Conversation(Part):
    id: TeamsId
    tenant: Guid | None = Field(default=None, alias="tenantId")
    type: str = Field(default="", alias="conversationType")


class ChannelData(Part):
    tenant: Tenant | None = None
    team: Named | None = None
    channel: Named | None = None


class Envelope(Part):
    type: str
    id: TeamsId | None = None
    name: str = ""
    sender: Account = Field(alias="from")
    recipient: Ref
    conversation: Conversation
    service_url: TeamsId = Field(alias="serviceUrl")
    channel_data: ChannelData | None = Field(default=None, alias="channelData")
    reply_to: TeamsId | None = Field(default=None, alias="replyToId")


class Action(Part):
    verb: str = ""
    data: dict[str, Any] | None = None


class Execute(Part):
    action: Action
    trigger: str | None = None


class Invoked(Part):
    value: Execute


class Mention(Part):
    type: str = ""
    mentioned: Ref | None = None
    text: str | None = None


class Message(Part):
    text: str | None = None
    value: dict[str, Any] | None = None
    entities: list[Mention] | None = None


class Installation(Part):
    action: str = ""


class Members(Part):
    added: list[Ref] | None = Field(default=None, alias="membersAdded")
    removed: list[Ref] | None = Field(default=None, alias="membersRemoved")


Model = TypeVar("Model", bound=Part)


def parsed(model: type[Model], activity: Mapping[str, Any]) -> Model:
    """Return *activity* as *model*.

    Raises:
        InvalidInput: it has not the shape that Teams documents.
    """
    try:
        return model.model_validate(dict(activity))
    except ValidationError:
        # It is not repeated: it may carry what somebody typed.
        raise InvalidInput("Teams sent something in a form that is not known here.") from None
