"""Breadth first through everything that can happen: the first fault has the shortest story."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.explorer.happening import Event
from tests.explorer.stage import Stage
from tests.explorer.world import World, is_over, key_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the shortest way there."""

    wrong: str
    story: Sequence[str]

    def __str__(self) -> str:
        steps = "\n".join(f"  {number}. {what}" for number, what in enumerate(self.story, 1))
        return f"{self.wrong}:\n{steps}"


@dataclass(frozen=True, slots=True)
class Explored:
    """Every state was visited and every event tried in it, unless a ``fault`` ended it before."""

    states: int
    transitions: int
    fault: Fault | None


async def explore(
    stage: Stage,
    first: World,
    events: Callable[[World], Iterator[Event]],
    *,
    are_alike: bool,
    goes_on: bool,
) -> Explored:
    """Visit everything that can come of *first*; with *are_alike*, people may swap their parts.

    Unless it *goes_on*, every event is tried once more when all proposals have ended and nobody
    is at work on them, and that is the end.
    """

    def key(world: World) -> object:
        return key_of(world, works=stage.works, are_alike=are_alike)

    came: dict[object, tuple[object, str] | None] = {key(first): None}
    ahead, transitions = deque([first]), 0
    while ahead:
        world = ahead.popleft()
        at = key(world)
        for event in events(world):
            after = await stage.after(world, event.play, was_replay=event.was_replay)
            transitions += 1
            if after.wrong:
                story = [*_story(came, at), event.name]
                return Explored(len(came), transitions, Fault(after.wrong, story))
            if (there := key(after)) not in came:
                came[there] = (at, event.name)
                if goes_on or not (is_over(world) and is_over(after)):
                    ahead.append(after)
    return Explored(len(came), transitions, None)


def _story(came: dict[object, tuple[object, str] | None], key: object) -> list[str]:
    story: list[str] = []
    while (step := came[key]) is not None:
        key, name = step
        story.append(name)
    return story[::-1]


class _Unasked(selectors.DefaultSelector):
    """Asks the kernel only when there is nothing else to do: most turns of the loop have work."""

    def select(self, timeout: float | None = None) -> list[Any]:
        return [] if timeout is not None and timeout <= 0 else super().select(timeout)


def loop_of_its_own() -> asyncio.Runner:
    """Return a loop for many short steps that wait for nothing."""
    return asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Unasked()))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what *coroutine* returns."""
    with loop_of_its_own() as loop:
        return loop.run(coroutine)
