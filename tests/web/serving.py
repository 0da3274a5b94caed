"""A web inbox on a real loopback socket."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from adapters.web import WebInbox
from bot.core.ids import PersonId
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from store.memory.shelf import MemoryShelf

MakeInbox = Callable[..., WebInbox]


@dataclass(slots=True)
class Served:
    """``url`` is the inbox's public address, where it also listens."""

    url: str
    inbox: WebInbox
    desk: MemoryDesk
    clock: ManualClock
    shelf: MemoryShelf
    _codes: Any = field(default_factory=count)

    def sign_in_code(self, person: PersonId) -> str:
        code = f"code-{next(self._codes)}"
        self.desk.codes[code] = person
        return code


class Chance:
    """Bytes that differ each time and are the same in every run."""

    def __init__(self) -> None:
        self._count = count(1)

    def __call__(self, size: int) -> bytes:
        return next(self._count).to_bytes(8, "big").rjust(size, b"\x5a")[-size:]


@asynccontextmanager
async def serving(
    desk_of: Callable[[ManualClock], MemoryDesk],
    *,
    make: MakeInbox = WebInbox,
    at: datetime | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    clock = ManualClock(at or datetime(2030, 3, 14, 13, 8, tzinfo=UTC))
    desk, shelf = desk_of(clock), MemoryShelf(clock=clock)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listener.getsockname()[1]}"
    inbox = make(
        shelf=shelf,
        clock=clock,
        entropy=Chance(),
        public_url=url,
        deployment_name="Example Ltd",
        **{"heartbeat_s": 0.2, **settings},
    )
    app = web.Application()
    app.add_routes(inbox.routes(desk))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    try:
        yield Served(url=url, inbox=inbox, desk=desk, clock=clock, shelf=shelf)
    finally:
        await inbox.close()
        await runner.cleanup()
