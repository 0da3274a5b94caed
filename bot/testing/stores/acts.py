"""What the suite does with a store: the smallest transitions that mean something."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from bot.core.actors import OPERATOR, Agent, Person, agent_actor, person_actor
from bot.core.effects import Effect, EffectKind, Lease
from bot.core.errors import Conflict
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.ids import AgentId, HaltId, PersonId, ProposalId
from bot.core.leaf import Leaf, LeafDraft
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.step import (
    Ask,
    Committed,
    IdempotencyRef,
    Record,
    Refusal,
    Replay,
    Snapshot,
    Step,
    Transition,
)
from bot.ports.queries import Head, Leaves, LogHead, ProposalById, Query
from bot.ports.store import Store
from bot.testing.proposals import NOW, a_person, a_proposal, an_agent

T = TypeVar("T")

ADA: Final[Person] = a_person("Ada")
BEN: Final[Person] = a_person("Ben")
SCOUT: Final[Agent] = an_agent("scout", owner=ADA.id)
CLERK: Final[Agent] = an_agent("clerk", owner=BEN.id)


def proposal(
    number: int, *, agent: AgentId = SCOUT.id, principal: PersonId = ADA.id, **changes: Any
) -> Proposal:
    """Return the pending proposal *number*; *changes* are its fields."""
    return a_proposal(
        number, agent=agent, principal=principal, params={"body": f"Answer {number}"}, **changes
    )


def draft(subject: Proposal | None = None, *, type: str = "test.happened") -> LeafDraft:
    """Return what to record, about *subject* or about nothing in particular."""
    if subject is None:
        return LeafDraft(type=type, actor=OPERATOR, clear={"n": 1}, private={"why": "A test."})
    return LeafDraft(
        type=type,
        actor=agent_actor(subject.agent),
        proposal=subject.id,
        agent=subject.agent,
        principal=subject.principal,
        clear={"state": subject.state.value, "digest": subject.digest},
        private={"action": subject.action_json, "why": subject.rationale.why},
    )


def halt(name: str, *, scope: HaltScope = HaltScope.ALL, **changes: Any) -> Halt:
    return replace(
        Halt(
            id=HaltId(f"hlt_{name}"),
            target=HaltTarget(scope=scope),
            set_by=person_actor(ADA.id),
            set_at=NOW,
            reason="It went wrong.",
        ),
        **changes,
    )


async def keep(
    store: Store,
    *records: Record,
    leaves: Sequence[LeafDraft] = (),
    effects: Sequence[Effect] = (),
    done: Sequence[Lease] = (),
) -> Committed[None]:
    """Commit all of it in one transition."""
    return await store.transact(
        Ask(),
        lambda _: Transition(
            value=None,
            puts=records,
            leaves=tuple(leaves),
            effects=tuple(effects),
            done=tuple(done),
        ),
    )


async def hold(
    store: Store, number: int = 1, *, effects: Sequence[Effect] = (), **changes: Any
) -> Proposal:
    """Commit the pending proposal *number* with its leaf, and return it."""
    held = proposal(number, **changes)
    await keep(store, held, leaves=[draft(held)], effects=effects)
    return held


async def submit(store: Store, number: int, *, key: str, pending_cap: int = 1000) -> Proposal:
    """Commit the proposal *number* under *key*, or return the one that came first under it.

    Raises:
        Conflict: the agent has *pending_cap* pending proposals.
    """
    mine = proposal(number, idempotency_key=key)
    ask = Ask(
        agent=mine.agent,
        idempotency=IdempotencyRef(agent=mine.agent, key=key),
        pending_of_agent=mine.agent,
        pending_of_principal=mine.principal,
    )

    def step(snapshot: Snapshot) -> Step[Proposal]:
        if snapshot.replayed is not None:
            return Replay(snapshot.replayed)
        if max(snapshot.pending_of_agent, snapshot.pending_of_principal) >= pending_cap:
            return Refusal(Conflict("Too many are pending."))
        return Transition(value=mine, puts=(mine,), leaves=(draft(mine),))

    return (await store.transact(ask, step)).value


async def move(
    store: Store, id: ProposalId, to: State, *, effects: Sequence[Effect] = ()
) -> Proposal:
    """Commit that a pending proposal becomes *to*.

    Raises:
        Conflict: it is no longer pending.
    """

    def step(snapshot: Snapshot) -> Step[Proposal]:
        now = snapshot.proposals[id]
        if now.state is not State.PENDING:
            return Refusal(Conflict(f"It is {now.state} already."))
        moved = replace(now, state=to, changed_at=snapshot.now)
        return Transition(
            value=moved, puts=(moved,), leaves=(draft(moved),), effects=tuple(effects)
        )

    return (await store.transact(Ask(proposals=(id,)), step)).value


async def look(store: Store, ask: Ask) -> Snapshot:
    """Return the snapshot that a step would see, and write nothing."""
    return (await store.transact(ask, Replay)).value


async def known(store: Store, id: ProposalId) -> Proposal:
    """Return the committed proposal."""
    found = await store.read(ProposalById(id))
    assert found is not None
    return found


async def listed(store: Store, query: Query[Sequence[T]]) -> list[T]:
    """Return the answer as a list, whatever kind of sequence it is."""
    found = await store.read(query)
    return list(found)


async def log(store: Store) -> Sequence[Leaf]:
    """Return the whole log."""
    return await store.read(Leaves(limit=10_000))


async def head(store: Store) -> LogHead:
    return await store.read(Head())


async def lease_all(
    store: Store, *kinds: EffectKind, limit: int = 100, for_s: float = 30
) -> list[Lease]:
    """Lease what is due, of every kind if none is named."""
    return await store.lease(kinds or tuple(EffectKind), limit=limit, for_s=for_s)


async def begin(store: Store, *effects: Effect, for_s: float = 30) -> list[Lease]:
    """Commit *effects* and return their leases: from birth, or leased right after."""
    born = (await keep(store, effects=effects)).leases
    found = await lease_all(store, for_s=for_s)
    order = [effect.id for effect in effects]
    return sorted((*born, *found), key=lambda lease: order.index(lease.effect.id))
