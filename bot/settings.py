"""What `keyturn.yaml` may say. Unknown keys refuse; everything wrong is reported at once."""

import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.core.daily import Daily
from bot.core.errors import SettingsInvalid
from bot.core.policy_yaml import Place as Way
from bot.core.policy_yaml import Read, read_yaml
from bot.secret_refs import SecretRefs, is_placeholder, private_file_problem
from bot.service.caps import Caps
from bot.settings_problems import place, way_of, without, wrong_keys
from bot.settings_values import UTC_NAME, Cap, Host, Location, Name, Network, Own, Port, Zone

_CAPS = Caps()
#: How a reference to a credential begins.
_KEPT = ("env:", "file:")


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Tls(_Section):
    """A certificate chain and its private key, both PEM; the key's mode must be 0600."""

    cert: Location
    key: Location


class Listener(_Section):
    host: str = "127.0.0.1"
    port: Port
    tls: Tls | None = None

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Where the listener answers, seen from this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class AdminListener(_Section):
    """Always a unix socket, for the commands on this machine; a port only where one is named."""

    socket: Location | None = None
    host: str = "127.0.0.1"
    port: Port | None = None
    tls: Tls | None = None

    @property
    def tcp(self) -> Listener | None:
        if self.port is None:
            return None
        return Listener(host=self.host, port=self.port, tls=self.tls)


class AgentsListener(Listener):
    port: Port = 8080


class PeopleListener(Listener):
    port: Port = 8081


class Listeners(_Section):
    agents: AgentsListener = AgentsListener()
    people: PeopleListener = PeopleListener()
    admin: AdminListener = AdminListener()

    def by_name(self) -> Iterator[tuple[str, Listener]]:
        """Yield every listener that has a port, with its name in the settings."""
        yield "agents", self.agents
        yield "people", self.people
        if (admin := self.admin.tcp) is not None:
            yield "admin", admin


class StoreChoice(_Section):
    type: Name = "sqlite"


class CapsSection(_Section):
    """The fixed caps of the gate: each may be set, none may be taken away."""

    pending_per_agent: Cap = _CAPS.pending_per_agent
    pending_per_principal: Cap = _CAPS.pending_per_principal
    submits_per_minute: Cap = _CAPS.submits_per_minute
    reads_per_minute: Cap = _CAPS.reads_per_minute
    requests_per_second: Cap = _CAPS.requests_per_second
    waits_per_agent: Cap = _CAPS.waits_per_agent
    waits_total: Cap = _CAPS.waits_total
    max_body_bytes: Cap = _CAPS.max_body_bytes


class Webhooks(_Section):
    """Messages go to public addresses over https, and to these hosts whatever they are."""

    private_hosts: tuple[Host, ...] = Field(default=(), strict=False)


class Notices(_Section):
    """When channels get their digest: at ``digest_hour`` o'clock in ``time_zone``."""

    digest_hour: Annotated[int, Field(ge=0, le=23)] = 8
    time_zone: Zone = UTC_NAME

    @property
    def daily(self) -> Daily:
        # Not every machine has the list of time zones.
        zone = UTC if self.time_zone == UTC_NAME else ZoneInfo(self.time_zone)
        return Daily(hour=self.digest_hour, zone=zone)


class Log(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(_Section):
    """`keyturn.yaml`, checked; every path in it is absolute from here on."""

    deployment: Name
    data_dir: Location
    public_url: str | None = None
    listeners: Listeners = Listeners()
    trusted_proxies: tuple[Network, ...] = Field(default=(), strict=False)
    policy: Location
    groups: Location | None = None
    store: StoreChoice = StoreChoice()
    chats: dict[Name, Own] = Field(default_factory=lambda: dict[str, Own](web={}))
    connectors: dict[Name, Own] = Field(default_factory=dict)
    caps: CapsSection = CapsSection()
    webhooks: Webhooks = Webhooks()
    notices: Notices = Notices()
    log: Log = Log()

    file: Path = Field(exclude=True)
    environment: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def url_for_people(self) -> str:
        """Where people open the inbox: ``public_url``, or the people's listener itself."""
        return (self.public_url or self.listeners.people.url).rstrip("/")

    @property
    def all_caps(self) -> Caps:
        return Caps(**self.caps.model_dump())

    @property
    def admin_socket(self) -> Path:
        return self.listeners.admin.socket or self.data_dir / "admin.sock"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def secrets(self) -> SecretRefs:
        """What resolves the credential references of connectors and chats."""
        return SecretRefs(self.environment, folder=self.file.parent)


def load(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that *file* holds.

    Raises:
        SettingsInvalid: with everything that is wrong, in the order of the file.
    """
    try:
        read = read_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(
            f"There are no settings: {file} cannot be read ({(error.strerror or '').lower()}).",
            remedy="Change to the folder where the bot was started, or name the file with "
            "--config. For a new deployment: `keyturn init`.",
        ) from error
    except UnicodeDecodeError as error:
        raise _invalid(file, ["the file is not UTF-8. Save it as UTF-8."]) from error
    if read.problems:
        raise _invalid(file, [f"line {one.line}: {one.message}." for one in read.problems])
    beside = {
        "file": file.absolute(),
        "environment": os.environ if environment is None else environment,
    }
    settings, found = _parse(read, beside)
    found += _together(settings)
    if found:
        found.sort(key=lambda one: read.line_of(one[0]) if one[0][:1] in read.lines else 0)
        raise _invalid(file, [f"{place(read, way)}: {what}." for way, what in found])
    return settings


def _parse(read: Read, beside: Mapping[str, object]) -> tuple[Settings, list[tuple[Way, str]]]:
    """Return the settings without what is wrong with single keys, and what that is.

    What is left can then be checked together, so that nobody has to start twice to learn all.
    """
    file = Path(str(beside["file"]))
    context = {"folder": file.parent}
    value: Any = read.value if read.value is not None else {}
    if not isinstance(value, dict):
        raise _invalid(file, ["the file is not a list of `key: value` lines. Write it anew."])
    given, problems = value, list[tuple[Way, str]]()
    stand_ins = {"deployment": "unnamed", "data_dir": ".", "policy": "policy.yaml"}
    while True:
        try:
            return Settings.model_validate({**value, **beside}, context=context), problems
        except ValidationError as error:
            if value is given:
                problems = list(wrong_keys(error, Settings))
            for one in error.errors(include_url=False):
                way = way_of(one)
                value = without(value, way[:-1] if one["type"] == "missing" else way)
            value = {**stand_ins, **value}


def _together(settings: Settings) -> Iterator[tuple[Way, str]]:
    yield from _placeholders(settings)
    yield from _shared_credentials(settings)
    yield from _addresses(settings)
    yield from _public_url(settings)
    for name, tls in (
        ("agents", settings.listeners.agents.tls),
        ("people", settings.listeners.people.tls),
        ("admin", settings.listeners.admin.tls),
    ):
        if tls is not None:
            yield from _tls(("listeners", name, "tls"), tls)


def _placeholders(settings: Settings) -> Iterator[tuple[Way, str]]:
    if is_placeholder(settings.deployment):
        yield (
            ("deployment",),
            f"{settings.deployment} is an example. Give this deployment a name of its own",
        )
    for section in ("chats", "connectors"):
        for name, own in getattr(settings, section).items():
            for way, text in _texts(own):
                if is_placeholder(text):
                    yield (
                        (section, name, *way),
                        "this is an example value. Write what is true here",
                    )


def _shared_credentials(settings: Settings) -> Iterator[tuple[Way, str]]:
    of_chats = {
        text: f"chats.{name}"
        for name, own in settings.chats.items()
        for _, text in _texts(own)
        if text.startswith(_KEPT)
    }
    for name, own in settings.connectors.items():
        for way, text in _texts(own):
            if text in of_chats:
                what = (
                    f"{text} is a credential of {of_chats[text]} too. A chat shows what connectors "
                    "would write: give each of them an app and a credential of its own"
                )
                yield ("connectors", name, *way), what


def _texts(value: object, way: Way = ()) -> Iterator[tuple[Way, str]]:
    match value:
        case str():
            yield way, value
        case dict():
            for key, member in value.items():
                yield from _texts(member, (*way, str(key)))
        case list():
            for index, member in enumerate(value):
                yield from _texts(member, (*way, index))
        case _:
            return


def _addresses(settings: Settings) -> Iterator[tuple[Way, str]]:
    taken: dict[tuple[str, int], str] = {}
    for name, listener in settings.listeners.by_name():
        address = (listener.host, listener.port)
        if address in taken:
            yield (
                ("listeners", name, "port"),
                f"{listener.port} is the port of {taken[address]} too. Give each listener its own",
            )
        taken[address] = name
        in_the_clear = listener.tls is None and not listener.is_loopback
        if in_the_clear and (name == "admin" or not settings.trusted_proxies):
            what = (
                f"{listener.host} can be reached from other machines, so credentials would travel "
                "in the clear. Add tls, or listen on 127.0.0.1, or name the proxy that speaks TLS "
                "for it in trusted_proxies"
            )
            yield ("listeners", name, "tls"), what


def _public_url(settings: Settings) -> Iterator[tuple[Way, str]]:
    way = ("public_url",)
    if settings.public_url is None:
        if not settings.listeners.people.is_loopback:
            what = (
                "is missing, and people need an address that reaches listeners.people. "
                "Add it, for example https://keyturn.your-company.net"
            )
            yield way, what
        return
    url = urlsplit(settings.public_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        yield way, "is not an address. Write it like https://keyturn.your-company.net"
    elif url.path.strip("/") or url.query or url.fragment or url.username:
        yield way, "has more than a host and a port. Remove what follows them"
    elif url.scheme == "http" and not is_loopback(url.hostname):
        yield way, "sends sign-in links and sessions in the clear. Begin it with https://"
    elif url.hostname == "example" or url.hostname.endswith((".example", "example.com")):
        yield way, "is an example. Write the address that people will open"


def _tls(way: Way, tls: Tls) -> Iterator[tuple[Way, str]]:
    if problem := private_file_problem(tls.key):
        yield (*way, "key"), problem.rstrip(".")
        return
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # Without a pass phrase given here, OpenSSL would ask for one and wait.
        context.load_cert_chain(tls.cert, tls.key, password="")
    except FileNotFoundError:
        yield (*way, "cert"), f"{tls.cert} is not there. Put the certificate chain there"
    except (OSError, ssl.SSLError) as error:
        reason = (getattr(error, "reason", None) or "not PEM, or with a pass phrase").lower()
        yield way, f"certificate and key cannot be used ({reason}). Check that they belong together"


def is_loopback(host: str) -> bool:
    """Return whether *host* can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _invalid(file: Path, problems: list[str] | tuple[str, ...]) -> SettingsInvalid:
    count = "one thing is" if len(problems) == 1 else f"{len(problems)} things are"
    return SettingsInvalid(f"{file}: {count} wrong.", problems=problems)
