"""The Web API on a raw socket, which can break in every way that a connection can."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.testing.connector import Behaviour, Write
from tests.connectors.slack.sections import CHANNEL, TEAM
from tests.connectors.target import LoopbackTarget, Received

_JSON = {"Content-Type": "application/json"}
_OURS = frozenset({Behaviour.OK, Behaviour.REFUSE, Behaviour.LOST_REPLY})


@dataclass(slots=True)
class SlackTarget(LoopbackTarget):
    """Has one channel, and the messages that were posted there."""

    plays: frozenset[Behaviour] = frozenset(Behaviour) - {Behaviour.STALE}

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        if self._behaviour not in _OURS:
            await LoopbackTarget._answer(self, request, writer)
            return
        writes = request.method == "POST"
        if writes:
            write = Write(values=json.loads(request.body))
            self.received.append(write)
            self._arrived.set()
            if self._behaviour is not Behaviour.REFUSE:
                self.effects.append(write)
            if self._behaviour is Behaviour.LOST_REPLY:
                return
        answer = self._said(request)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()

    def _said(self, request: Received) -> bytes:
        url = urlsplit(request.target)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        said = self._method(url.path.rpartition("/")[2], asked)
        if self._behaviour is Behaviour.REFUSE:
            said = {"ok": False, "error": "is_archived", "needed": str(dict(request.headers))}
        return json.dumps(said).encode()

    def _method(self, method: str, asked: dict[str, str]) -> dict[str, Any]:
        if method == "auth.test":
            return {"ok": True, "team_id": TEAM, "team": "Acme", "user_id": "U0BOT"}
        if method.startswith("conversations.") and asked.get("channel") != CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        if method == "conversations.info":
            channel = {"id": CHANNEL, "name": "help", "is_private": False, "num_members": 12}
            return {"ok": True, "channel": {**channel, "is_member": True}}
        if method == "conversations.history":
            posted: list[Any] = [write.values for write in self.effects]
            listed = [{"ts": f"{at}.5", **one} for at, one in enumerate(posted)]
            return {"ok": True, "messages": listed, "has_more": False}
        return {"ok": True, "ts": "1763000001.000200", "channel": CHANNEL}
