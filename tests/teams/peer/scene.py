"""A bot in a process of its own, people at emulators, and all that is between them."""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from adapters.teams.testing.issuer import APP_ID, TENANT, Issuer
from adapters.teams.testing.proxy import SigningProxy
from tests.cli.deployments import Deployment, asked_to_propose, make_deployment
from tests.teams.peer import playground
from tests.teams.peer.board import Board, connector
from tests.teams.peer.entra import Entra
from tests.teams.peer.playground import WITHIN_S, Emulator, Json, Person


async def done(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
    return await asyncio.to_thread(lambda: act(*words, **more))


class Bot:
    """``keyturn serve``, which can be started again."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._serving: AbstractContextManager[list[str]] | None = None

    async def start(self) -> None:
        self._serving = self._deployment.serving()
        await done(self._serving.__enter__)

    async def stop(self) -> None:
        if self._serving is not None:
            serving, self._serving = self._serving, None
            await done(serving.__exit__, None, None, None)


@dataclass
class Scene:
    """``people`` sit at their emulators by name, ``proxies`` sign what each emulator sends."""

    deployment: Deployment
    bot: Bot
    board: Board
    entra: Entra
    proxies: Mapping[str, SigningProxy]
    people: Mapping[str, Person]
    token: str = ""

    async def link(self, name: str) -> None:
        """Have *name* link the account that they are signed in to Teams with."""
        made = await done(self.deployment.json, "person", "link-code", name, "--chat", "teams")
        await self.people[name].types(f"link {made['code']}")
        await self.people[name].presses("This is me")
        await self.people[name].reads("is linked")

    async def register(self, *names: str, owner: str, principal: str) -> None:
        """Register people, and the agent *principal* has from *owner*."""
        for name in names:
            await done(self.deployment.done, "person", "create", name)
        made = await done(
            self.deployment.json,
            *("agent", "create", "helper", "--owner", owner, "--purpose", "Answers"),
            *("--for", principal, "--verb", "forum.*"),
        )
        self.token = made["token"]

    async def proposed(self, text: str, *, key: str | None = None) -> str:
        answer = await self.proposing(text, key=key or f"text-{crc32(text.encode())}")
        assert answer.get("state") == "pending", answer
        return str(answer["id"])

    async def proposing(self, text: str, *, key: str) -> Json:
        action = {"verb": "forum.comment", "resource": "forum:eng-help", "params": {"text": text}}
        told = await done(asked_to_propose, self.deployment, self.token, action, key=key)
        return dict(told)

    async def withdraw(self, proposal: str) -> None:
        await done(self._ask, "POST", f"/v1/proposals/{proposal}/withdraw")

    async def state(self, proposal: str) -> Json:
        return dict(await done(self._ask, "GET", f"/v1/proposals/{proposal}"))

    async def reaches(self, proposal: str, state: str) -> Json:
        async def is_there() -> bool:
            return bool((await self.state(proposal))["state"] == state)

        await self.until(is_there, f"{proposal} is {state}")
        return await self.state(proposal)

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    if await holds():
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not within {WITHIN_S} s: {what}") from None

    def _ask(self, method: str, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.deployment.ports["agents"])
        with closing(connection):
            connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
            return json.load(connection.getresponse())


@asynccontextmanager
async def open_scene(
    program: Path, chromium: str, folder: Path, *, people: Sequence[str], policy: str
) -> AsyncIterator[Scene]:
    """Start everything, with *people* at emulators of their own, until the block ends."""
    issuer, emulators = Issuer(), [Emulator(name) for name in people]
    entra = Entra(issuer)
    deployment = await done(make_deployment, folder / "keyturn-data")
    bot_url = f"http://127.0.0.1:{deployment.ports['people']}/teams/messages"
    proxies: dict[str, SigningProxy] = {}
    async with AsyncExitStack() as stack:
        board = await stack.enter_async_context(Board().running())
        _configure(deployment, emulators[0], issuer, board, policy)
        for emulator in emulators:
            proxies[emulator.person] = proxy = SigningProxy(
                issuer,
                bot_url=bot_url,
                emulator_url=f"{emulator.url}/_connector",
                users=playground.users(),
            )
            await stack.enter_async_context(
                proxy.running(port=emulator.proxy_port, more=entra.routes())
            )
            await stack.enter_async_context(emulator.running(program, folder))
        bot = Bot(deployment)
        await bot.start()
        stack.push_async_callback(bot.stop)
        seated = await stack.enter_async_context(
            playground.at_their_pages(emulators, chromium, pictures=folder)
        )
        yield Scene(deployment, bot, board, entra, proxies, seated)


def _configure(
    deployment: Deployment, emulator: Emulator, issuer: Issuer, board: Board, policy: str
) -> None:
    deployment.environment |= {"TEAMS": issuer.app_password}
    here = emulator.proxy_url
    chat = {"app_id": APP_ID, "tenant": TENANT, "app_password": "env:TEAMS"}
    chat |= {"metadata_url": f"{here}/v1/.well-known/openidconfiguration", "login_url": f"{here}/"}
    chat |= {"service_url": emulator.service_url, "graph_url": f"{here}/graph/"}
    text = deployment.config.read_text()
    assert "chats:\n  web: {}\n" in text
    chats = json.dumps({"teams": chat, "web": {}})
    deployment.config.write_text(text.replace("chats:\n  web: {}\n", f"chats: {chats}\n"))
    deployment.set("connectors", json.dumps({"forum": connector(board.url)}))
    (deployment.home / "policy.yaml").write_text(policy)


def play(tell: Callable[[Path, str, Path], Coroutine[Any, Any, None]]) -> None:
    """Run a story as a program: ``PROGRAM CHROMIUM FOLDER``, alone in a network namespace."""
    program, chromium, folder = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(tell(Path(program), chromium, Path(folder)))
