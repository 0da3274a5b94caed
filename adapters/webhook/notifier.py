"""One message on one connection, once: the only file of this folder that waits for the network."""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from typing import Final

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapters.webhook.address import AddressRefused, CheckedResolver
from adapters.webhook.answer import meaning
from adapters.webhook.limits import ANSWER_WITHIN_S, CONNECT_WITHIN_S, READ_BYTES
from bot.core.webhook import why_url_refused
from bot.ports.clock import Clock
from bot.ports.notifier import Notified, NotNow

_USER_AGENT: Final = "keyturn"


class HttpNotifier:
    """Implements :class:`bot.ports.notifier.Notifier`.

    *private_hosts* are names and addresses that may be private, and may be spoken to without TLS.
    *resolver* and *tls* are for receivers that the system's own do not know.
    """

    def __init__(
        self,
        *,
        private_hosts: Collection[str],
        clock: Clock,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._private_hosts = frozenset(private_hosts)
        self._clock = clock
        self._resolver = CheckedResolver(private_hosts=self._private_hosts, resolver=resolver)
        self._tls = tls
        self._answer_within_s = answer_within_s
        self._session: ClientSession | None = None
        self._is_closed = False

    def why_refused(self, url: str) -> str | None:
        return why_url_refused(url, private_hosts=self._private_hosts)

    async def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Notified:
        # What was allowed when it was set may have been taken out of the settings since.
        if (why := self.why_refused(url)) or self._is_closed:
            return NotNow(why=why or "Keyturn is stopping.")
        try:
            async with asyncio.timeout(self._answer_within_s):
                return await self._post(url, headers, body)
        except TimeoutError:
            return NotNow(why="The receiver did not answer in time.")
        except ClientConnectorError as error:
            return NotNow(why=_why_unreachable(error))
        except (ClientError, OSError, ValueError):
            return NotNow(why="The connection to the receiver broke.")

    async def close(self) -> None:
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Notified:
        async with self._open_session().post(
            URL(url),
            headers={"user-agent": _USER_AGENT, "accept-encoding": "identity", **headers},
            data=body,
            allow_redirects=False,
        ) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return meaning(response.status, found, now=self._clock.now())

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    force_close=True,
                    limit=0,
                    resolver=self._resolver,
                    use_dns_cache=False,
                    ssl=self._tls or ssl.create_default_context(),
                ),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None, sock_connect=CONNECT_WITHIN_S),
                read_bufsize=READ_BYTES,
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _why_unreachable(error: ClientConnectorError) -> str:
    match error:
        case ClientConnectorDNSError(os_error=AddressRefused()):
            return "The receiver's name leads to an address where nothing may be sent."
        case ClientConnectorDNSError():
            return "The receiver's name could not be resolved."
        case ClientConnectorCertificateError() | ClientConnectorSSLError():
            return "The receiver's TLS certificate was not accepted."
        case _:
            return "The receiver could not be connected to."
