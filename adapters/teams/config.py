"""The section ``chats.teams`` in ``keyturn.yaml``, as it is written there."""

from typing import Annotated, Final, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from adapters.teams.package_section import PackageSection
from bot.core.ip_address import is_loopback

#: Where the Bot Connector's metadata, Entra, Graph and the Connector itself are, in the public
#: cloud.
METADATA_URL: Final = "https://login.botframework.com/v1/.well-known/openidconfiguration"
LOGIN_URL: Final = "https://login.microsoftonline.com/"
GRAPH_URL: Final = "https://graph.microsoft.com/"
SERVICE_URL: Final = "https://smba.trafficmanager.net/teams/"

#: Hosts that may be sent the bot's token: the public cloud and those of governments.
SERVICE_HOSTS: Final = frozenset(
    {
        "smba.trafficmanager.net",
        "smba.infra.gcc.teams.microsoft.com",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
    }
)


def _safe_url(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_here = host == "localhost" or is_loopback(host)
    if not host or parts.query or parts.fragment or parts.username:
        raise ValueError("this should be an address such as https://graph.microsoft.com/")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise ValueError("tokens and keys would travel in the clear: begin it with https://")
    return url


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _host(host: str) -> str:
    parts = urlsplit(f"//{host}")
    if parts.netloc != host or parts.hostname != host or parts.port is not None or "." not in host:
        raise ValueError("write the name of a host alone, in small letters, without https://")
    return host


Reference: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]
#: As Entra writes the ids of organisations, apps and accounts, in small letters.
Guid: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"),
    AfterValidator(str.lower),
]
Address: TypeAlias = Annotated[str, AfterValidator(_safe_url)]
Base: TypeAlias = Annotated[str, AfterValidator(_safe_url), AfterValidator(_with_slash)]
Host: TypeAlias = Annotated[str, Field(max_length=253), AfterValidator(_host)]

_CREDENTIALS: Final = "app_password, certificate or managed_identity"


class ChatSection(BaseModel):
    """``app_password`` and ``certificate`` say where each is kept, never what it is."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    app_id: Guid
    tenant: Guid
    tenants: list[Guid] = []
    app_password: Reference | None = None
    certificate: Reference | None = None
    managed_identity: bool = False
    install_for_people: bool = False
    catalog_app_id: Guid | None = None
    service_url: Base = SERVICE_URL
    service_urls: list[Host] = []
    metadata_url: Address = METADATA_URL
    login_url: Base = LOGIN_URL
    graph_url: Base = GRAPH_URL
    #: Only `keyturn teams package` reads it.
    package: PackageSection | None = None
    public_path: Annotated[str, Field(pattern=r"^(?:/[a-z0-9-]+)+$", max_length=100)] = "/teams"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong = [f"{name}: {why}" for name, why in self._wrong()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _wrong(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        given = sum(
            (self.app_password is not None, self.certificate is not None, self.managed_identity)
        )
        if given == 0:
            found.append(("a credential is missing", f"add one of {_CREDENTIALS}"))
        if given > 1:
            found.append(("more than one credential", f"keep one of {_CREDENTIALS}"))
        if self.install_for_people and self.catalog_app_id is None:
            found.append(
                (
                    "catalog_app_id is missing",
                    (
                        "install_for_people installs the app that your organisation's catalogue "
                        "has under that id"
                    ),
                )
            )
        host = urlsplit(self.service_url).hostname or ""
        if host not in self.hosts and not is_loopback(host) and host != "localhost":
            found.append(
                ("service_url", f"its host is none of Microsoft's: add {host} to service_urls")
            )
        return found

    @property
    def people_of(self) -> frozenset[str]:
        """The organisations whose people may decide."""
        return frozenset(self.tenants) or frozenset({self.tenant})

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that may be sent the bot's token."""
        return SERVICE_HOSTS | frozenset(self.service_urls)
