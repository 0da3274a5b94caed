"""The roots of whole tiles of a log, so that a proof needs few of its leaves.

A tile is 256 leaves next to each other, from a multiple of 256 on. Its root never changes once it
is full.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bot.core.merkle import EMPTY_ROOT, inclusion_path

TILE: Final = 256

#: The hashes of the leaves of tiles, by the number of the tile; the last tile may be partial.
Opened = Mapping[int, Sequence[bytes]]


class Tiles:
    """The roots of the first tiles of a log, and of what stands above them."""

    __slots__ = ("_above", "_roots")

    def __init__(self) -> None:
        self._roots: list[bytes] = []
        self._above: dict[tuple[int, int], bytes] = {}

    @property
    def leaves(self) -> int:
        """How many leaves are under the tiles that are known."""
        return len(self._roots) * TILE

    def add(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add the next tiles; hashes behind the last full tile are left out."""
        for start in range(0, len(leaf_hashes) - TILE + 1, TILE):
            self._roots.append(_root_of(leaf_hashes[start : start + TILE]))

    def root(self, size: int, opened: Opened) -> bytes:
        """Return the root of the first *size* leaves; *opened* holds the last tile if partial."""
        return self._root(range(size), opened) if size else EMPTY_ROOT

    def inclusion_proofs(
        self, indexes: Iterable[int], size: int, opened: Opened
    ) -> list[tuple[bytes, ...]]:
        """Return for each leaf what `bot.core.merkle.inclusion_proof` returns.

        *opened* holds the tile of each leaf, and the last one if it is partial.

        Raises:
            InvalidInput: a log of *size* leaves has no such leaf.
        """
        # Leaves next to each other share most of their proofs.
        shared: dict[range, bytes] = {}
        proofs = []
        for index in indexes:
            path = inclusion_path(index, size)
            for under in path:
                if under not in shared:
                    shared[under] = self._root(under, opened)
            proofs.append(tuple(shared[under] for under in path))
        return proofs

    def _root(self, under: range, opened: Opened) -> bytes:
        first, offset = divmod(under.start, TILE)
        # What is narrower than a tile never crosses the border of one.
        if offset or len(under) < TILE:
            hashes = opened[first]
            return _root_of(hashes[offset : offset + len(under)])
        last, rest = divmod(under.stop, TILE)
        if not rest:
            return self._whole(first, last)
        partial = _root_of(opened[last][:rest])
        return _root_of([*self._roots[first:last], partial])

    def _whole(self, first: int, last: int) -> bytes:
        known = self._above.get((first, last))
        if known is None:
            known = self._above[first, last] = _root_of(self._roots[first:last])
        return known


def _root_of(hashes: Sequence[bytes]) -> bytes:
    """Return what `bot.core.merkle.root_of` returns for at least one hash, level by level."""
    while len(hashes) > 1:
        above = [
            hashlib.sha256(b"\x01" + hashes[left] + hashes[left + 1]).digest()
            for left in range(0, len(hashes) - 1, 2)
        ]
        if len(hashes) % 2:
            above.append(hashes[-1])
        hashes = above
    return hashes[0]
