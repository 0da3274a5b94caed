"""One request to one target, with the credential that is ours to send and nobody's to read."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapters.http.address import AddressRefused, CheckedResolver
from adapters.http.answer import Answer
from adapters.http.credential import Credential
from bot.once import Line, NoAnswer, NotSent, Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``target`` is what stands in the request line, percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


Exchange: TypeAlias = Answer | NotSent | NoAnswer


class Client:
    """Asks one target. It belongs to the event loop that it is first used in."""

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        credential: Credential | None,
        allow_private: bool,
        max_response_bytes: int,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "keyturn",
            **headers,
            "Accept-Encoding": "identity",
        }
        self._credential = credential
        self._resolver = CheckedResolver(allow_private=allow_private, resolver=resolver)
        is_tls = self._base_url.startswith("https:")
        self._tls = tls or (ssl.create_default_context() if is_tls else True)
        self._line = Line(
            "the target",
            max_answer_bytes=max_response_bytes,
            connector=self._connector,
            unreachable=_why_unreachable,
        )

    async def send(self, request: Request, *, within_s: float) -> Exchange:
        """Send *request* once and return what came of it within *within_s* seconds.

        Raises nothing but CancelledError.
        """
        headers = self._headers | dict(request.headers)
        if self._credential is not None:
            headers[self._credential.header] = self._credential.value
        received = await self._line.send(
            request.method,
            URL(self._base_url + request.target, encoded=True),
            within_s=within_s,
            headers=headers,
            body=request.body,
        )
        return self._answer(received) if isinstance(received, Received) else received

    async def close(self) -> None:
        await self._line.close()

    def _answer(self, received: Received) -> Answer:
        body, headers = received.body, received.headers
        if self._credential is not None:
            redact = self._credential.redact
            body = redact(body)
            headers = {
                name: redact(value.encode("utf-8", "replace")).decode()
                for name, value in headers.items()
            }
        return Answer(status=received.status, headers=headers, body=body)

    def _connector(self) -> TCPConnector:
        return TCPConnector(
            force_close=True,
            limit=0,
            resolver=self._resolver,
            use_dns_cache=False,
            ssl=self._tls,
        )


def _why_unreachable(error: ClientConnectorError) -> str:
    match error:
        case ClientConnectorDNSError(os_error=AddressRefused() as refused):
            return f"Keyturn may not connect there: {refused}."
        case ClientConnectorDNSError():
            return "The target's name could not be resolved."
        case ClientConnectorCertificateError() | ClientConnectorSSLError():
            return "The target's TLS certificate was not accepted."
        case _:
            return "The target could not be connected to."
