"""A loopback mail server (aiosmtpd) that keeps what it takes, and can be told to misbehave."""

import asyncio
import base64
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.testing.connector import Behaviour, Write

USER = "agent@example.org"
SECRET = "s3cr3t-of-the-post-office"
SPELLED = base64.b64encode(f"\0{USER}\0{SECRET}".encode()).decode()

# The server would write what it is sent into the log of the process that is tested.
logging.getLogger("mail.log").propagate = False

PLAYS: Final = frozenset(Behaviour) - {
    Behaviour.STALE,  # mail has no state that could move on
    Behaviour.SERVER_ERROR,  # 4xx and 5xx both say that the mail was not taken
    Behaviour.REDIRECT,  # SMTP has none
}


@dataclass(slots=True)
class PostOffice:
    """``refuses`` maps an address, or the name of a command, to the reply that it gets."""

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    asks_who: bool = True
    offers_sign_in: bool = True
    hangs_on_quit: bool = False
    #: Breaks the connection after so much of a message.
    breaks_after_bytes: int | None = None
    size_limit: int | None = None
    refuses: dict[str, str] = field(default_factory=dict)
    answers: Callable[[], str | bytes] | None = None
    plays: frozenset[Behaviour] = PLAYS
    received: list[Write] = field(default_factory=list)
    effects: list[Write] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    behaviour: Behaviour = Behaviour.OK
    _server: asyncio.Server | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.BaseTransport] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def behave(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        if behaviour is Behaviour.UNREACHABLE:
            await self._stop()
        elif self._server is None:
            await self._listen()

    async def until_received(self) -> None:
        await self._arrived.wait()

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        is_right = data == LoginPassword(USER.encode(), SECRET.encode())
        return AuthResult(success=is_right, handled=is_right)

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.refuses:
            return self.refuses["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _opts: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: "_Counter", _session: Session, envelope: Envelope
    ) -> str | bytes:
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        write = Write(values=read(envelope))
        self.received.append(write)
        self._arrived.set()
        if self.answers is not None:
            return self.answers()
        match self.behaviour:
            case Behaviour.REFUSE:
                return f"554 5.7.1 not wanted; you sent {SECRET} as {SPELLED}"
            case Behaviour.LOST_REPLY:
                self.effects.append(write)
                server.drop()
            case Behaviour.RESET_READ:
                server.drop()
            case Behaviour.HUGE:
                while True:
                    server._writer.write(b"250-" + b"x" * 60_000 + b"\r\n")
                    await server._writer.drain()
            case Behaviour.SLOW_DRIP:
                while True:
                    server._writer.write(b"2")
                    await server._writer.drain()
                    await asyncio.sleep(0.02)
            case Behaviour.GARBAGE:
                server._writer.write(b"\x16\x03\x01 this is not SMTP\r\n")
            case Behaviour.HANG:
                pass
            case _:
                self.effects.append(write)
                return "250 2.0.0 Ok: queued as 4F1b9c"
        await asyncio.Event().wait()
        raise AssertionError

    async def _listen(self) -> None:
        tls = self.tls if self.implicit_tls else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for transport in self._open:
                transport.abort()  # type: ignore[attr-defined]
            await server.wait_closed()

    def _protocol(self) -> asyncio.BaseProtocol:
        self.connections += 1
        return _Resets() if self.behaviour is Behaviour.RESET_UNREAD else _Counter(self)


class _Resets(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _Counter(SMTP):
    """One conversation at the counter of *office*."""

    def __init__(self, office: PostOffice) -> None:
        self.office = office
        super().__init__(
            office,
            hostname="mx.example.org",
            tls_context=None if office.implicit_tls else office.tls,
            require_starttls=office.tls is not None and not office.implicit_tls,
            auth_required=office.asks_who,
            auth_require_tls=office.asks_who,
            auth_exclude_mechanism=None if office.offers_sign_in else ["PLAIN", "LOGIN"],
            authenticator=office.authenticate,
            data_size_limit=office.size_limit,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.office._open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.office._open.discard(self.transport)
        super().connection_lost(error)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self.office.commands.append("EHLO")
        await super().smtp_EHLO(hostname)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        self.office.commands.append("QUIT")
        if self.office.hangs_on_quit:
            await asyncio.Event().wait()
        await super().smtp_QUIT(arg)

    def drop(self) -> None:
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.transport.abort()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self.office.commands.append("DATA")
        if "DATA" in self.office.refuses:
            await self.push(self.office.refuses["DATA"])
        elif self.office.breaks_after_bytes is not None:
            await self.push("354 go on")
            await self._reader.readexactly(self.office.breaks_after_bytes)
            self.drop()
        else:
            await super().smtp_DATA(arg)


def read(envelope: Envelope) -> Mapping[str, Any]:
    """Return what a recipient's mail program would show, and whom the envelope names."""
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body()
    assert body is not None
    return {
        "from": envelope.mail_from,
        "recipients": list(envelope.rcpt_tos),
        "To": addresses(message, "To"),
        "Cc": addresses(message, "Cc"),
        "subject": str(message["Subject"]),
        "text": body.get_content().replace("\r\n", "\n"),
        "attachments": [
            {
                "name": part.get_filename(),
                "type": part.get_content_type(),
                "content": base64.b64encode(content_of(part)).decode(),
            }
            for part in message.iter_attachments()
        ],
    }


def content_of(part: Any) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def addresses(message: EmailMessage, name: str) -> list[str]:
    header = message[name]
    return [] if header is None else [one.addr_spec for one in header.addresses]
