"""An event of a small world, and what it changes about those outside."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.explorer.world import Slot, Worker, World

Play: TypeAlias = Callable[[World], Awaitable[World]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that can happen now; ``was_replay`` says that it must change nothing."""

    name: str
    play: Play
    was_replay: bool = False


Events: TypeAlias = Callable[[World], Iterator[Event]]


def with_slot(world: World, slot: Slot) -> World:
    slots = tuple(slot if s.label == slot.label else s for s in world.slots)
    return replace(world, slots=slots)


def staffed(world: World, count: int) -> World:
    more = count - len(world.workers)
    return replace(world, workers=(*world.workers, *(Worker() for _ in range(more))))


def with_worker(world: World, place: int, worker: Worker) -> World:
    world = staffed(world, place + 1) if len(world.workers) <= place else world
    workers = list(world.workers)
    workers[place] = worker
    return replace(world, workers=tuple(workers))
