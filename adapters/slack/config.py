"""The section ``chats.slack`` in ``keyturn.yaml``, as it is written there."""

from enum import StrEnum, unique
from typing import Annotated, Final, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.core.ip_address import is_loopback

API_URL: Final = "https://slack.com/api/"

Reference: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]
#: A workspace begins with T, a Grid organisation with E.
TenantId: TypeAlias = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]{2,20}$")]


@unique
class Mode(StrEnum):
    SOCKET = "socket"  #: we open the connection: no public address is needed
    HTTP = "http"  #: Slack calls the people's listener


def safe_api_url(api_url: str) -> str:
    """Return *api_url* with a slash at its end.

    Raises:
        ValueError: it is no such address, or tokens would travel in the clear.
    """
    url = urlsplit(api_url)
    host = url.hostname or ""
    is_here = host == "localhost" or is_loopback(host)
    if not host or url.query or url.fragment or url.username:
        raise ValueError("this should look like https://slack.com/api/")
    if url.scheme != "https" and not (url.scheme == "http" and is_here):
        raise ValueError("tokens would travel in the clear: begin it with https://")
    return api_url if api_url.endswith("/") else f"{api_url}/"


class ChatSection(BaseModel):
    """``bot_token`` and the other four credentials say where each is kept, never what it is."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    mode: Annotated[Mode, Field(strict=False)] = Mode.SOCKET
    bot_token: Reference | None = None
    app_token: Reference | None = None
    signing_secret: Reference | None = None
    client_id: Reference | None = None
    client_secret: Reference | None = None
    team: TenantId | None = None
    teams: list[TenantId] = []
    api_url: Annotated[str, AfterValidator(safe_api_url)] = API_URL
    link_by_email: bool = False
    public_path: Annotated[str, Field(pattern=r"^(?:/[a-z0-9-]+)+$", max_length=100)] = "/slack"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = [f"{name} is missing: {why}" for name, why in self._missing()]
        if missing:
            raise ValueError("; ".join(missing))
        return self

    def _missing(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        if self.mode is Mode.SOCKET and self.app_token is None:
            found.append(("app_token", "Socket Mode connects with it; it begins with xapp-"))
        if self.mode is Mode.HTTP and self.signing_secret is None:
            found.append(("signing_secret", "without it anybody could send clicks"))
        if self.installs:
            if self.bot_token is not None:
                found.append(("one way", "with client_id, installing brings the bot token"))
            if self.client_id is None or self.client_secret is None:
                found.append(("client_id or client_secret", "installing needs both"))
            if not self.tenants:
                found.append(("teams", "name every workspace that may install the app"))
        else:
            if self.bot_token is None:
                found.append(("bot_token", "it begins with xoxb-"))
            if self.team is None:
                found.append(("team", "name the workspace whose people may decide"))
        return found

    @property
    def installs(self) -> bool:
        """Whether workspaces install the app by themselves, through OAuth."""
        return self.client_id is not None or self.client_secret is not None

    @property
    def tenants(self) -> frozenset[str]:
        """Whose people may click: workspaces and Grid organisations."""
        own = [] if self.team is None else [self.team]
        return frozenset([*own, *self.teams])
