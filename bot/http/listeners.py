"""Three listeners and the operator's socket: each its own application, begun and ended as one."""

import errno
import logging
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias, assert_never

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.core.errors import SettingsInvalid
from bot.http.connections import Runner

log = logging.getLogger(__name__)

SHUTDOWN_S = 10.0
#: How long a connection may be without a whole request head, new or between two requests, however
#: slowly bytes of one come in.
KEEPALIVE_S = 75.0
#: How long to go on reading what was sent to a request that is refused already.
LINGER_S = 2.0

_SOCKET_BACKLOG = 128
_TCP_BACKLOG = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths of PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """Port 0 asks for any free one: :attr:`Listeners.addresses` tells which."""

    host: str
    port: int
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A socket that only the user who runs the bot may open."""

    path: Path


Where: TypeAlias = Tcp | UnixSocket


class _Unquoted(logging.Filter):
    """Keeps requests that are not HTTP out of the log: a credential may be anywhere in them.

    That a caller hung up is not for the log either: anybody could fill it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ConnectionError):
            return False
        if isinstance(error, HttpProcessingError):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.why = type(error).__name__
        return True


logging.getLogger("aiohttp.server").addFilter(_Unquoted())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """``name`` is what logs and settings call it."""

    name: str
    app: web.Application
    where: Where


class Listeners:
    """An async context: all listen on entry, or none does; on exit what was begun is finished."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        shutdown_s: float = SHUTDOWN_S,
        keepalive_s: float = KEEPALIVE_S,
    ) -> None:
        self._listeners = tuple(listeners)
        self._shutdown_s = shutdown_s
        self._keepalive_s = keepalive_s
        self._running = AsyncExitStack()
        self._addresses: dict[str, str] = {}

    @property
    def addresses(self) -> dict[str, str]:
        """Where each listener is reached: a URL, or ``unix:`` and a path."""
        return dict(self._addresses)

    async def __aenter__(self) -> Self:
        """Begin to listen.

        Raises:
            SettingsInvalid: with every listener that cannot, and why.
        """
        problems = []
        for listener in self._listeners:
            try:
                self._addresses[listener.name] = await self._start(listener)
            except (OSError, ssl.SSLError, SettingsInvalid) as error:
                problems.append(f"listeners.{listener.name}: {_why(listener.where, error)}")
        if problems:
            await self._running.aclose()
            raise SettingsInvalid("A listener cannot be opened.", problems=problems)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()
        self._addresses.clear()

    async def _start(self, listener: Listener) -> str:
        match listener.where:
            case Tcp() as tcp:
                address = await self._start_tcp(listener.app, tcp)
            case UnixSocket(path=path):
                address = await self._start_unix(listener.app, path)
            case _:
                assert_never(listener.where)
        log.info("listening", extra={"listener": listener.name, "address": address})
        return address

    async def _start_tcp(self, app: web.Application, tcp: Tcp) -> str:
        context = None if tcp.tls is None else _tls(tcp.tls)
        runner = await self._runner(app)
        site = web.TCPSite(runner, tcp.host, tcp.port, ssl_context=context, backlog=_TCP_BACKLOG)
        await site.start()
        host, port = runner.addresses[0][:2]
        return _url(str(host), int(port), tcp.tls)

    async def _start_unix(self, app: web.Application, path: Path) -> str:
        opened = _open_socket(path)
        self._running.callback(_remove, path, opened)
        runner = await self._runner(app)
        await web.SockSite(runner, opened, backlog=_SOCKET_BACKLOG).start()
        return f"unix:{path}"

    async def _runner(self, app: web.Application) -> Runner:
        runner = Runner(
            app,
            shutdown_s=self._shutdown_s,
            access_log=None,
            keepalive_timeout=self._keepalive_s,
            lingering_time=LINGER_S,
            # No route takes a compressed body: unpacking one would be work for whoever sent it.
            auto_decompress=False,
        )
        await runner.setup()
        self._running.push_async_callback(runner.cleanup)
        return runner


def _why(where: Where, error: OSError | SettingsInvalid) -> str:
    if isinstance(error, SettingsInvalid) or not isinstance(where, Tcp):
        return str(error)
    address = f"{where.host}:{where.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"another program listens on {address}. Choose another port, or stop it."
        case errno.EACCES:
            return f"this user may not listen on {address}. Choose a port above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{where.host} is no address of this machine. Write one, or 127.0.0.1."
        case _:
            return f"cannot listen on {address}: {error.strerror or error}. Correct host and port."


def _tls(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(
            f"the TLS files {files.certificate} and {files.key} cannot be used: {error}. "
            "Name a certificate chain and its key, both PEM."
        ) from error
    return context


def _url(host: str, port: int, tls: TlsFiles | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{'http' if tls is None else 'https'}://{name}:{port}"


def _open_socket(path: Path) -> socket.socket:
    """Return a bound socket at *path* with mode 0600, in a folder that is ours alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = path.parent.stat()
    if seen.st_uid != os.getuid() or seen.st_mode & 0o077:
        raise SettingsInvalid(
            f"the folder {path.parent} is open to others. Make it yours alone: chmod 700."
        )
    _refuse_if_alive(path)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        opened.close()
        raise SettingsInvalid(
            f"the socket {path} cannot be made: {error}. A path has at most about 100 characters."
        ) from error
    return opened


def _refuse_if_alive(path: Path) -> None:
    """Remove what a dead process left at *path*; refuse when a living one answers there."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SettingsInvalid(f"another Keyturn listens at {path}. Stop it first.")


def _remove(path: Path, opened: socket.socket) -> None:
    opened.close()
    with suppress(OSError):
        path.unlink(missing_ok=True)
