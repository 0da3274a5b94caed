"""Holds proposals in the named file for ever, and prints each id once it is kept."""

import asyncio
import sys
from itertools import count
from pathlib import Path

from bot.core.effects import deliver
from bot.testing.clock import ManualClock
from bot.testing.stores import acts
from store.sqlite import SqliteStore


async def main(path: Path, first: int) -> None:
    store = await SqliteStore.open(path, clock=ManualClock())
    numbers = count(first)

    async def caller() -> None:
        for number in numbers:
            held = acts.proposal(number)
            await acts.keep(store, held, leaves=[acts.draft(held)] * 2, effects=[deliver(held.id)])
            sys.stdout.write(f"{held.id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(caller() for _ in range(16)))


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
