"""The section of a connector ``type: teams`` in ``keyturn.yaml``, as it is written there."""

from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.teams.config import (
    LOGIN_URL,
    SERVICE_HOSTS,
    SERVICE_URL,
    Base,
    Guid,
    Host,
    Reference,
)
from adapters.teams.package_section import PackageSection
from bot.core.ip_address import is_loopback

#: Keyturn gives one attempt 30 seconds; what takes longer is in doubt anyway.
MAX_TIMEOUT_S: Final = 30
_WEEK_S: Final = 7 * 86_400


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CredentialSection(Section):
    """``app_password`` and ``certificate`` say where each is kept; neither itself is ever here."""

    app_password: Reference | None = None
    certificate: Reference | None = None
    managed_identity: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = (
            self.app_password is not None,
            self.certificate is not None,
            self.managed_identity,
        )
        if sum(given) != 1:
            raise ValueError("write exactly one of app_password, certificate, managed_identity")
        return self


class ConnectorSection(Section):
    """``app_id`` is that of a bot of its own, ``tenant`` the organisation whose teams it is in."""

    type: Literal["teams"]
    app_id: Guid
    tenant: Guid
    credential: CredentialSection
    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "teams"
    undo_window_s: Annotated[int, Field(ge=60, le=_WEEK_S)] = 86_400
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] = 15
    service_url: Base = SERVICE_URL
    service_urls: list[Host] = []
    login_url: Base = LOGIN_URL
    #: Only `keyturn teams package` reads it.
    package: PackageSection | None = None

    @model_validator(mode="after")
    def _known_host(self) -> Self:
        host = urlsplit(self.service_url).hostname or ""
        if host not in self.hosts and host != "localhost" and not is_loopback(host):
            raise ValueError(
                f"service_url is none of Microsoft's: add {host} to service_urls if it is meant"
            )
        return self

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that may be sent the bot's token."""
        return SERVICE_HOSTS | frozenset(self.service_urls)
