"""Socket Mode: we hold a connection to Slack open, and make a new one when it falls silent."""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from adapters.slack.client import Wire
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear, reading
from adapters.slack.logs import quiet

log = logging.getLogger("keyturn.slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketTimes:
    """In seconds. ``silent_s`` without any frame, not even a pong, ends a connection."""

    ping_s: float = 10.0
    silent_s: float = 45.0
    check_s: float = 5.0
    connect_s: float = 20.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketState:
    """``silent_s`` is how long ago the last frame came; None before the first."""

    is_connected: bool
    silent_s: float | None
    connections_made: int
    problem: str | None


class SocketLine:
    def __init__(self, wire: Wire, app: AsyncApp, *, app_token: str, times: SocketTimes) -> None:
        self._wire = wire
        self._app = app
        self._app_token = app_token
        self._times = times
        self._handler: AsyncSocketModeHandler | None = None
        self._heard_at: float | None = None
        self._seen: tuple[object, float | None] = (None, None)
        self._made = 0
        self._problem: str | None = None

    @property
    def state(self) -> SocketState:
        now = time.monotonic()
        return SocketState(
            is_connected=self._handler is not None and self._problem is None,
            silent_s=None if self._heard_at is None else now - self._heard_at,
            connections_made=self._made,
            problem=self._problem,
        )

    async def run(self) -> None:
        """Receive until cancelled; whatever happens to the connection, make another one."""
        pause_s = self._times.first_pause_s
        while True:
            try:
                async with asyncio.timeout(self._times.connect_s):
                    handler = await self._connect()
            except (SlackRefused, SlackBusy, SlackUnclear, TimeoutError) as error:
                self._tell(error)
                wait_s = error.retry_after_s if isinstance(error, SlackBusy) else 0.0
                await asyncio.sleep(max(wait_s, pause_s))
                pause_s = min(2 * pause_s, self._times.longest_pause_s)
                continue
            pause_s = self._times.first_pause_s
            self._handler, self._problem = handler, None
            try:
                await self._watch(handler)
            finally:
                self._handler = None
                await _close(handler)
            log.warning("the slack socket fell silent; a new one is made")

    async def _connect(self) -> AsyncSocketModeHandler:
        """Return a handler that is connected.

        Raises:
            SlackRefused: the app token is not accepted.
            SlackBusy: not now.
            SlackUnclear: the same.
        """
        client = self._wire.client("")
        try:
            opened = await client.apps_connections_open(app_token=self._app_token)
        except Exception as error:  # noqa: BLE001 - told below, and tried again
            read = reading(error)
            # Whatever it is, the bot goes on without Slack until it is over.
            raise (SlackUnclear(type(error).__name__) if read is error else read) from None
        handler = AsyncSocketModeHandler(
            self._app,
            self._app_token,
            logger=quiet("socket", logging.CRITICAL),
            web_client=client,
            ping_interval=self._times.ping_s,
        )
        # Like the client, it takes a proxy from the environment whatever it is given.
        handler.client.proxy = None
        handler.client.wss_uri = opened["url"]
        handler.client.on_message_listeners.append(self._hear)
        self._heard_at, self._seen = time.monotonic(), (None, None)
        try:
            speaks: Any = handler.client  # its methods are not typed
            await speaks.connect()
        except BaseException:
            await _close(handler)
            raise
        self._made += 1
        return handler

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """Return when nothing has been heard for too long."""
        while True:
            await asyncio.sleep(self._times.check_s)
            seen = handler.client.current_session, handler.client.last_ping_pong_time
            # The first value of a session is the time of a ping, not yet that of a pong.
            is_pong = seen[0] is self._seen[0] and self._seen[1] is not None
            if is_pong and seen[1] is not None and seen[1] != self._seen[1]:
                self._heard_at = time.monotonic()
            self._seen = seen
            heard_at = self._heard_at or 0.0
            if time.monotonic() - heard_at > self._times.silent_s:
                return

    async def _hear(self, _: WSMessage) -> None:
        self._heard_at = time.monotonic()

    def _tell(self, error: Exception) -> None:
        code = error.code if isinstance(error, SlackRefused) else type(error).__name__
        if code != self._problem:
            setting = "chats.slack.app_token"
            log.error("slack does not open a socket", extra={"cause": code, "setting": setting})
        self._problem = code


async def _close(handler: AsyncSocketModeHandler) -> None:
    client: Any = handler.client
    tasks = [client.message_processor, client.current_session_monitor, client.message_receiver]
    with suppress(Exception):
        async with asyncio.timeout(2.0):
            await client.close()
    open_ = [task for task in tasks if task is not None]
    for task in open_:
        task.cancel()
    await asyncio.gather(*open_, return_exceptions=True)
    if not client.aiohttp_client_session.closed:
        await client.aiohttp_client_session.close()
