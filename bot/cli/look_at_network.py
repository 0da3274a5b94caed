"""What `keyturn doctor` can tell about addresses: ports, names, certificates, targets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from adapters.smtp.config import PORTS, Security
from bot.chosen import choose_connector
from bot.cli.findings import Finding, fail, halves, ok, warn
from bot.cli.first_files import is_free
from bot.core.errors import SettingsInvalid
from bot.core.ip_address import is_literal, why_refused
from bot.settings import Settings, Tls, is_loopback
from bot.system_clock import SystemClock

CONNECT_WITHIN_S = 3.0
_RENEW_BEFORE = timedelta(days=21)


async def about_network(settings: Settings, *, running: bool) -> AsyncIterator[Finding]:
    """Yield what can be told without a bot; *running* says whether one holds the ports."""
    for finding in (
        *_ports(settings, running=running),
        *_public_url(settings),
        *_certificates(settings),
        *_proxies(settings),
    ):
        yield finding
    host = urlsplit(settings.url_for_people).hostname or ""
    if not is_loopback(host) and not await addresses_of(host):
        yield warn(
            "public_url",
            f"{host} is not known to this machine's name server",
            "Have the name set up, or correct it: sign-in links lead there.",
        )
    if not settings.chats:
        yield fail("chats", "there is none, so nobody can be asked", "Add `web: {}`.")
    async for finding in _connectors(settings):
        yield finding


async def addresses_of(host: str) -> list[str]:
    """Return every address of *host*; none when it is not known."""
    if is_literal(host):
        return [host]
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]


async def answers(host: str, port: int) -> bool:
    """Return whether something takes connections there."""
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _ports(settings: Settings, *, running: bool) -> Iterator[Finding]:
    for name, listener in settings.listeners.by_name():
        place = f"listeners.{name}.port"
        if running:
            yield ok(place, f"{listener.url}, served by the running bot")
        elif is_free(listener.port, listener.host):
            yield ok(place, f"{listener.host}:{listener.port} is free")
        else:
            yield fail(
                place,
                f"{listener.host}:{listener.port} is taken by another program, or not ours",
                "Choose another port, or stop that program.",
            )


def _public_url(settings: Settings) -> Iterator[Finding]:
    url, people = urlsplit(settings.url_for_people), settings.listeners.people
    port = url.port or (443 if url.scheme == "https" else 80)
    is_here = is_loopback(url.hostname or "")
    if is_here and port != people.port:
        yield fail(
            "public_url",
            f"links lead to port {port}, and the inbox is on port {people.port}",
            "Write the port of listeners.people, or the address that people open.",
        )
    elif is_here and not people.is_loopback:
        yield warn(
            "public_url",
            "links lead to this machine alone, though the inbox can be reached from others",
            "Write the address that people open.",
        )
    elif people.tls is not None and url.scheme == "http":
        yield fail(
            "public_url", "it begins with http, and the inbox speaks TLS", "Begin it with https://."
        )
    elif url.scheme == "https" and people.tls is None and not settings.trusted_proxies:
        yield warn(
            "trusted_proxies",
            "public_url begins with https, and neither the inbox nor a named proxy speaks TLS",
            "Name the proxy that does in trusted_proxies, or give listeners.people a certificate.",
        )
    else:
        yield ok("public_url", settings.url_for_people)


def _certificates(settings: Settings) -> Iterator[Finding]:
    listeners = settings.listeners
    for name, tls in (
        ("agents", listeners.agents.tls),
        ("people", listeners.people.tls),
        ("admin", listeners.admin.tls),
    ):
        if tls is not None:
            host = urlsplit(settings.url_for_people).hostname if name == "people" else None
            yield from _certificate(f"listeners.{name}.tls.cert", tls, host=host)


def _certificate(place: str, tls: Tls, *, host: str | None) -> Iterator[Finding]:
    # The settings were loaded with it, so it is there and is PEM.
    first, *_ = x509.load_pem_x509_certificates(tls.cert.read_bytes())
    ends, now = first.not_valid_after_utc, datetime.now(UTC)
    if ends <= now:
        yield fail(place, f"it expired on {ends:%Y-%m-%d}", "Put a renewed one there, and restart.")
    elif first.not_valid_before_utc > now:
        yield fail(
            place,
            f"it is not valid before {first.not_valid_before_utc:%Y-%m-%d}",
            "Check the clock, or put the right certificate there.",
        )
    elif ends - now < _RENEW_BEFORE:
        yield warn(place, f"it expires on {ends:%Y-%m-%d}", "Renew it before then, and restart.")
    else:
        yield ok(place, f"good until {ends:%Y-%m-%d}")
    names = _names_in(first)
    if host is not None and not any(_is_for(name, host) for name in names):
        yield fail(
            "public_url",
            f"{host} is not a name of {tls.cert.name}, which is for {', '.join(names) or 'nobody'}",
            "Write a name that the certificate has, or have one made for this name.",
        )


def _names_in(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = found.get_values_for_type(x509.IPAddress)
    return [*found.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _is_for(name: str, host: str) -> bool:
    # RFC 9525, 6.3: a wildcard stands for the leftmost label alone.
    if name.startswith("*."):
        return host.partition(".")[2].lower() == name[2:].lower()
    return name.lower() == host.lower()


def _proxies(settings: Settings) -> Iterator[Finding]:
    for network in settings.trusted_proxies:
        if network.prefixlen == 0:
            yield warn(
                "trusted_proxies",
                f"{network} is everybody, so anybody can claim to come from anywhere",
                "Name the addresses of your proxies alone.",
            )


async def _connectors(settings: Settings) -> AsyncIterator[Finding]:
    for name, section in settings.connectors.items():
        place = f"connectors.{name}"
        try:
            connector = choose_connector(
                name, section, secrets=settings.secrets, clock=SystemClock()
            )
        except SettingsInvalid as error:
            for problem in error.problems or [error.message]:
                where, _, what = problem.partition(": ")
                yield fail(where, *halves(what, "Correct it: the reference lists what belongs."))
            continue
        verbs = ", ".join(sorted(connector.verbs))
        await connector.close()
        yield ok(place, f"declares {verbs}; its credential is there")
        if (target := _target(section)) is not None:
            setting, host, port = target
            async for finding in _reachable(f"{place}.{setting}", host, port, section):
                yield finding
    if not settings.connectors:
        yield warn("connectors", "there are none, so nothing can be proposed", "Add one.")


def _target(section: Mapping[str, object]) -> tuple[str, str, int] | None:
    """Return the setting that names where *section* leads, with the host and port."""
    match section:
        case {"type": "http", "base_url": str(base_url)}:
            url = urlsplit(base_url)
            usual = 443 if url.scheme == "https" else 80
            return "base_url", url.hostname or "", url.port or usual
        case {"type": "smtp", "host": str(host)}:
            usual = PORTS[Security(str(section.get("security", Security.STARTTLS)))]
            port = section.get("port")
            return "host", host, port if isinstance(port, int) else usual
        case _:
            return None


async def _reachable(
    setting: str, host: str, port: int, section: Mapping[str, object]
) -> AsyncIterator[Finding]:
    found = await addresses_of(host)
    if not found:
        yield warn(setting, f"{host} is not known to this machine", "Correct the name.")
        return
    may_be_private = section.get("allow_private") is True
    for address in found:
        if why := why_refused(address, allow_private=may_be_private):
            yield fail(
                f"{setting.rpartition('.')[0]}.allow_private",
                f"{host} leads to {address}, {why.partition(':')[0]}",
                "Set it to true if that is meant; else nothing is sent there.",
            )
            return
    if await answers(host, port):
        yield ok(setting, f"{host} answers on port {port}")
    else:
        yield warn(
            setting,
            f"{host} does not answer on port {port}",
            "Start it, or correct the address. The sample forum runs with `keyturn serve --init`.",
        )
