"""What every shelf must do, as tests: for whoever adds one.

Subclass :class:`ShelfConformance` in a test module and give it the fixture ``shelf``: a new,
empty shelf that takes its time from the fixture ``clock``, closed afterwards.
"""

import asyncio
from datetime import timedelta

import pytest

from bot.core.errors import Conflict
from bot.ports.shelf import Item, Shelf
from bot.testing.clock import ManualClock


class ShelfConformance:
    """The contract of `bot.ports.shelf.Shelf`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    async def test_what_was_put_is_got(self, shelf: Shelf) -> None:
        version = await shelf.put("session", "a", b"\x00\xff value")

        assert await shelf.get("session", "a") == Item(
            key="a", value=b"\x00\xff value", version=version, expires_at=None
        )
        assert await shelf.get("session", "b") is None
        assert await shelf.get("card", "a") is None

    async def test_every_write_of_a_key_has_a_higher_version(self, shelf: Shelf) -> None:
        versions = [await shelf.put("card", "a", bytes([n])) for n in range(3)]

        assert versions == sorted(set(versions))
        item = await shelf.get("card", "a")
        assert item is not None
        assert (item.value, item.version) == (b"\x02", versions[-1])

    async def test_a_write_at_another_version_is_refused(self, shelf: Shelf) -> None:
        first = await shelf.put("card", "a", b"1", if_version=0)
        second = await shelf.put("card", "a", b"2", if_version=first)

        for version in (0, first, second + 1):
            with pytest.raises(Conflict):
                await shelf.put("card", "a", b"3", if_version=version)
        with pytest.raises(Conflict):
            await shelf.put("card", "b", b"3", if_version=1)

        item = await shelf.get("card", "a")
        assert item is not None
        assert item.value == b"2"

    async def test_of_many_writers_at_one_version_one_wins(self, shelf: Shelf) -> None:
        version = await shelf.put("card", "a", b"0")

        results = await asyncio.gather(
            *(shelf.put("card", "a", bytes([n]), if_version=version) for n in range(32)),
            return_exceptions=True,
        )

        assert sum(isinstance(result, int) for result in results) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 31

    async def test_of_many_takers_one_gets_it(self, shelf: Shelf) -> None:
        await shelf.put("link", "a", b"once")

        taken = await asyncio.gather(*(shelf.take("link", "a") for _ in range(32)))

        assert [item.value for item in taken if item is not None] == [b"once"]
        assert await shelf.get("link", "a") is None

    async def test_what_has_expired_is_not_there(self, shelf: Shelf, clock: ManualClock) -> None:
        await shelf.put("link", "a", b"short", ttl_s=10)
        await shelf.put("link", "b", b"long", ttl_s=20)

        item = await shelf.get("link", "a")
        assert item is not None
        assert item.expires_at == clock.now() + timedelta(seconds=10)
        clock.advance(10)
        assert await shelf.get("link", "a") is None
        assert await shelf.take("link", "a") is None
        assert [item.key for item in await shelf.list("link")] == ["b"]
        await shelf.put("link", "a", b"new", if_version=0)

    async def test_a_write_without_a_time_to_live_lifts_the_old_one(
        self, shelf: Shelf, clock: ManualClock
    ) -> None:
        await shelf.put("session", "a", b"1", ttl_s=10)
        await shelf.put("session", "a", b"2")
        clock.advance(60)

        assert await shelf.get("session", "a") is not None

    async def test_a_list_is_by_kind_and_prefix_in_order(self, shelf: Shelf) -> None:
        for key in ("p/2", "p/1", "q/1", "P/1", "p%", "p_1"):
            await shelf.put("card", key, key.encode())
        await shelf.put("other", "p/3", b"")

        assert [item.key for item in await shelf.list("card", "p/")] == ["p/1", "p/2"]
        assert [item.key for item in await shelf.list("card", "p_")] == ["p_1"]
        assert len(await shelf.list("card")) == 6
        assert await shelf.list("none") == []

    async def test_what_is_deleted_is_gone_and_may_be_deleted_again(self, shelf: Shelf) -> None:
        await shelf.put("card", "a", b"1")

        await shelf.delete("card", "a")
        await shelf.delete("card", "a")

        assert await shelf.get("card", "a") is None
        await shelf.put("card", "a", b"2", if_version=0)

    async def test_what_was_kept_before_a_new_key_is_found_and_can_be_changed(
        self, shelf: Shelf
    ) -> None:
        version = await shelf.put("session", "a", b"1")

        await shelf.renew(bytes(range(32)))
        await shelf.put("session", "b", b"2")

        assert [item.value for item in await shelf.list("session")] == [b"1", b"2"]
        await shelf.put("session", "a", b"3", if_version=version)
        taken = await shelf.take("session", "a")
        assert taken is not None
        assert taken.value == b"3"

    async def test_what_mentions_somebody_is_forgotten_whatever_its_kind(
        self, shelf: Shelf
    ) -> None:
        await shelf.put("session", "a", b'{"person": "per_1"}', ttl_s=60)
        await shelf.put("link", "to per_1", b"\x00")
        await shelf.put("link", "b", b"per_2")

        await shelf.forget("per_1")

        assert await shelf.list("session") == []
        assert [item.key for item in await shelf.list("link")] == ["b"]
        await shelf.put("session", "a", b"new", if_version=0)
