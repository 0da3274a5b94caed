"""An answer takes the card's place first; only then is the card changed where it is."""

import asyncio
from contextlib import suppress

from adapters.teams.turns import Turns


async def reached(turns: Turns, activity: str = "1") -> bool:
    """Return whether a change of the card may be made now."""
    waiting = asyncio.create_task(turns.mine("a:chat", activity))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    is_done = waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return is_done


async def test_a_change_waits_for_the_answers_that_were_begun_before_it() -> None:
    turns = Turns()
    with turns.answering("a:chat", "1"):
        with turns.answering("a:chat", "1"):
            assert not await reached(turns)
        assert not await reached(turns)
    assert await reached(turns)


async def test_another_card_is_not_held_up() -> None:
    turns = Turns()
    with turns.answering("a:chat", "1"):
        assert await reached(turns, "2")


async def test_an_answer_that_failed_holds_up_nothing() -> None:
    turns = Turns()
    with suppress(ValueError), turns.answering("a:chat", "1"):
        int("not a number")
    assert await reached(turns)


async def test_what_waits_goes_on_as_soon_as_the_answer_is_made() -> None:
    turns = Turns()
    with turns.answering("a:chat", "1"):
        waiting = asyncio.create_task(turns.mine("a:chat", "1"))
        await asyncio.sleep(0)
    await asyncio.wait_for(waiting, 1)
