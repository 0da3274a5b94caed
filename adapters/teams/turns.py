"""Who pressed a card is answered before the same card is changed: else the older would stay."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: An answer that takes longer does not hold up what is true.
_WAIT_S: Final = 1.5


class Turns:
    """By conversation and activity: whether an answer is being made that takes the card's place."""

    def __init__(self) -> None:
        self._answering: dict[tuple[str, str], list[asyncio.Event]] = {}

    @contextmanager
    def answering(self, conversation: str, activity: str) -> Iterator[None]:
        """Hold changes of the card at *activity* back while the body makes an answer."""
        key, made = (conversation, activity), asyncio.Event()
        self._answering.setdefault(key, []).append(made)
        try:
            yield
        finally:
            made.set()
            self._answering[key].remove(made)
            if not self._answering[key]:
                del self._answering[key]

    async def mine(self, conversation: str, activity: str) -> None:
        """Return once every answer is made that had been begun by now."""
        for made in list(self._answering.get((conversation, activity), ())):
            try:
                async with asyncio.timeout(_WAIT_S):
                    await made.wait()
            except TimeoutError:
                return
