"""The door with the real SDK behind it, on a real socket, and an issuer that signs for it."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession, web

from adapters.teams.admission import Admission
from adapters.teams.config import SERVICE_HOSTS
from adapters.teams.credentials import Credentials, Password
from adapters.teams.door import Door
from adapters.teams.hosts import ServiceHosts
from adapters.teams.inbound import Inbound
from adapters.teams.proven import Proven
from adapters.teams.sdk import BotBuilderTransport
from adapters.teams.signing_keys import SigningKeys
from adapters.teams.testing.issuer import Issuer, SigningPair
from adapters.teams.wire import Wire

Json = dict[str, Any]

SERVICE_URL = "https://smba.trafficmanager.net/emea/72f0a1b2-0000-4000-8000-000000ace100/"
DANA = "d0000000-0000-4000-8000-00000000da1a"


@functools.cache
def pair_of(name: str) -> SigningPair:
    """Return a key, the same for each *name*: making one is slow."""
    return SigningPair(endorsements=["webchat", "directline"] if name == "webchat" else ["msteams"])


def activity(issuer: Issuer, *, kind: str = "message", id: str = "f:1") -> Json:
    """Return what Teams sends when Dana writes to the bot, or presses a button."""
    said: Json = {"text": "whoami"}
    if kind == "invoke":
        action = {"type": "Action.Execute", "verb": "approve", "data": {"about": "v1"}}
        said = {"name": "adaptiveCard/action", "value": {"action": action, "trigger": "manual"}}
    return {
        "type": kind,
        "id": id,
        "channelId": "msteams",
        "serviceUrl": SERVICE_URL,
        "from": {"id": "29:1dana", "name": "Dana", "aadObjectId": DANA},
        "recipient": {"id": f"28:{issuer.app_id}", "name": "Keyturn"},
        "conversation": {
            "id": "a:1dana",
            "conversationType": "personal",
            "tenantId": issuer.tenant,
        },
        "channelData": {"tenant": {"id": issuer.tenant}},
        **said,
    }


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


class Listener:
    """What it takes is in ``heard``; an invoke is answered with ``answer``."""

    def __init__(self, issuer: Issuer, http: ClientSession, transport: BotBuilderTransport) -> None:
        self.issuer = issuer
        self.transport = transport
        self.clock = Clock()
        self.heard: list[Inbound] = []
        self.has_heard = asyncio.Event()
        self.answer: Mapping[str, Any] = {"statusCode": 200, "type": "text", "value": "done"}
        self.handle: Callable[[Inbound], Awaitable[Mapping[str, Any] | None]] | None = None
        self.url = ""
        self._http = http

    async def hear(self, inbound: Inbound) -> Mapping[str, Any] | None:
        self.heard.append(inbound)
        self.has_heard.set()
        return self.answer if self.handle is None else await self.handle(inbound)

    async def send(self, said: Json | bytes, authorization: str | None) -> tuple[int, str]:
        headers = {"Content-Type": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        body = said if isinstance(said, bytes) else orjson.dumps(said)
        async with self._http.post(self.url, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def say(self, said: Json) -> tuple[int, str]:
        """Send *said* as the Connector does."""
        return await self.send(said, self.issuer.bearer(said["serviceUrl"]))


def transport_for(
    issuer: Issuer,
    *,
    service_url: str = SERVICE_URL,
    call_s: float = 10.0,
    now: Callable[[], float] = time.monotonic,
    **keys: Any,
) -> BotBuilderTransport:
    wire = Wire(call_s=call_s)
    return BotBuilderTransport(
        credentials=Credentials(
            app_id=issuer.app_id,
            tenant=issuer.tenant,
            proof=Password(issuer.app_password),
            login_url=issuer.login_url,
        ),
        keys=SigningKeys(issuer.metadata_url, wire.session, now=now, **keys),
        hosts=ServiceHosts(SERVICE_HOSTS, service_url=service_url),
        wire=wire,
        proven=Proven(now=now),
    )


@asynccontextmanager
async def listening(issuer: Issuer | None = None, **keys: Any) -> AsyncIterator[Listener]:
    async with AsyncExitStack() as stack:
        issuer = issuer or Issuer(pair=pair_of("msteams"))
        if not issuer.url:
            await stack.enter_async_context(issuer.running())
        clock = Clock()
        transport = transport_for(issuer, now=clock, **keys)
        stack.push_async_callback(transport.close)
        http = await stack.enter_async_context(ClientSession())
        listener = Listener(issuer, http, transport)
        listener.clock = clock
        admission = Admission(
            app_id=issuer.app_id,
            tenants=frozenset({issuer.tenant}),
            hosts=ServiceHosts(SERVICE_HOSTS, service_url=SERVICE_URL),
        )
        door = Door(transport, admission, listener.hear, now=clock)
        stack.push_async_callback(door.close)
        app = web.Application()
        app.add_routes([web.post("/teams/messages", door.receive)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/messages"
        yield listener


async def longest_stall_s(of: Awaitable[Any]) -> float:
    """Return how long the event loop was deaf while *of* was awaited."""
    loop = asyncio.get_running_loop()
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before - 0.001)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    try:
        await of
        await asyncio.sleep(0.002)
    finally:
        watching.cancel()
    return longest
