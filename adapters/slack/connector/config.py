"""The section of a connector ``type: slack`` in ``keyturn.yaml``, as it is written there."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from adapters.slack.config import API_URL, Reference, safe_api_url

#: Keyturn gives one attempt 30 seconds; what takes longer is in doubt anyway.
MAX_TIMEOUT_S: Final = 30
_WEEK_S: Final = 7 * 86_400


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CredentialSection(Section):
    """``reference`` says where the bot token is kept; the token itself is never here."""

    reference: Reference


class ConnectorSection(Section):
    """``mentions`` lets a message notify people who are named in a param of its own."""

    type: Literal["slack"]
    team: Annotated[str, Field(pattern=r"^T[A-Z0-9]{2,20}$")]
    credential: CredentialSection
    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "slack"
    mentions: bool = False
    undo_window_s: Annotated[int, Field(ge=60, le=_WEEK_S)] = 86_400
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] = 15
    api_url: Annotated[str, AfterValidator(safe_api_url)] = API_URL
