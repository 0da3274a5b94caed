"""The root of a log that is read once, entry by entry, without keeping the entries."""

import hashlib

from bot.core.merkle import EMPTY_ROOT


class GrowingTree:
    """The same roots as :class:`bot.core.merkle.Frontier`, changed in place for speed."""

    __slots__ = ("_subtrees", "size")

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash *leaf* as the last leaf."""
        size, subtrees = self.size, self._subtrees
        # Each one at the end of the size is a subtree that this leaf completes.
        while size & 1:
            leaf = hashlib.sha256(b"\x01" + subtrees.pop() + leaf).digest()
            size >>= 1
        subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what was added so far."""
        if not self._subtrees:
            return EMPTY_ROOT
        root, *larger = reversed(self._subtrees)
        for subtree in larger:
            root = hashlib.sha256(b"\x01" + subtree + root).digest()
        return root
