"""The root of a log that is read once, entry by entry, without keeping the entries."""

from hashlib import sha256
from typing import Final

from bot.core.merkle import EMPTY_ROOT

_MOST_WAITING: Final = 1024


class GrowingTree:
    """The same roots as :class:`bot.core.merkle.Frontier`, for many leaves at a time."""

    __slots__ = ("_subtrees", "_waiting", "size")

    def __init__(self) -> None:
        self.size = 0
        #: By level: the root of the subtree of 2**level leaves that waits for its right sister.
        self._subtrees: list[bytes | None] = []
        self._waiting: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash *leaf* as the last leaf."""
        self.size += 1
        self._waiting.append(leaf)
        if len(self._waiting) == _MOST_WAITING:
            self._settle()

    def root(self) -> bytes:
        """Return the root of what was added so far."""
        self._settle()
        root = None
        for subtree in self._subtrees:
            if subtree is not None:
                root = subtree if root is None else sha256(b"\x01" + subtree + root).digest()
        return EMPTY_ROOT if root is None else root

    def _settle(self) -> None:
        """Take what waits into the subtrees, level by level."""
        nodes, subtrees = self._waiting, self._subtrees
        level = 0
        while nodes:
            if level == len(subtrees):
                subtrees.append(None)
            left = subtrees[level]
            if left is not None:
                nodes.insert(0, left)
            subtrees[level] = nodes.pop() if len(nodes) % 2 else None
            pairs = iter(nodes)
            nodes = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(pairs, pairs, strict=True)
            ]
            level += 1
        self._waiting = []
