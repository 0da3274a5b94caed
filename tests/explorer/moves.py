"""What agents, people, clocks and processes can do next, each event played on the real services."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bot.core.actors import OPERATOR, person_actor
from bot.core.canonical import digest_of
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.core.errors import KeyturnError
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import HaltId, PersonId, ProposalId
from bot.core.pressed import Recorded
from bot.core.proposal import Action, Mode
from bot.service import execute
from bot.service.policy_book import PolicyBook
from bot.service.submit import SubmitRequest
from tests.explorer.books import read_books
from tests.explorer.grants import Grants
from tests.explorer.happening import Event, Events, Play, with_slot
from tests.explorer.laws import is_stoppable
from tests.explorer.stage import AUDIENCE, STRICT, Stage
from tests.explorer.workers import Workers
from tests.explorer.world import Slot, World

#: How often a person presses Undo on what is not undone yet.
UNDOS: Final = 2


@dataclass(slots=True)
class Moves:
    """The events of one stage, by theme; a small world chooses among the themes."""

    stage: Stage
    place: Path

    @property
    def workers(self) -> Workers:
        return Workers(self.stage)

    @property
    def release(self) -> Grants:
        return Grants(self.stage)

    def _slot(self, world: World, label: str) -> Slot:
        slot = world.slot(label)
        assert slot is not None, f"nothing is proposed under {label}"
        return slot

    def submits(self, label: str, *, superseding: str = "", released: bool = False) -> Events:
        """The agent proposes, once under its key; again it is told the same."""

        def events(world: World) -> Iterator[Event]:
            earlier, old = world.slot(label), world.slot(superseding)
            if superseding and old is None:
                return

            async def play(world: World) -> World:
                self.stage.named(label)
                try:
                    told = await self.stage.submit.submit(
                        self.stage.cast.agent,
                        SubmitRequest(
                            action=Action(
                                verb="note.write", resource="note:1", params={"text": label}
                            ),
                            mode=Mode.RELEASE if released else Mode.EXECUTE,
                            audience=AUDIENCE if released else None,
                            supersedes=None if old is None else ProposalId(old.id),
                            idempotency_key=label,
                            request_digest=digest_of([label, superseding]),
                        ),
                    )
                except KeyturnError:
                    return world
                if earlier is not None:
                    wrong = "" if told.proposal.id == earlier.id else "the same key led elsewhere"
                    return replace(world, wrong=wrong)
                if old is None or told.proposal.state == "denied":
                    return world
                return with_slot(world, replace(old, replaced=True))

            again = "" if earlier is None else " again"
            what = f"the agent submits {label}{again}"
            yield Event(
                what + (f" in place of {superseding}" if superseding else ""),
                play,
                was_replay=earlier is not None,
            )

        return events

    def withdraws(self, label: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            slot = world.slot(label)
            if slot is None:
                return

            async def play(world: World) -> World:
                with suppress(KeyturnError):
                    await self.stage.withdraw.withdraw(
                        self.stage.cast.agent, ProposalId(slot.id), reason=""
                    )
                return world

            yield Event(f"the agent takes {label} back", play)

        return events

    def decides(self, label: str, *people: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            slot = world.slot(label)
            if slot is None:
                return
            for name in people:
                for button in (Button.APPROVE, Button.REJECT):
                    yield Event(
                        f"{name} presses {button.value} on {label}",
                        self._word(label, name, button),
                    )

        return events

    def approves(self, label: str, name: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            if world.slot(label) is not None:
                word = self._word(label, name, Button.APPROVE)
                yield Event(f"{name} presses approve on {label}", word)

        return events

    def presses_an_old_card(self, label: str, of: str, name: str) -> Events:
        """The button carries the digest of another proposal."""

        def events(world: World) -> Iterator[Event]:
            if world.slot(label) is None or world.slot(of) is None:
                return
            other = world.books.proposals[self._slot(world, of).id]["digest"]
            yield Event(
                f"{name} presses approve on {label} with the digest of {of}",
                self._word(label, name, Button.APPROVE, prefix=other),
            )

        return events

    def _word(self, label: str, name: str, button: Button, *, prefix: str = "") -> Play:
        async def play(world: World) -> World:
            slot, person = self._slot(world, label), self._person(name)
            pressed = await self.stage.press(slot, person, button, prefix=prefix)
            if not isinstance(pressed, Recorded):
                return world
            words = slot.said(person, button.value)
            # Whoever has said the same before is told again that it is on record.
            wrong = f"a word about another digest counted for {label}"
            return replace(
                with_slot(world, replace(slot, words=words)),
                wrong=wrong if prefix and words != slot.words else "",
            )

        return play

    def _person(self, name: str) -> PersonId:
        found: PersonId = getattr(self.stage.cast, name).id
        return found

    def leaves_the_group(self, name: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            if self._person(name) in world.members:

                async def play(world: World) -> World:
                    return replace(world, members=world.members - {self._person(name)})

                yield Event(f"{name} leaves the group", play)

        return events

    def stops(self, world: World) -> Iterator[Event]:
        """Dana stops her agent, once, and lets it go on."""
        if world.halts == 0:
            yield Event("dana stops the agent", self._halt)
        elif world.is_halted:
            yield Event("dana lets the agent go on", self._resume)

    async def _halt(self, world: World) -> World:
        agent = self.stage.cast.agent.id
        self.stage.named("halt")
        target = HaltTarget(scope=HaltScope.AGENT, agent=agent)
        dana = person_actor(self.stage.cast.dana.id)
        try:
            await self.stage.halts.halt(dana, target, reason="Stop")
        except KeyturnError:
            return world
        # As it is now: something else may have happened in the same commit, and before it.
        books = read_books(self.stage.store.disk)
        slots = [replace(s, stopped=True) if is_stoppable(books, s) else s for s in world.slots]
        return replace(world, halts=world.halts + 1, is_halted=True, slots=tuple(slots))

    async def _resume(self, world: World) -> World:
        (halt,) = world.books.halts
        dana = person_actor(self.stage.cast.dana.id)
        try:
            await self.stage.halts.resume(dana, HaltId(halt), reason="Go on")
        except KeyturnError:
            return world
        return replace(world, is_halted=False)

    def tightens(self, world: World) -> Iterator[Event]:
        """Another process would put a stricter policy in force: this one is not told."""
        if not world.is_strict:

            async def play(world: World) -> World:
                elsewhere = PolicyBook(self.stage.store, self.stage.policy)
                await elsewhere.activate(STRICT, actor=OPERATOR)
                return replace(world, is_strict=True)

            yield Event("the policy becomes stricter", play)

    def undoes(self, label: str, *people: str) -> Events:
        def events(world: World) -> Iterator[Event]:
            slot = world.slot(label)
            if slot is None or world.books.state(slot.id) != "succeeded":
                return
            if sum(other.undoes == slot.id for other in world.slots) >= UNDOS:
                return
            for name in people:

                async def play(world: World, name: str = name) -> World:
                    self.stage.named(f"undo {len(world.slots)}")
                    await self.stage.press(slot, self._person(name), Button.UNDO)
                    return world

                yield Event(f"{name} presses undo on {label}", play)

        return events

    def settles(self, world: World) -> Iterator[Event]:
        """Dana looks at the target and says what is there, once nothing is under way to it."""
        for slot in world.slots:
            if world.books.state(slot.id) != "in_doubt" or slot.flying is not None:
                continue
            button = Button.SETTLE_DONE if slot.happened else Button.SETTLE_NOT_DONE

            async def play(world: World, slot: Slot = slot, button: Button = button) -> World:
                await self.stage.press(slot, self.stage.cast.dana.id, button)
                return world

            yield Event(f"dana looks and settles {slot.label}", play)

    def time_passes(self, turns: int) -> Events:
        def events(world: World) -> Iterator[Event]:
            if world.turn < turns:

                async def play(world: World) -> World:
                    return replace(world, turn=world.turn + 1)

                yield Event("time passes", play)

        return events

    def clocks_end(self, world: World) -> Iterator[Event]:
        if world.turn:

            async def play(world: World) -> World:
                await self.stage.expire.sweep()
                return world

            yield Event("the clocks end what is over", play)

    def clocks_look(self, *, most: int = 10) -> Events:
        """What is due and held by nobody is leased."""
        kinds = [EffectKind(name) for name in sorted(self.stage.works)]

        async def play(world: World) -> World:
            leases = await self.stage.store.lease(kinds, limit=most, for_s=execute.LEASE_S)
            self.stage.gate.begin(tuple(leases))
            return world

        def events(world: World) -> Iterator[Event]:
            if world.turn or world.crashes:
                yield Event("the clocks look for work", play)

        return events

    def crashes(self, times: int) -> Events:
        def events(world: World) -> Iterator[Event]:
            if world.crashes < times and world.slots:

                async def play(world: World) -> World:
                    return await self.stage.crash(world, place=self.place)

                yield Event("the process dies and starts again", play)

        return events

    def disk_is_full_for(self, *themes: Events) -> Events:
        """The same events, whose commit fails."""

        def events(world: World) -> Iterator[Event]:
            for theme in themes:
                for event in theme(world):

                    async def play(world: World, event: Event = event) -> World:
                        self.stage.store.disk.is_full = True
                        try:
                            return await event.play(world)
                        finally:
                            self.stage.store.disk.is_full = False

                    yield Event(f"{event.name}, but the disk is full", play, event.was_replay)

        return events

    def only(self, part: str, events: Events) -> Events:
        """Those whose names have *part* in them."""
        return lambda world: (event for event in events(world) if part in event.name)

    def at_once(self, first: Events, second: Events) -> Events:
        """Two events whose steps share one commit."""

        def events(world: World) -> Iterator[Event]:
            for one in first(world):
                for other in second(world):
                    yield Event(f"{one.name}, and {other.name}, at once", _both(self, one, other))

        return events


def _both(moves: Moves, one: Event, other: Event) -> Play:
    async def play(world: World) -> World:
        arrived, gone, opened = 0, 0, asyncio.Event()

        async def door() -> None:
            nonlocal arrived
            arrived += 1
            if arrived + gone >= 2:
                opened.set()
            await opened.wait()

        async def run(event: Event) -> World:
            nonlocal gone
            try:
                return await event.play(world)
            finally:
                gone += 1
                if arrived + gone >= 2:
                    opened.set()

        moves.stage.store.door = door
        try:
            first, second = await asyncio.gather(run(one), run(other))
        finally:
            moves.stage.store.door = None
        return _merged(world, first, second)

    return play


def _merged(before: World, first: World, second: World) -> World:
    """Return *before* with what each of two events has changed about it."""
    changed = {
        name: getattr(second, name)
        for name in ("halts", "is_halted", "workers", "members", "is_strict")
        if getattr(second, name) != getattr(before, name)
    }
    slots = []
    for was, one, other in zip(before.slots, first.slots, second.slots, strict=True):
        fields = {
            name: getattr(other, name)
            for name in Slot.__slots__
            if getattr(other, name) != getattr(was, name)
        }
        if was.words not in (other.words, one.words):
            fields["words"] = tuple(sorted({**dict(one.words), **dict(other.words)}.items()))
        slots.append(replace(one, **fields))
    return replace(first, slots=tuple(slots), wrong=first.wrong or second.wrong, **changed)
