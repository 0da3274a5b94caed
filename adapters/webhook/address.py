"""That a message goes to the address that was checked.

A name is resolved once for each message. Every address of the answer is checked, and the socket
goes to one of exactly these.
"""

import socket
from collections.abc import Collection

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.core.ip_address import why_refused


class AddressRefused(OSError):
    """A name leads where nothing may be sent."""


class CheckedResolver(AbstractResolver):
    """Refuses a whole answer if one address in it is refused; *private_hosts* may be private."""

    def __init__(
        self, *, private_hosts: Collection[str], resolver: AbstractResolver | None = None
    ) -> None:
        self._private_hosts = private_hosts
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = ThreadedResolver()  # needs the running loop
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if why_refused(result["host"], allow_private=host in self._private_hosts):
                raise AddressRefused("the name leads to an address where nothing may be sent")
        return found

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()
