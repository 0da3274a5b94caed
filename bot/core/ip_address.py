"""Which addresses a connector may connect to: those that whoever runs Keyturn meant.

An address that wraps another, as IPv6 can wrap IPv4, is judged as the one inside.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

# Where clouds hand out credentials to whoever asks, outside 169.254.0.0/16: AWS over IPv6,
# Alibaba, Azure, Oracle.
_METADATA: Final = frozenset(
    map(ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")  # RFC 1122, 3.2.1.3; Linux takes it for loopback
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052, 2.1
_IPV4_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def why_refused(address: str, *, allow_private: bool) -> str | None:
    """Return why no request may go to *address*, or None if it may."""
    meant = _meant(address)
    if meant is None:
        return "which is not an address"
    if refusal := _why_never(meant):
        return refusal
    is_public = meant.is_global and not (isinstance(meant, IPv6Address) and meant.is_site_local)
    if is_public or allow_private:
        return None
    return "which is not public: set allow_private to true if that is meant"


def is_loopback(address: str) -> bool:
    """Tell whether *address* is this machine itself."""
    meant = _meant(address)
    return meant is not None and meant.is_loopback


def is_literal(host: str) -> bool:
    """Tell whether *host* is an address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_disguised(host: str) -> bool:
    """Tell whether *host* is a number that some systems read as an IPv4 address, as in 127.1."""
    return not is_literal(host) and bool(_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]))


def _meant(address: str) -> Address | None:
    try:
        return _unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return None


def _why_never(address: Address) -> str | None:
    if address in _METADATA:
        return "where a cloud hands out credentials"
    if address.is_link_local:
        return "which is link-local"
    if address.is_unspecified or address in _THIS_NETWORK:
        return "which is unspecified"
    if address.is_multicast:
        return "which is a multicast address"
    if address.is_reserved and not address.is_loopback:
        return "which is reserved"
    return None


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside *address* where it only wraps one, else *address*."""
    if isinstance(address, IPv4Address):
        return address
    teredo = address.teredo
    inner = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
    if inner is not None:
        return inner
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
