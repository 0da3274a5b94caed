"""That a request goes to the address that was checked.

A name is resolved once for each request. Every address of the answer is checked, and the socket
goes to one of exactly these: a name that changes its mind in between changes nothing.
"""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.core.ip_address import why_refused


class AddressRefused(OSError):
    """A name leads where no request may go; the message is one sentence."""


class CheckedResolver(AbstractResolver):
    """Resolves with *resolver* and refuses the whole answer if one address in it is refused."""

    def __init__(self, *, allow_private: bool, resolver: AbstractResolver | None = None) -> None:
        self._allow_private = allow_private
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = ThreadedResolver()  # needs the running loop
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            refusal = why_refused(result["host"], allow_private=self._allow_private)
            if refusal:
                raise AddressRefused(f"{host} resolves to {result['host']}, {refusal}")
        return found

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()
