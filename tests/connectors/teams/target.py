"""The Bot Connector on a raw socket, which can break in every way that a connection can."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from adapters.teams.testing.issuer import TENANT
from bot.testing.connector import Behaviour, Write
from tests.connectors.target import LoopbackTarget, Received
from tests.connectors.teams.sections import CHANNEL, TEAM

_OURS = frozenset({Behaviour.OK, Behaviour.REFUSE, Behaviour.LOST_REPLY})
_MEMBERS = [{"id": f"29:{at}", "tenantId": TENANT, "userRole": "user"} for at in range(1, 13)]


@dataclass(slots=True)
class TeamsTarget(LoopbackTarget):
    """Has one team with one channel, whose members it tells on two pages."""

    plays: frozenset[Behaviour] = frozenset(Behaviour) - {Behaviour.STALE}

    @property
    def service_url(self) -> str:
        return f"{self.url}/teams/"

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        if self._behaviour not in _OURS:
            await LoopbackTarget._answer(self, request, writer)
            return
        if request.method != "GET":
            write = Write(values=json.loads(request.body) if request.body else None)
            self.received.append(write)
            self._arrived.set()
            if self._behaviour is not Behaviour.REFUSE:
                self.effects.append(write)
            if self._behaviour is Behaviour.LOST_REPLY:
                return
        status, said = self._said(request)
        answer = json.dumps(said).encode()
        head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()

    def _said(self, request: Received) -> tuple[int, dict[str, Any]]:
        if self._behaviour is Behaviour.REFUSE:
            # Teams hides its own code in a string; a bad one repeats what it received.
            hidden = {"errorCode": "MessageWritesBlocked", "got": dict(request.headers)}
            return 403, {"error": {"code": "Forbidden", "message": json.dumps(hidden)}}
        url = urlsplit(request.target)
        path = unquote(url.path).removeprefix("/teams/v3/")
        match path.split("/"):
            case ["teams", team]:
                told: dict[str, Any] = {"id": team, "name": "Support", "memberCount": 12}
                return (200, told) if team == TEAM else (404, {"error": {"code": "NotFound"}})
            case ["teams", _, "conversations"]:
                listed = [{"id": TEAM, "type": "standard"}]
                listed.append({"id": CHANNEL, "name": "help", "type": "standard"})
                return 200, {"conversations": listed}
            case ["conversations", _, "pagedmembers"]:
                if "continuationToken" in parse_qs(url.query):
                    return 200, {"members": _MEMBERS[7:]}
                return 200, {"members": _MEMBERS[:7], "continuationToken": "more & more"}
            case _:
                return 201, {"id": f"{CHANNEL};messageid=1763000001", "activityId": "1763000001"}
