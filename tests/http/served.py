"""A whole office behind real sockets: the agents' and the admin listener on loopback."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.core.actors import OPERATOR, Role
from bot.core.errors import Conflict
from bot.core.ids import ProposalId
from bot.core.signed_note import Signer
from bot.http.admin_api import AdminApi
from bot.http.agent_api import AgentApi
from bot.http.app import admin_app, agents_app
from bot.http.health import Check, policy_is_loaded, store_answers
from bot.http.listeners import Listener, Listeners, Tcp, UnixSocket
from bot.http.metrics import Metrics
from bot.http.waits import Waits
from bot.key_rings import key_rings
from bot.keys import LOG_KEY, SHELF_KEY, add_key
from bot.ports.backup import BackupMade, BackupProgress
from bot.ports.queries import Head, Proposals
from bot.service.acknowledge import Acknowledge
from bot.service.erase import Erase
from bot.service.key_rotation import KeyKind, KeyRing, KeyRotation
from bot.service.receipts import Receipts
from bot.service.reload import PolicyReload
from bot.service.webhooks import WebhookBook
from tests.service.office import Office, open_office


class NoBackups:
    """Implements `bot.ports.backup.Backups` where there is nothing to back up."""

    async def make(
        self, into: str, *, with_keys: bool
    ) -> AsyncIterator[BackupProgress | BackupMade]:
        raise Conflict(f"No backup with keys {with_keys} into {into}.")
        yield  # makes it a generator, as the port has it


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
    folder: Path,
    *,
    body_timeout_s: float = 10.0,
    look_every_s: float = 0.02,
    heartbeat_s: float = 15.0,
    **office: Any,
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
                news=opened.news,
                acknowledge=Acknowledge(opened.gate),
                withdraw=opened.withdraw,
                release=opened.release,
                checkpoints=opened.checkpoints,
                receipts=Receipts(opened.store, opened.checkpoints),
                metrics=metrics,
            ),
            checks=checks,
            body_timeout_s=body_timeout_s,
            waits=waits,
            heartbeat_s=heartbeat_s,
        )
        admin = AdminApi(
            gate=opened.gate,
            credentials=opened.credentials,
            agents=opened.agents,
            webhooks=WebhookBook(opened.gate),
            people=opened.people,
            erase=Erase(opened.gate, opened.people),
            resource_servers=opened.resource_servers,
            sign_in=opened.sign_in,
            linking=opened.linking,
            notices=opened.notices,
            halts=opened.halts,
            checkpoints=opened.checkpoints,
            keys=KeyRotation(opened.gate, _rings(folder / "keys", opened)),
            backups=NoBackups(),
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


def _rings(folder: Path, office: Office) -> Mapping[KeyKind, KeyRing]:
    folder.mkdir(mode=0o700, exist_ok=True)
    now = office.clock.now()
    for name, text in (
        (LOG_KEY, Signer(office.checkpoints.origin, bytes(range(32))).spell()),
        (SHELF_KEY, bytes(range(32)).hex()),
    ):
        add_key(folder / name, text, made_at=now)
    return key_rings(
        folder,
        clock=office.clock,
        grants=office.release.keys,
        checkpoints=office.checkpoints,
        shelf=office.gate.shelf,
    )
