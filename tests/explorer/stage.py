"""The real services on a store in memory, set to any moment of a small world."""

import hashlib
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

from bot.core.actors import OPERATOR, Agent, Person
from bot.core.card import Button
from bot.core.effects import EffectKind, Lease
from bot.core.ids import PersonId, ProposalId
from bot.core.policy_file import parse_policy
from bot.core.pressed import Pressed
from bot.core.step import Ask, Replay
from bot.core.verbs import Verb
from bot.ports.desk import Click
from bot.service.agents import AgentBook
from bot.service.checkpoints import Checkpoints
from bot.service.connectors import Connectors
from bot.service.deliver import Deliver
from bot.service.desk import OfficeDesk
from bot.service.dispatch import Dispatch
from bot.service.execute import Execute
from bot.service.expire import Expire
from bot.service.gate import Gate
from bot.service.grant_keys import SEED_BYTES, GrantKeys
from bot.service.halt import Halts
from bot.service.people import PeopleBook
from bot.service.policy_book import PolicyBook
from bot.service.receipts import Receipts
from bot.service.release import Release
from bot.service.resource_servers import ResourceBook
from bot.service.settle import Settle
from bot.service.sign_in import SignIn
from bot.service.submit import Submit
from bot.service.withdraw import Withdraw
from bot.testing.clock import ManualClock
from bot.testing.directory import Groups
from bot.testing.notebook import Notebook
from bot.testing.silent_chat import SilentChat
from bot.testing.silent_notifier import SilentNotifier
from store.memory import MemoryShelf
from tests.explorer.books import read_books
from tests.explorer.laws import Move, Terms, first_broken, remembered_wrongly
from tests.explorer.vessel import Vessel
from tests.explorer.world import START, TURN_S, Slot, Worker, World

GROUP: Final = "security"
AUDIENCE: Final = "https://pay.example"
#: What a stricter policy says once it is in force.
STRICT: Final = """
version: 1
rules:
  - id: closed
    verbs: ["note.*"]
    effect: {deny: "Notes are closed."}
"""


class Hand(Dispatch):
    """Keeps what it is handed, until a move takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: list[Lease] = []

    def hand(self, leases: Iterable[Lease]) -> None:
        self.leases += leases


class Carrier(Execute):
    """A worker that stops after each of its steps, until a move lets it go on."""

    claimed: Any = None

    async def _carry_out(self, lease: Lease, claim: Any, *, verb: Verb | None) -> None:  # noqa: ARG002
        self.claimed = claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is registered. Dana owns the agent and is its principal."""

    dana: Person
    eve: Person
    finn: Person
    agent: Agent
    servers: Sequence[Any] = ()


class Stage:
    """One small world's deployment; :meth:`after` plays one event on any moment of it."""

    def __init__(
        self, *, policy: str, notebook: Notebook, terms: Terms, works: Iterable[EffectKind]
    ) -> None:
        self.clock = ManualClock(START)
        self.store = Vessel.new(self.clock)
        self.terms = terms
        self.works = frozenset(kind.value for kind in works)
        self.notebook = notebook
        self.groups = Groups()
        self.hand = Hand()
        self.policy = parse_policy(policy)
        self.book = PolicyBook(self.store, self.policy)
        self.chat = SilentChat()
        self._name, self._count = "", itertools.count()
        self.gate = Gate(
            store=self.store,
            shelf=MemoryShelf(clock=self.clock),
            directory=self.groups,
            connectors=Connectors([notebook]),
            policies=self.book,
            chats={self.chat.name: self.chat},
            notifier=SilentNotifier(),
            clock=self.clock,
            entropy=self._entropy,
            deployment="explored",
            dispatch=self.hand,
        )
        self.halts = Halts(self.gate)
        self.submit = Submit(self.gate)
        self.withdraw = Withdraw(self.gate)
        self.expire = Expire(self.gate)
        self.settle = Settle(self.gate)
        self.deliver = Deliver(self.gate)
        self.carrier = Carrier(self.gate)
        self.release = Release(self.gate, GrantKeys([b"\1" * SEED_BYTES]))
        self.desk: OfficeDesk
        self.cast: Cast
        self._changes = 0

    def _entropy(self, length: int) -> bytes:
        name = f"{self._name}/{next(self._count)}".encode()
        return hashlib.shake_256(name).digest(length)

    async def open(self, signer: Any) -> World:
        """Return the first moment: people, an agent and a policy, and nothing proposed yet."""
        checkpoints = await Checkpoints.open(self.store, [signer], keeper=None)
        self.desk = OfficeDesk(
            self.gate,
            halts=self.halts,
            sign_in=SignIn(self.gate),
            receipts=Receipts(self.store, checkpoints),
        )
        people = PeopleBook(self.gate)
        dana, eve, finn = [
            await people.create(OPERATOR, handle=name, display_name=name.title(), roles=[])
            for name in ("dana", "eve", "finn")
        ]
        agent, _ = await AgentBook(self.gate, self.halts).create(
            OPERATOR,
            name="writer",
            owner=dana.id,
            purpose="Writes notes",
            principals=[dana.id],
            verbs=["note.*"],
        )
        servers = ResourceBook(self.gate)
        self.cast = Cast(
            dana=dana,
            eve=eve,
            finn=finn,
            agent=agent,
            servers=[
                (await servers.create(OPERATOR, name=name, audience=audience))[0]
                for name, audience in (("pay", AUDIENCE), ("mail", "https://mail.example"))
            ],
        )
        await self.book.activate(self.policy.text, actor=OPERATOR)
        return World(
            kept=self.store.take(),
            books=read_books(self.store.disk),
            members=frozenset({eve.id, finn.id}),
            policy=self.policy,
        )

    async def after(
        self, world: World, play: Callable[[World], Awaitable[World]], *, was_replay: bool = False
    ) -> World:
        """Return *world* after one event, with what is wrong about it, if anything is."""
        self._set(world)
        played = await play(world)
        is_same = self.store.changes == self._changes and played.kept is world.kept
        if played.kept is not world.kept:  # it was opened anew
            self.store.put(played.kept)
        after = replace(played, hand=self._held(), policy=self.book.current)
        if not is_same:
            books = read_books(self.store.disk)
            after = _followed(world, replace(after, kept=self.store.take(), books=books))
        wrong = after.wrong or first_broken(Move(world, after, self.terms, was_replay))
        if not is_same:
            wrong = wrong or await self._memory(after)
        return replace(after, wrong=wrong)

    def _held(self) -> tuple[Lease, ...]:
        return tuple(x for x in self.hand.leases if x.effect.kind.value in self.works)

    def _set(self, world: World) -> None:
        self.store.put(world.kept)
        self.clock.set(START + timedelta(seconds=TURN_S * world.turn))
        self.hand.leases = list(world.hand)
        self.groups.members_of = {GROUP: cast("frozenset[PersonId]", world.members)}
        self.book._current = world.policy
        self.chat.cards.clear()
        self.notebook.written.clear()
        self._changes = self.store.changes

    def named(self, name: str) -> None:
        """Draw ids and salts from *name*, so that every order of events draws the same."""
        self._name, self._count = name, itertools.count()

    async def _memory(self, world: World) -> str:
        ask = Ask(pending_of_principal=self.cast.dana.id)
        seen = (await self.store.transact(ask, Replay)).value
        return remembered_wrongly(
            world.books,
            halts=[halt.id for halt in seen.halts],
            policy=seen.policy_digest or "",
            pending=seen.pending_of_principal,
        )

    async def press(
        self, slot: Slot, person: PersonId, button: Button, *, prefix: str = ""
    ) -> Pressed:
        doc_digest = prefix or self._digest(slot)
        return await self.desk.press(
            Click(
                person=person,
                chat=self.chat.name,
                proposal=ProposalId(slot.id),
                digest_prefix=doc_digest.removeprefix("sha256:")[:32],
                button=button,
                note="I looked.",
            )
        )

    def _digest(self, slot: Slot) -> str:
        sql = "SELECT json_extract(doc, '$.digest') FROM proposal WHERE id = ?"
        ((digest,),) = self.store.disk.execute(sql, (slot.id,)).fetchall()
        return str(digest)

    async def crash(self, world: World, *, place: Path) -> World:
        """Return *world* after its process has died and another one has opened the file."""
        kept = await self.store.reopened(world.kept, place=place, clock=self.clock)
        self.hand.leases = []
        return replace(
            world,
            kept=kept,
            crashes=world.crashes + 1,
            workers=tuple(Worker() for _ in world.workers),
        )


def _followed(before: World, after: World) -> World:
    """Return *after* with what can be seen of its proposals from outside."""
    slots: list[Slot] = []
    for name, doc in after.books.proposals.items():
        slot = after.named(name)
        if slot is None:
            undoes = doc["undoes"] or ""
            words = (*((d["person"], d["choice"]) for d in doc["decisions"]),) if undoes else ()
            label = doc["idempotency_key"] if not undoes else f"undo {len(slots)}"
            slot = Slot(label=label, id=name, begun=after.turn, undoes=undoes, words=words)
        if doc["state"] == "approved" and slot.approved is None:
            slot = replace(slot, approved=after.turn)
        if doc["state"] == "succeeded" and before.books.state(name) != "succeeded":
            slot = replace(slot, done=after.turn)
        slots.append(slot)
    return replace(after, slots=tuple(slots))
