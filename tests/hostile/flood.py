"""Floods the agents' listener from a process of its own: ``python flood.py`` and its JSON.

It reads ``{"port", "connections", "seconds", "most", "requests": [text, ...]}`` from its input,
keeps that many connections busy with those requests in turn, and prints how many were answered,
by status. It stops after so many seconds or requests, or when its input is closed. The first line
that it prints says that it was answered.
"""

import asyncio
import json
import sys
from collections import Counter
from itertools import count
from typing import Any


async def flood(asked: dict[str, Any]) -> Counter[str]:
    answered: Counter[str] = Counter()
    numbers = count()
    requests = [text.encode("latin-1") for text in asked["requests"]]

    async def one() -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", asked["port"])
            except OSError:
                answered["refused"] += 1
                await asyncio.sleep(0.1)
                continue
            try:
                while True:
                    number = next(numbers)
                    if number >= asked["most"]:
                        return
                    if await _exchange(reader, writer, requests[number % len(requests)], number):
                        break
            except (OSError, asyncio.IncompleteReadError):
                answered["lost"] += 1
            finally:
                writer.close()

    async def _exchange(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes, number: int
    ) -> bool:
        """Return whether the other side closes after its answer."""
        writer.write(text.replace(b"@NUMBER@", b"%08d" % number))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        if not answered:
            print("flooding", flush=True)  # noqa: T201 - whoever started it waits for this
        answered[head[9:12].decode()] += 1
        return b"connection: close" in head

    flooding = [asyncio.create_task(one()) for _ in range(asked["connections"])]
    until_told = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({until_told}, timeout=asked["seconds"])
    for task in flooding:
        task.cancel()
    await asyncio.gather(*flooding, return_exceptions=True)
    return answered


if __name__ == "__main__":
    told = asyncio.run(flood(json.loads(sys.stdin.readline())))
    print(json.dumps(told), flush=True)  # noqa: T201 - its answer
