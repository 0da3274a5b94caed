"""Where the bot's token may be sent: asked before an address is kept, and before it is used."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from bot.core.ip_address import is_loopback

_MAX_CHARS: Final = 300


class ServiceHosts:
    def __init__(self, hosts: Iterable[str], *, service_url: str) -> None:
        """Admit *hosts*, and this machine when the configured *service_url* is on it."""
        self._hosts = frozenset(hosts)
        self._admits_here = _is_here(urlsplit(service_url).hostname or "")

    def admits(self, service_url: object) -> bool:
        if not isinstance(service_url, str) or not 0 < len(service_url) <= _MAX_CHARS:
            return False
        # An address that two parsers could read differently is nobody's.
        if not service_url.isascii() or any(c <= " " or c in '\\"<>^`{|}' for c in service_url):
            return False
        try:
            parts = urlsplit(service_url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if "@" in parts.netloc or parts.query or parts.fragment:
            return False
        if parts.scheme == "https" and host in self._hosts:
            return port in {None, 443}
        return self._admits_here and parts.scheme in {"http", "https"} and _is_here(host)


def _is_here(host: str) -> bool:
    return host == "localhost" or is_loopback(host)
