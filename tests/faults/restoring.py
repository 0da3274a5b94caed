"""A restore that ends itself at one of its steps; run in a process of its own."""

import asyncio
import os
import signal
from pathlib import Path

from bot.restoring import restore
from bot.settings import load
from bot.system_clock import SystemClock


def restore_until(config: str, backup: str, step: int) -> None:
    """Restore, but end this process as a power cut would when *step* steps were told."""
    told = 0

    def tell(_: str) -> None:
        nonlocal told
        if told == step:
            os.kill(os.getpid(), signal.SIGKILL)
        told += 1

    asyncio.run(restore(load(Path(config)), Path(backup), clock=SystemClock(), tell=tell))
