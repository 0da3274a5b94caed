"""Where people reach the inbox, and what every one of its answers tells a browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from multidict import MultiMapping

from bot.core.errors import SettingsInvalid

_DEFAULT_PORTS = {"https": 443, "http": 80}

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
_POLICY = "; ".join(f"{directive} {source}" for directive, source in _SOURCES.items())

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        # With "no-referrer" browsers send "Origin: null" with our own forms, and the exact
        # check of Origin could not stand: https://fetch.spec.whatwg.org/#origin-header
        # Nothing on our pages leads to another site, and this tells other sites nothing.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }
)

#: Pages hold what is meant for one person now: no cache keeps them, not even the browser's.
UNKEPT: Mapping[str, str] = MappingProxyType({**HEADERS, "Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class Site:
    """The one address that the inbox answers to."""

    scheme: str
    host: str

    @classmethod
    def at(cls, public_url: str) -> Self:
        """Return the site of *public_url*.

        Raises:
            SettingsInvalid: it is not an http or https address without a path.
        """
        url = urlsplit(public_url)
        if url.scheme not in _DEFAULT_PORTS or not url.hostname or url.path not in {"", "/"}:
            problem = f"public_url must look like https://keyturn.example.org, not {public_url!r}"
            raise SettingsInvalid("The inbox has no address", problems=[problem])
        name = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        is_default = url.port in {None, _DEFAULT_PORTS[url.scheme]}
        return cls(url.scheme, name if is_default else f"{name}:{url.port}")

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    def is_addressed_by(self, headers: Mapping[str, str]) -> bool:
        """Return whether the request names this host: no other name may lead here."""
        return headers.get("Host", "").lower() == self.host

    def sent(self, headers: MultiMapping[str]) -> bool:
        """Return whether a page of ours caused the request.

        A browser that leaves out Origin still has to say ``Sec-Fetch-Site: same-origin``.
        """
        origins = headers.getall("Origin", [])
        if not origins:
            return headers.getall("Sec-Fetch-Site", []) == ["same-origin"]
        return origins == [self.origin]
