"""What those do who carry out, ask the target, post cards and write what a stop has ended."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from bot.core.effects import EffectKind, Lease
from bot.core.errors import Conflict, KeyturnError
from bot.core.proposal import Action
from bot.ports.connector import Absent, Executed, Failed, Found, InDoubt, LookedUp, Succeeded
from bot.service import execute
from tests.explorer.happening import Event, Events, Play, staffed, with_slot, with_worker
from tests.explorer.stage import Stage
from tests.explorer.world import TURN_S, Slot, Worker, World


@dataclass(slots=True)
class Workers:
    """The events of the workers of one stage, by theme."""

    stage: Stage

    def works(self, *, answers: Sequence[str], count: int = 2) -> Events:
        """Workers carry out; *answers* are what can come of a request."""

        def events(world: World) -> Iterator[Event]:
            for place in range(count):
                yield from self._work(world, place, answers)

        return events

    def _work(self, world: World, place: int, answers: Sequence[str]) -> Iterator[Event]:
        world = world if len(world.workers) > place else staffed(world, place + 1)
        worker, who = world.workers[place], f"worker {place + 1}"
        if worker.is_idle:
            if any(lease.effect.kind is EffectKind.EXECUTE for lease in world.hand):
                yield Event(f"{who} takes work", self._taking(place, EffectKind.EXECUTE, most=1))
            return
        (lease,) = worker.leases
        if lease.effect.kind is not EffectKind.EXECUTE:
            return
        if worker.claim is None:
            yield Event(f"{who} claims", self._claiming(place))
        elif worker.executed is None:
            if (world.turn - worker.claimed) * TURN_S < execute.ATTEMPT_S:
                for answer in answers:
                    yield Event(f"{who} goes on (target: {answer})", self._sending(place, answer))
        else:
            yield Event(f"{who} reports", self._reporting(place))

    def workers_die(self, world: World) -> Iterator[Event]:
        """One of them alone, and nobody notices before its lease ends."""
        for place, worker in enumerate(world.workers):
            if not worker.is_idle:

                async def play(world: World, place: int = place) -> World:
                    return with_worker(world, place, Worker())

                yield Event(f"worker {place + 1} dies", play)

    def _taking(self, place: int, kind: EffectKind, *, most: int) -> Play:
        async def play(world: World) -> World:
            # The last first: no order of one batch is better than another.
            taken = [lease for lease in reversed(world.hand) if lease.effect.kind is kind][:most]
            self.stage.hand.leases = [lease for lease in world.hand if lease not in taken]
            return with_worker(world, place, Worker(leases=tuple(taken)))

        return play

    def _claiming(self, place: int) -> Play:
        async def play(world: World) -> World:
            (lease,) = world.workers[place].leases
            carrier = self.stage.carrier
            carrier.claimed = None
            try:
                await carrier.execute(lease)
            except KeyturnError:
                return with_worker(world, place, Worker())
            if carrier.claimed is None:
                return with_worker(world, place, Worker())
            claimed = Worker(leases=(lease,), claim=carrier.claimed, claimed=world.turn)
            return with_worker(world, place, claimed)

        return play

    def _sending(self, place: int, answer: str) -> Play:
        async def play(world: World) -> World:
            worker = world.workers[place]
            claim = worker.claim
            slot = world.named(claim.proposal.id)
            assert slot is not None
            stage, sent = self.stage, False

            async def behave(_: Action) -> Executed:
                nonlocal sent
                sent = True
                return _ANSWERS[answer]

            stage.notebook.behave = behave
            verb = stage.notebook.verbs[claim.proposal.action.verb]
            executed = await stage.carrier._attempt(
                stage.notebook, claim.proposal, key=claim.key, verb=verb
            )
            after = with_worker(world, place, replace(worker, executed=executed))
            if not sent:
                return after
            arrives = answer in {"done", "answer lost"}
            knows = self.stage.terms.is_idempotent and slot.happened > 0
            return with_slot(
                after,
                replace(
                    slot,
                    sent=(*slot.sent, claim.proposal.attempt),
                    happened=slot.happened + (arrives and not knows),
                    flying=world.turn if answer == "lost on its way" else slot.flying,
                ),
            )

        return play

    def _reporting(self, place: int) -> Play:
        async def play(world: World) -> World:
            worker = world.workers[place]
            (lease,), proposal = worker.leases, worker.claim.proposal
            verb = self.stage.notebook.verbs[proposal.action.verb]
            await self.stage.carrier._record(
                lease, proposal, worker.executed, verb=verb, successor=None
            )
            return with_worker(world, place, Worker())

        return play

    def requests_arrive(self, world: World) -> Iterator[Event]:
        """A request that was lost on its way arrives in its turn, or never."""
        for slot in world.slots:
            if slot.flying is None:
                continue

            async def dropped(world: World, slot: Slot = slot) -> World:
                return with_slot(world, replace(slot, flying=None))

            async def arrived(world: World, slot: Slot = slot) -> World:
                knows = self.stage.terms.is_idempotent and slot.happened > 0
                happened = slot.happened + (not knows)
                return with_slot(world, replace(slot, flying=None, happened=happened))

            yield Event(f"the lost request of {slot.label} is dropped", dropped)
            if slot.flying == world.turn:
                yield Event(f"the lost request of {slot.label} arrives", arrived)

    def looks_up(self, world: World) -> Iterator[Event]:
        for lease in world.hand:
            if lease.effect.kind is EffectKind.LOOK_UP:
                yield Event("the target is asked", self._looking(lease))

    def _looking(self, lease: Lease) -> Play:
        async def play(world: World) -> World:
            slot = world.named(lease.effect.subject)
            happened = slot is not None and slot.happened > 0

            def answer(_: Action) -> LookedUp:
                return Found(reference="n1") if happened else Absent()

            self.stage.notebook.answer_lookup = answer
            return await self._doing(world, lease, self.stage.settle.look_up)

        return play

    def sweeps(self, world: World) -> Iterator[Event]:
        for lease in world.hand:
            if lease.effect.kind is EffectKind.SWEEP:

                async def play(world: World, lease: Lease = lease) -> World:
                    return await self._doing(world, lease, self.stage.halts.sweep)

                yield Event("what the stop has ended is written", play)

    async def _doing(
        self, world: World, lease: Lease, do: Callable[[Lease], Awaitable[None]]
    ) -> World:
        self.stage.hand.leases = [held for held in world.hand if held is not lease]
        with suppress(KeyturnError):
            await do(lease)
        return world

    def couriers(self, count: int) -> Events:
        """They take every card there is to be posted, and record all of them in one commit."""

        def events(world: World) -> Iterator[Event]:
            for place in range(count):
                manned = world if len(world.workers) > place else staffed(world, place + 1)
                worker, who = manned.workers[place], f"courier {place + 1}"
                if not worker.is_idle:
                    yield Event(f"{who} posts and records", self._posting(place))
                elif any(lease.effect.kind is EffectKind.DELIVER for lease in world.hand):
                    taking = self._taking(place, EffectKind.DELIVER, most=10)
                    yield Event(f"{who} takes every card there is", taking)

        return events

    def _posting(self, place: int) -> Play:
        async def play(world: World) -> World:
            leases = world.workers[place].leases
            deliver = self.stage.deliver.deliver
            try:
                await deliver(leases)
            except Conflict:
                for lease in leases:
                    with suppress(Conflict):
                        await deliver([lease])
            return with_worker(world, place, Worker())

        return play


_ANSWERS: Final[dict[str, Executed]] = {
    "done": Succeeded(detail="done", reference="n1"),
    "refused": Failed(reason="refused", detail="refused"),
    "answer lost": InDoubt(reason="timeout", detail="answer lost"),
    "lost on its way": InDoubt(reason="timeout", detail="answer lost"),
}
