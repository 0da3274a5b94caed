"""What proxies in front say about the caller: believed only from the networks that are listed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network

_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """``networks`` are those of the proxies; whoever else sends the headers is not believed."""

    networks: Sequence[Network] = ()

    def trusts(self, address: str | None) -> bool:
        known = _address(address) if self.networks else None
        return known is not None and any(known in network for network in self.networks)

    def caller(self, peer: str | None, forwarded_for: Sequence[str]) -> str | None:
        """Return the address of the first hop, seen from here, that is no proxy of ours.

        *forwarded_for* are the values of X-Forwarded-For, in order. What stands to the left of
        that hop was written by the caller and proves nothing.
        """
        caller = peer
        hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
        while hops and self.trusts(caller):
            hop = _address(hops.pop())
            if hop is None:
                break
            caller = str(hop)
        return caller

    @web.middleware
    async def middleware(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Serve *request* with the scheme and address that its caller has in front of us."""
        if not self.trusts(request.remote):
            return await handler(request)
        caller = self.caller(request.remote, request.headers.getall("X-Forwarded-For", ()))
        return await handler(request.clone(scheme=self.scheme(request), remote=caller or ""))

    def scheme(self, request: web.BaseRequest) -> str:
        """Return how the caller of *request* reached the proxy nearest to us, or us."""
        if self.trusts(request.remote):
            protos = request.headers.getall("X-Forwarded-Proto", ())
            scheme = protos[-1].rpartition(",")[2].strip().lower() if protos else ""
            if scheme in _SCHEMES:
                return scheme
        return request.scheme


def _address(written: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(written or "")
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
