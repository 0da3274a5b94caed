"""Finds canaries in bytes, however they are spelled there."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.secrets.canaries import HEAD, TAIL, UPPER

_CONTEXT_BYTES = 40
_SHORTEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Leak:
    """``around`` is what stands there, for whoever looks for the place in the code."""

    source: str
    around: str


@dataclass(slots=True)
class Scanner:
    """``known`` are secrets without a mark, such as keys and tokens: found by their value."""

    known: list[bytes] = field(default_factory=list)

    def know(self, *values: str | bytes) -> None:
        found = [value.encode() if isinstance(value, str) else value for value in values]
        assert all(len(value) >= _SHORTEST_BYTES for value in found)
        self.known += found

    def leaks(self, sources: Mapping[str, bytes]) -> list[Leak]:
        return [leak for name, data in sources.items() for leak in self._in(name, data)]

    def _in(self, name: str, data: bytes) -> Iterator[Leak]:
        pattern = re.compile(b"|".join(map(re.escape, self._spellings())))
        for found in pattern.finditer(data):
            start = max(0, found.start() - _CONTEXT_BYTES)
            around = data[start : found.end() + _CONTEXT_BYTES]
            yield Leak(name, around.decode("latin-1"))

    def _spellings(self) -> list[bytes]:
        marks = [mark.encode() for mark in (HEAD, TAIL, UPPER)]
        return sorted({way for one in (*marks, *self.known) for way in _ways(one)})


def _ways(secret: bytes) -> Iterable[bytes]:
    yield secret
    yield secret[::-1]
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield secret.decode("latin-1").encode("utf-16-le")
    for before in range(3):
        # What of the encoding does not depend on the neighbours.
        whole = base64.b64encode(b"\0" * before + secret)
        inner = whole[(before * 8 + 5) // 6 : (len(secret) + before) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
