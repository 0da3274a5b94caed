"""Watching: every reader wakes, none holds anybody up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from bot.core.effects import deliver
from bot.core.errors import Conflict
from bot.core.states import State
from bot.ports.store import Change, Store
from bot.testing.stores import acts


class Watching:
    """What `bot.ports.store.Store.watch` promises."""

    #: How long to wait for what must come at once.
    patience_s = 10.0

    async def test_every_watcher_hears_of_a_commit(self, store: Store) -> None:
        watchers = [store.watch(), store.watch()]
        waiting = [asyncio.ensure_future(self._next(watcher)) for watcher in watchers]
        await asyncio.sleep(0)

        held = await acts.hold(store)

        for change in await asyncio.gather(*waiting):
            assert (change.proposal, change.state) == (held.id, State.PENDING)
            assert change.changed_at == held.changed_at

    async def test_a_watcher_misses_nothing_from_the_moment_it_is_made(self, store: Store) -> None:
        watcher = store.watch()
        held = await acts.hold(store)

        assert (await self._next(watcher)).proposal == held.id

    async def test_what_was_heard_of_can_be_read(self, store: Store) -> None:
        watcher = store.watch()
        reading = asyncio.ensure_future(self._next(watcher))
        writing = asyncio.ensure_future(acts.hold(store))

        change = await reading

        assert (await acts.known(store, change.proposal)).state is change.state
        await writing

    async def test_nothing_is_told_of_what_was_not_committed(self, store: Store) -> None:
        held = await acts.hold(store)
        watcher = store.watch()
        await acts.move(store, held.id, State.APPROVED)
        with suppress(Conflict):
            await acts.move(store, held.id, State.REJECTED)
        with suppress(Conflict):
            await acts.hold(store, 3, idempotency_key=held.idempotency_key)
        await acts.keep(store, effects=[deliver(held.id)])
        other = await acts.hold(store, 2)

        heard = [await self._next(watcher), await self._next(watcher)]

        assert [(change.proposal, change.state) for change in heard] == [
            (held.id, State.APPROVED),
            (other.id, State.PENDING),
        ]

    async def test_a_slow_watcher_hears_the_last_of_each_proposal(self, store: Store) -> None:
        watcher = store.watch()
        held = [await acts.hold(store, n) for n in range(20)]
        for proposal in held:
            await acts.move(store, proposal.id, State.APPROVED)
        end = await acts.hold(store, 99)

        heard: dict[str, State] = {}
        positions: list[int] = []
        while end.id not in heard:
            change = await self._next(watcher)
            heard[change.proposal] = change.state
            positions.append(change.position)

        assert heard == {**{p.id: State.APPROVED for p in held}, end.id: State.PENDING}
        assert positions == sorted(set(positions))

    async def test_a_watcher_that_comes_back_catches_up(self, store: Store) -> None:
        watcher = store.watch()
        first = await acts.hold(store, 1)
        heard = await self._next(watcher)
        second = await acts.hold(store, 2)

        again = store.watch(after=heard.position)

        assert heard.proposal == first.id
        assert (await self._next(again)).proposal == second.id

    async def test_closing_ends_every_watch(self, store: Store) -> None:
        watcher = store.watch()
        waiting = asyncio.ensure_future(self._all(watcher))
        await asyncio.sleep(0)
        held = await acts.hold(store)

        await store.close()

        assert [change.proposal for change in await waiting] == [held.id]
        assert await self._all(store.watch()) == []

    async def _next(self, watcher: AsyncIterator[Change]) -> Change:
        async with asyncio.timeout(self.patience_s):
            return await anext(watcher)

    async def _all(self, watcher: AsyncIterator[Change]) -> list[Change]:
        async with asyncio.timeout(self.patience_s):
            return [change async for change in watcher]
