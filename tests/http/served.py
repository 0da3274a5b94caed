"""A whole office behind real sockets: the agents' and the admin listener on loopback."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.core.actors import OPERATOR, Role
from bot.core.ids import ProposalId
from bot.http.admin_api import AdminApi
from bot.http.agent_api import AgentApi
from bot.http.app import admin_app, agents_app
from bot.http.health import Check, policy_is_loaded, store_answers
from bot.http.listeners import Listener, Listeners, Tcp, UnixSocket
from bot.http.metrics import Metrics
from bot.http.waits import Waits
from bot.ports.queries import Head, Proposals
from bot.service.reload import PolicyReload
from tests.service.office import Office, open_office


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The code of the problem that this is."""
        assert self.headers["Content-Type"] == "application/problem+json", self.raw
        assert self.body["type"] == f"urn:keyturn:problem:{self.body['code']}"
        assert self.body["status"] == self.status
        assert self.body["remedy"].endswith("."), self.body
        return str(self.body["code"])


@dataclass(slots=True)
class Served:
    office: Office
    waits: Waits
    listeners: Listeners
    session: aiohttp.ClientSession
    checks: dict[str, Check]
    policy_file: dict[str, str]
    keys: int = field(default=0)

    @property
    def agents(self) -> str:
        return self.listeners.addresses["agents"]

    @property
    def admin(self) -> str:
        return self.listeners.addresses["admin"]

    async def ask(
        self,
        method: str,
        path: str,
        *,
        base: str | None = None,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        body: object = None,
        raw: bytes | None = None,
    ) -> Reply:
        """Ask the agents' listener as its agent; *token* None sends none."""
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token or self.office.token}")
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method,
            (base or self.agents) + path,
            headers=sent,
            data=data,
            skip_auto_headers=["Content-Type"],
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    async def propose(
        self,
        body: object = None,
        *,
        raw: bytes | None = None,
        key: str | None = "",
        query: str = "",
        **headers: str,
    ) -> Reply:
        """Submit *body*, by default the plain note, under a new key unless one is given."""
        if key == "":
            self.keys += 1
            key = f"key-{self.keys}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is None and raw is None:
            body = note()
        return await self.ask("POST", f"/v1/proposals{query}", headers=sent, body=body, raw=raw)

    async def as_admin(self, method: str, path: str, token: str, **more: Any) -> Reply:
        return await self.ask(method, path, base=self.admin, token=token, **more)

    async def admin_token(self, *roles: Role, handle: str = "ada") -> str:
        person = await self.office.person(handle, *roles)
        if not roles:
            return ""
        _, token = await self.office.people.admin_token(OPERATOR, person.id)
        return token

    async def remains(self) -> tuple[list[ProposalId], int]:
        """What there is: every proposal, and how many leaves."""
        store = self.office.store
        proposals = await store.read(Proposals(limit=200))
        return [proposal.id for proposal in proposals], (await store.read(Head())).size


def note(text: object = "hello", **more: object) -> dict[str, Any]:
    """Return the body of a plain proposal."""
    action = {"verb": "note.write", "resource": "note:1", "params": {"text": text}}
    return {"action": action, **more}


@asynccontextmanager
async def serve(
    folder: Path, *, body_timeout_s: float = 10.0, look_every_s: float = 0.02, **office: Any
) -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_office(**office))
        waits = Waits(look_every_s=look_every_s)
        metrics = Metrics(opened.gate.tally, waiting=lambda: len(waits))
        checks: dict[str, Check] = {
            "store": store_answers(opened.store),
            "policy": policy_is_loaded(opened.gate.policies),
        }
        policy_file = {"text": opened.gate.policies.current.text}
        agents = agents_app(
            AgentApi(
                gate=opened.gate,
                credentials=opened.credentials,
                submit=opened.submit,
                reading=opened.reading,
                withdraw=opened.withdraw,
                metrics=metrics,
            ),
            checks=checks,
            body_timeout_s=body_timeout_s,
            waits=waits,
        )
        admin = AdminApi(
            gate=opened.gate,
            credentials=opened.credentials,
            agents=opened.agents,
            people=opened.people,
            sign_in=opened.sign_in,
            halts=opened.halts,
            metrics=metrics,
            reload=PolicyReload(opened.gate.policies, lambda: policy_file["text"]),
            sign_in_url=lambda link: f"https://keyturn.example/sign-in#{link.code}",
        )
        loopback = Tcp(host="127.0.0.1", port=0)
        operator = UnixSocket(folder / "run" / "admin.sock")
        listeners = await stack.enter_async_context(
            Listeners(
                [
                    Listener(name="agents", app=agents, where=loopback),
                    Listener(
                        name="admin",
                        app=admin_app(admin, checks=checks, trust_socket=False),
                        where=loopback,
                    ),
                    Listener(
                        name="operator",
                        app=admin_app(admin, checks=checks, trust_socket=True),
                        where=operator,
                    ),
                ],
                shutdown_s=2.0,
            )
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        yield Served(opened, waits, listeners, session, checks, policy_file)
