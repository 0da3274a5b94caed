"""One mail on one connection, once: the only place where this connector waits for the network.

Until the final dot is written, no server may deliver anything (RFC 5321, 4.1.1.4): whatever goes
wrong before is a mail that was not sent. From then on only a reply tells.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final, TypeAlias, cast

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from adapters.smtp.config import Security
from adapters.smtp.credential import Credential
from adapters.smtp.limits import CHUNK_BYTES, CONNECT_S, QUIT_S
from bot.core.ip_address import is_loopback, why_refused

#: Returns the addresses of a host, best first; raises OSError where there are none.
Resolver: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]

_FINAL_DOT: Final = b".\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """``data`` is the message with CRLF line ends, not dot-stuffed; addresses are ASCII."""

    sender: str
    recipients: Sequence[str]
    data: bytes


@unique
class Stage(StrEnum):
    """How far a conversation came."""

    CONNECT = "connect"
    HELLO = "hello"
    TLS = "tls"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENTS = "recipients"
    CONTENT = "content"
    END = "end"  #: the final dot may have been written


@unique
class Break(StrEnum):
    """How a conversation ended without an answer that tells."""

    UNREACHABLE = "unreachable"
    SIGN_IN_NOT_OFFERED = "sign_in_not_offered"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    REPLY_MALFORMED = "reply_malformed"


@dataclass(frozen=True, slots=True)
class Reply:
    """``text`` is what the server said, without the credential."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server answered, and not with yes; ``recipients`` are those that it does not take."""

    stage: Stage
    reply: Reply
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """The server said beforehand that it takes less."""

    limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The final dot was not written."""

    why: Break
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The message may have been received whole; there is no answer to it."""

    why: Break
    detail: str


Exchange: TypeAlias = Accepted | Refused | TooLarge | NotSent | NoAnswer


class _AddressRefused(OSError):
    """The host leads where no mail may go; the message is one sentence."""


class _Missing(Exception):
    """The server does not offer what it has to; ``detail`` is one sentence."""

    def __init__(self, why: Break, detail: str) -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail


@dataclass(slots=True)
class _Progress:
    """``writer`` is kept until its connection is closed: it would close it when it is dropped.

    ``exchange`` is what is known already, whatever becomes of the goodbye.
    """

    stage: Stage = Stage.CONNECT
    writer: asyncio.StreamWriter | None = None
    exchange: Exchange | None = None


class Client:
    """Hands mail to one server."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        credential: Credential | None,
        allow_private: bool,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._security = security
        self._credential = credential
        self._allow_private = allow_private
        self._resolver = resolver or _addresses_of
        self._tls = tls or ssl.create_default_context()
        self._is_closed = False

    async def send(self, envelope: Envelope, *, within_s: float) -> Exchange:
        """Hand over *envelope* once and return what came of it within *within_s* seconds.

        Raises nothing but CancelledError.
        """
        if self._is_closed:
            return NotSent(why=Break.UNREACHABLE, detail="The connector is closed.")
        progress = _Progress()
        try:
            async with asyncio.timeout(within_s):
                return await self._deliver(envelope, progress)
        except TimeoutError:
            if progress.exchange is not None:
                return progress.exchange
            why, detail = Break.TIMEOUT, "The mail server did not answer in time."
        except _AddressRefused as error:
            why, detail = Break.UNREACHABLE, f"Keyturn may not connect there: {error}."
        except _Missing as error:
            why, detail = error.why, error.detail
        except SMTPResponseException as error:
            if error.code > 0:
                return Refused(stage=progress.stage, reply=self._reply(error.code, error.message))
            why, detail = Break.REPLY_MALFORMED, "The mail server's reply is not SMTP."
        except (OSError, SMTPServerDisconnected) as error:
            why, detail = _broken(error, progress.stage)
        except (SMTPException, ValueError):
            why, detail = Break.REPLY_MALFORMED, "The mail server's reply is not SMTP."
        if progress.stage is Stage.END:
            return NoAnswer(why=why, detail=detail)
        return NotSent(why=why, detail=detail)

    async def close(self) -> None:
        self._is_closed = True

    async def _deliver(self, envelope: Envelope, progress: _Progress) -> Exchange:
        smtp = SMTP(
            hostname=self._host,
            sock=await self._connected(),
            use_tls=self._security is Security.TLS,
            start_tls=False,
            tls_context=self._tls,
            # Else aiosmtplib asks the DNS for the name of this machine, and tells it the server.
            local_hostname=envelope.sender.rpartition("@")[2],
            timeout=None,
        )
        try:
            await smtp.connect()
            progress.exchange = await self._converse(smtp, envelope, progress)
            with suppress(SMTPException, OSError, ValueError):
                async with asyncio.timeout(QUIT_S):
                    await smtp.quit()
            return progress.exchange
        finally:
            smtp.close()

    async def _converse(self, smtp: SMTP, envelope: Envelope, progress: _Progress) -> Exchange:
        progress.stage = Stage.HELLO
        await smtp.ehlo()
        if self._security is Security.STARTTLS:
            progress.stage = Stage.TLS
            if not smtp.supports_extension("starttls"):
                raise _Missing(Break.TLS_FAILED, "The mail server does not offer TLS.")
            await smtp.starttls(tls_context=self._tls, server_hostname=self._host)
            await smtp.ehlo()
        progress.stage = Stage.SIGN_IN
        await self._sign_in(smtp)
        progress.stage = Stage.SENDER
        options: list[bytes] = []
        if smtp.supports_extension("size"):  # RFC 1870
            limit = smtp.esmtp_extensions["size"].strip()
            if limit.isdecimal() and 0 < int(limit) < len(envelope.data):
                return TooLarge(limit_bytes=int(limit))
            options.append(b"SIZE=%d" % len(envelope.data))
        sender = b"FROM:<%s>" % envelope.sender.encode("ascii")
        answer = await smtp.execute_command(b"MAIL", sender, *options)
        if answer.code != 250:
            return self._refused(progress, answer)
        progress.stage = Stage.RECIPIENTS
        refused = await self._name_recipients(smtp, envelope, progress)
        return refused or await self._hand_over(smtp, envelope.data, progress)

    async def _sign_in(self, smtp: SMTP) -> None:
        if self._credential is None:
            return
        offered = smtp.supported_auth_methods
        user, password = self._credential.user, self._credential.password
        if "plain" in offered:
            await smtp.auth_plain(user, password)
        elif "login" in offered:
            await smtp.auth_login(user, password)
        else:
            raise _Missing(
                Break.SIGN_IN_NOT_OFFERED,
                "The mail server offers no way to sign in that Keyturn knows: PLAIN or LOGIN.",
            )

    async def _name_recipients(
        self, smtp: SMTP, envelope: Envelope, progress: _Progress
    ) -> Refused | None:
        """Name every recipient, also after one is refused: people are told of all that are."""
        refused: list[str] = []
        first: SMTPResponse | None = None
        for recipient in envelope.recipients:
            answer = await smtp.execute_command(b"RCPT", b"TO:<%s>" % recipient.encode("ascii"))
            if answer.code not in {250, 251}:
                refused.append(recipient)
                first = first or answer
        if first is None:
            return None
        return Refused(
            stage=progress.stage,
            reply=self._reply(first.code, first.message),
            recipients=tuple(refused),
        )

    async def _hand_over(self, smtp: SMTP, data: bytes, progress: _Progress) -> Exchange:
        progress.stage = Stage.CONTENT
        answer = await smtp.execute_command(b"DATA")
        if answer.code != 354:
            return self._refused(progress, answer)
        answer = await _write_out(smtp, _stuffed(data), progress)
        reply = self._reply(answer.code, answer.message)
        # RFC 5321, 4.2.1: the first digit says whether it was done.
        if 200 <= reply.code < 300:
            return Accepted(reply)
        return Refused(stage=progress.stage, reply=reply)

    def _refused(self, progress: _Progress, answer: SMTPResponse) -> Refused:
        return Refused(stage=progress.stage, reply=self._reply(answer.code, answer.message))

    def _reply(self, code: int, text: str) -> Reply:
        return Reply(code, text if self._credential is None else self._credential.redact(text))

    async def _connected(self) -> socket.socket:
        """Return a socket to one of the host's addresses, all of which were checked."""
        addresses = list(await self._resolver(self._host))
        for address in addresses:
            if refusal := why_refused(address, allow_private=self._allow_private):
                raise _AddressRefused(f"{self._host} is at {address}, {refusal}")
            if self._security is Security.NONE and not is_loopback(address):
                raise _AddressRefused(f"{self._host} is at {address}, and TLS is switched off")
        failure: OSError = ConnectionError("no address")
        for address in addresses:
            try:
                return await _connect(address, self._port, is_last=address == addresses[-1])
            except OSError as error:  # a TimeoutError is one
                failure = error
        raise failure


async def _write_out(smtp: SMTP, stuffed: bytes, progress: _Progress) -> SMTPResponse:
    """Write the message, then the final dot, and return the answer to it.

    Not smtp.data(): it writes all in one, and nobody could tell whether the dot had gone out.
    """
    protocol, transport = smtp.protocol, cast("asyncio.WriteTransport | None", smtp.transport)
    if protocol is None or transport is None:
        raise SMTPServerDisconnected("Connection lost")
    loop = asyncio.get_running_loop()
    progress.writer = asyncio.StreamWriter(transport, protocol, None, loop)
    try:
        for start in range(0, len(stuffed), CHUNK_BYTES):
            progress.writer.write(stuffed[start : start + CHUNK_BYTES])
            await progress.writer.drain()
        progress.stage = Stage.END
        protocol.write(_FINAL_DOT)
        return await protocol.read_response()
    except BaseException:
        transport.abort()
        raise


async def _connect(address: str, port: int, *, is_last: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # noqa: FBT003  its only form
        async with asyncio.timeout(None if is_last else CONNECT_S):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _addresses_of(host: str) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


def _stuffed(data: bytes) -> bytes:
    stuffed = data.replace(b"\r\n.", b"\r\n..")  # RFC 5321, 4.5.2
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _broken(error: BaseException, stage: Stage) -> tuple[Break, str]:
    if stage in {Stage.CONNECT, Stage.TLS}:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return Break.TLS_FAILED, "The mail server's TLS certificate was not accepted."
            if isinstance(cause, ssl.SSLError):
                return Break.TLS_FAILED, "TLS could not be begun with the mail server."
            cause = cause.__cause__
    if isinstance(error, socket.gaierror):
        return Break.UNREACHABLE, "The mail server's name could not be resolved."
    if stage is Stage.CONNECT:
        return Break.UNREACHABLE, "The mail server could not be connected to."
    return Break.CONNECTION_LOST, "The connection to the mail server broke."
