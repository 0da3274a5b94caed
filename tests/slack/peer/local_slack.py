"""A Slack that somebody else wrote: the program local-slack, driven as its own screen drives it.

It takes any token, checks no limits and listens on every interface: it runs in a network
namespace, and beside `adapters.slack.testing.FakeSlack`, never instead of it.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from aiohttp import ClientConnectionError, ClientSession, ClientWebSocketResponse, WSMsgType

T = TypeVar("T")
Json = dict[str, Any]

PORT: Final = 3000
URL: Final = f"http://localhost:{PORT}"
TEAM: Final = "T0ACME"
SIGNING_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
ASKS: Final = {"appId": "A0ASKS", "botUserId": "U0ASKS", "botName": "keyturn"}
WRITES: Final = {"appId": "A0WRITES", "botUserId": "U0WRITES", "botName": "helper"}
_WITHIN_S: Final = 20.0
_PAUSE_S: Final = 0.05


@dataclass(slots=True)
class LocalSlack:
    """``modals`` are those that are open: the program has one stack for everybody."""

    http: ClientSession
    screen: ClientWebSocketResponse
    modals: list[Json] = field(default_factory=list)
    complaints: list[Json] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def messages(self, channel: str) -> list[Json]:
        async with self.http.get(f"{URL}/_control/messages/{channel}") as answer:
            return list((await answer.json())["messages"])

    async def log(self) -> list[Json]:
        async with self.http.get(f"{URL}/_control/log") as answer:
            return list((await answer.json())["log"])

    async def dm_of(self, user: str) -> str | None:
        """Return the conversation of *user* with an app, where there is one."""
        async with self.http.get(f"{URL}/_control/state") as answer:
            channels = (await answer.json())["channels"]
        mine = [one["id"] for one in channels if one.get("is_im") and user in one["members"]]
        return mine[0] if mine else None

    async def press(self, user: str, message: Json, action_id: str) -> None:
        """Let *user* press what has *action_id* on *message*."""
        where = {"channel": message["channel"], "messageTs": message["ts"], "user": user}
        await self._tell("interact", {**where, "action": _action(message, action_id)})

    async def press_in_modal(self, user: str, view: Json, action_id: str) -> None:
        pressed = {"t": "block_action", "user": user, "appId": ASKS["appId"]}
        await self.screen.send_json({**pressed, "action": _action(view, action_id)})

    async def close_modal(self, user: str) -> None:
        await self.screen.send_json({"t": "view_close", "user": user})
        await self.until(lambda: not self.modals, "the modal is closed")

    async def command(self, user: str, channel: str, text: str) -> None:
        said = {"channel": channel, "user": user, "command": "/keyturn", "text": text}
        await self._tell("command", {**said, "appId": ASKS["appId"]})

    async def submit(self, user: str, values: Mapping[str, Json]) -> None:
        await self.screen.send_json({"t": "view_submit", "user": user, "values": values})

    async def until(self, check: Callable[[], Any], what: str) -> Any:
        """Return what *check*, a function or coroutine function, returns once that is something.

        Raises:
            AssertionError: it stays nothing.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN_S):
                while True:
                    found = check()
                    if asyncio.iscoroutine(found):
                        found = await found
                    if found:
                        return found
                    # The program has no way to wait for a message.
                    await asyncio.sleep(_PAUSE_S)
        last = "\n".join(json.dumps(one)[:400] for one in (await self.log())[-15:])
        raise AssertionError(f"never came: {what}\n{last}")

    async def watch(self) -> None:
        """Follow what the screen shows, until it is closed."""
        async for frame in self.screen:
            if frame.type is not WSMsgType.TEXT:
                continue
            told = json.loads(frame.data)
            if told["t"] == "view":
                self.modals = told.get("stack") or []
            elif told["t"] == "view_errors":
                self.complaints.append(told)

    async def _tell(self, what: str, body: Json) -> None:
        async with self.http.post(f"{URL}/_control/{what}", json=body) as answer:
            assert answer.status == 200, await answer.text()


def _action(surface: Json, action_id: str) -> Json:
    for block in surface["blocks"]:
        for element in [*block.get("elements", []), block.get("accessory")]:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                where = {"block_id": block.get("block_id", "b"), "action_id": action_id}
                return {**where, "type": element["type"], "value": element["value"]}
    raise AssertionError(f"{action_id} is not on {json.dumps(surface)[:2000]}")


def configuration(mode: str, *, events_url: str) -> Json:
    """Return a workspace with two apps, three people and one channel."""
    asks: Json = {**ASKS, "botToken": token_of(ASKS), "appToken": "xapp-1-A0ASKS-1-abcdef0123"}
    asks |= {"signingSecret": SIGNING_SECRET, "mode": "socket" if mode == "socket" else "events"}
    if mode == "http":
        asks["requestUrl"] = events_url
    writes: Json = {**WRITES, "botToken": token_of(WRITES), "appToken": "xapp-1-A0WRITES-1-abcdef"}
    writes |= {"signingSecret": SIGNING_SECRET, "mode": "socket"}
    users = [
        {"id": f"U0{name.upper()}", "name": name, "real_name": name.title()}
        for name in ("dana", "erin")
    ]
    return {
        "workspace": {"name": "Acme", "domain": "acme", "teamId": TEAM},
        "apps": [asks, writes],
        "users": users,
        "channels": [{"id": "C0HELP", "name": "eng-help"}],
    }


def token_of(app: Mapping[str, str]) -> str:
    return f"xoxb-1234567890-{app['appId']}0123456789"


@asynccontextmanager
async def running(program: Path, folder: Path, configured: Json) -> AsyncIterator[LocalSlack]:
    """Run *program* until the block ends."""
    config = folder / "slack.yaml"
    await asyncio.to_thread(config.write_text, json.dumps(configured))
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--config", str(config), "--port", str(PORT)),
        *("--files-dir", str(folder / "files")),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with ClientSession() as http:
            await _answers(http, process)
            async with http.ws_connect(f"ws://localhost:{PORT}/ui") as screen:
                slack = LocalSlack(http, screen)
                watching = asyncio.create_task(slack.watch())
                yield slack
                watching.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(http: ClientSession, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while True:
            assert process.returncode is None, "local-slack ended"
            with suppress(ClientConnectionError):
                async with http.get(f"{URL}/_control/state") as answer:
                    assert answer.status == 200
                    return
            await asyncio.sleep(_PAUSE_S)
