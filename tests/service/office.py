"""A whole office in one process: real services and workers on a memory store."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.core.actors import OPERATOR, Agent, Person, Role
from bot.core.canonical import Json, digest_of
from bot.core.card import Button
from bot.core.effects import Lease
from bot.core.ids import PersonId, ProposalId
from bot.core.policy_file import parse_policy
from bot.core.pressed import Pressed
from bot.core.proposal import Action, Proposal, Rationale
from bot.core.states import TERMINAL, State
from bot.core.step import Ask
from bot.core.transitions import execution
from bot.ports.chat import Chat
from bot.ports.clock import Clock
from bot.ports.desk import Click
from bot.ports.notifier import Notifier
from bot.ports.queries import Leaves, ProposalById
from bot.ports.shelf import Shelf
from bot.ports.store import Store
from bot.service.agents import AgentBook
from bot.service.caps import Caps
from bot.service.checkpoints import Checkpoints
from bot.service.connectors import Connectors
from bot.service.credentials import Credentials
from bot.service.desk import OfficeDesk
from bot.service.directories import Directories
from bot.service.expire import Expire
from bot.service.gate import Gate
from bot.service.grant_keys import SEED_BYTES, GrantKeys
from bot.service.halt import Halts
from bot.service.identities import StoredIdentities
from bot.service.linking import Linking
from bot.service.news import NewsDesk
from bot.service.notice_routes import NoticeBook
from bot.service.people import PeopleBook
from bot.service.policy_book import PolicyBook
from bot.service.reading import Reading
from bot.service.receipts import Receipts
from bot.service.release import Release
from bot.service.resource_servers import ResourceBook
from bot.service.sign_in import SignIn
from bot.service.submit import Submit, SubmitRequest
from bot.service.waiting import Waiters
from bot.service.withdraw import Withdraw
from bot.service.workers import Workers
from bot.testing.clock import ManualClock
from bot.testing.directory import Groups
from bot.testing.notebook import Notebook
from bot.testing.silent_chat import SilentChat
from bot.testing.silent_notifier import SilentNotifier
from store.memory import MemoryShelf, MemoryStore
from tests.audit.logs import new_signer, require_sound

HOLD = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {mode: confirm, expires: 30m, use_by: 15m}}
"""
ALLOW = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: allow
"""
FOUR_EYES = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {mode: four_eyes, approvers: ["group:security"], count: 2}}
"""
DENY = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {deny: "Notes are closed."}
"""


@dataclass(slots=True)
class Office:
    gate: Gate
    store: MemoryStore
    clock: ManualClock
    notebook: Notebook
    chat: SilentChat
    groups: Groups
    desk: OfficeDesk
    halts: Halts
    agents: AgentBook
    people: PeopleBook
    sign_in: SignIn
    linking: Linking
    identities: StoredIdentities
    notices: NoticeBook
    submit: Submit
    reading: Reading
    news: NewsDesk
    withdraw: Withdraw
    credentials: Credentials
    resource_servers: ResourceBook
    release: Release
    workers: Workers
    checkpoints: Checkpoints
    dana: Person
    agent: Agent
    token: str

    async def person(self, handle: str, *roles: Role) -> Person:
        return await self.people.create(OPERATOR, handle=handle, display_name=handle, roles=roles)

    async def propose(
        self, text: str = "hello", *, key: str = "k1", agent: Agent | None = None, **more: object
    ) -> Proposal:
        submitted = await self.submit.submit(agent or self.agent, request(text, key=key, **more))
        return submitted.proposal

    async def press(
        self,
        proposal: Proposal,
        button: Button = Button.APPROVE,
        *,
        by: PersonId | None = None,
        note: str = "",
        digest_prefix: str | None = None,
    ) -> Pressed:
        prefix = proposal.digest.removeprefix("sha256:")[:16]
        return await self.desk.press(
            Click(
                person=by or self.dana.id,
                chat=self.chat.name,
                proposal=proposal.id,
                digest_prefix=prefix if digest_prefix is None else digest_prefix,
                button=button,
                note=note,
            )
        )

    async def now(self, proposal: ProposalId) -> Proposal:
        found = await self.store.read(ProposalById(proposal))
        assert found is not None
        return found

    async def until(self, proposal: ProposalId, *states: State) -> Proposal:
        """Return *proposal* as soon as it is in one of *states* (any final one if none given)."""
        wanted = frozenset(states) or TERMINAL
        async with asyncio.timeout(10):
            async for _ in self.store.watch(0):
                found = await self.now(proposal)
                if found.state in wanted:
                    return found
        raise AssertionError("the store closed before that")

    async def until_delivered(self, proposal: ProposalId) -> Proposal:
        async with asyncio.timeout(10):
            async for _ in self.store.watch(0):
                found = await self.now(proposal)
                if found.deliveries or found.undeliverable:
                    return found
        raise AssertionError("the store closed before that")

    async def leaf_types(self, proposal: ProposalId | None = None) -> list[str]:
        return [leaf.type for leaf in await self.store.read(Leaves(proposal=proposal))]

    async def claim(self, lease: Lease) -> None:
        """Claim as a worker does that is gone before it could go on."""
        proposal = ProposalId(lease.effect.subject)
        await self.gate.commit(
            Ask(proposals=(proposal,), agent=self.agent.id),
            lambda snapshot: execution.claim(
                snapshot,
                lease,
                policy=self.gate.policies.current,
                verb=self.notebook.verb,
                membership={},
                lease_s=60,
            ),
        )

    async def expire(self) -> None:
        await Expire(self.gate).sweep()


def request(text: str = "hello", *, key: str = "k1", **more: object) -> SubmitRequest:
    params: dict[str, Json] = {"text": text}
    body: dict[str, Json] = {"params": params, "more": sorted(more)}
    fields: dict[str, object] = {
        "action": Action(verb="note.write", resource="note:1", params=params),
        "rationale": Rationale(why="because"),
        "idempotency_key": key,
        "request_digest": digest_of(body),
        **more,
    }
    return SubmitRequest(**fields)  # type: ignore[arg-type] # tests name the fields they change


@asynccontextmanager
async def open_office(
    *,
    policy: str = HOLD,
    notebook: Notebook | None = None,
    caps: Caps | None = None,
    with_workers: bool = True,
    notifier: Notifier | None = None,
    make_store: Callable[[Clock], Awaitable[Store]] | None = None,
    make_chats: Callable[[Store, Shelf, Clock], Mapping[str, Chat]] | None = None,
) -> AsyncIterator[Office]:
    """Open it on a memory store, or on what *make_store* makes; its log has to verify.

    What *make_chats* makes is tried before the silent chat.
    """
    clock = ManualClock()
    store: Any = MemoryStore(clock=clock) if make_store is None else await make_store(clock)
    notebook = notebook or Notebook()
    chat = SilentChat()
    groups = Groups()
    book = PolicyBook(store, parse_policy(policy))
    shelf = MemoryShelf(clock=clock)
    chats = {} if make_chats is None else make_chats(store, shelf, clock)
    gate = Gate(
        store=store,
        shelf=shelf,
        directory=Directories(groups, chats=chats),
        connectors=Connectors([notebook]),
        policies=book,
        chats={**chats, chat.name: chat},
        notifier=notifier or SilentNotifier(),
        clock=clock,
        entropy=os.urandom,
        deployment="test",
        caps=caps or Caps(),
    )
    await book.activate(policy, actor=OPERATOR)
    halts = Halts(gate)
    sign_in = SignIn(gate)
    waiters = Waiters(gate.caps)
    reading = Reading(gate, waiters)
    people = PeopleBook(gate)
    agents = AgentBook(gate, halts)
    dana = await people.create(OPERATOR, handle="dana", display_name="Dana", roles=[])
    agent, token = await agents.create(
        OPERATOR,
        name="writer",
        owner=dana.id,
        purpose="Writes notes",
        principals=[dana.id],
        verbs=["note.*"],
    )
    checkpoints = await Checkpoints.open(store, [new_signer()], keeper=None)
    workers = Workers(gate, waiters=waiters, halts=halts, checkpoints=checkpoints)
    running = asyncio.create_task(workers.run() if with_workers else asyncio.sleep(0))
    try:
        yield Office(
            gate=gate,
            store=store,
            clock=clock,
            notebook=notebook,
            chat=chat,
            groups=groups,
            desk=OfficeDesk(
                gate, halts=halts, sign_in=sign_in, receipts=Receipts(store, checkpoints)
            ),
            halts=halts,
            agents=agents,
            people=people,
            sign_in=sign_in,
            linking=Linking(gate),
            identities=StoredIdentities(store),
            notices=NoticeBook(gate),
            submit=Submit(gate),
            reading=reading,
            news=NewsDesk(gate, reading=reading, waiters=waiters),
            withdraw=Withdraw(gate),
            credentials=Credentials(gate),
            resource_servers=ResourceBook(gate),
            release=Release(gate, GrantKeys([os.urandom(SEED_BYTES)])),
            workers=workers,
            checkpoints=checkpoints,
            dana=dana,
            agent=agent,
            token=token,
        )
        await require_sound(store)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()
