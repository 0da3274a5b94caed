"""The Merkle tree of RFC 6962, in the wording of RFC 9162, section 2.1.

A log of n leaves has one root. An inclusion proof shows with about log2(n) hashes that a leaf is
in it, a consistency proof that a longer log only grew. Leaves are given by their hashes, oldest
first; every hash is 32 bytes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from bot.core.errors import InvalidInput

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

_SIZE_BYTES: Final = 8


class ProofInvalid(InvalidInput):
    """A proof does not show what it was given for."""

    code = "proof_invalid"
    title = "The proof does not hold"
    default_remedy = "Ask for the proof again. If it still does not hold, the log was changed."


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf that holds *data*."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above *left* and *right*."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a growing log has to remember: its size, and the roots of its full subtrees.

    There is one subtree for each bit of *size* that is set, largest first, so at most 63 in
    practice.

    Raises:
        InvalidInput: the subtrees are not those of *size* leaves.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        expected = self.size.bit_count()
        if self.size < 0 or len(self.subtrees) != expected:
            raise InvalidInput(
                f"{self.size} leaves make {expected} subtrees, not {len(self.subtrees)}"
            )
        for subtree in self.subtrees:
            if len(subtree) != HASH_BYTES:
                raise InvalidInput(f"a hash is {HASH_BYTES} bytes, not {len(subtree)}")

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier with the hash *leaf* as the last leaf.

        Raises:
            InvalidInput: *leaf* is not 32 bytes.
        """
        return self.extended((leaf,))

    def extended(self, leaves: Iterable[bytes]) -> "Frontier":
        """Return the frontier with the hashes *leaves* as the last leaves.

        Raises:
            InvalidInput: one of them is not 32 bytes.
        """
        subtrees = list(self.subtrees)
        size = self.size
        for full in leaves:
            if len(full) != HASH_BYTES:
                raise InvalidInput(f"a hash is {HASH_BYTES} bytes, not {len(full)}")
            # One subtree fills up for each bit that the addition carries over.
            filled = size
            while filled & 1:
                full = hashlib.sha256(b"\x01" + subtrees.pop() + full).digest()  # noqa: PLW2901
                filled >>= 1
            subtrees.append(full)
            size += 1
        return Frontier(size, tuple(subtrees))

    def root(self) -> bytes:
        """Return the root of the log."""
        if not self.subtrees:
            return EMPTY_ROOT
        root, *larger = reversed(self.subtrees)
        for subtree in larger:
            root = node_hash(subtree, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the size in 8 bytes, big-endian, and the subtrees as they stand."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.subtrees)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the frontier that `to_bytes` wrote.

        Raises:
            InvalidInput: *data* is not a frontier.
        """
        hashes = data[_SIZE_BYTES:]
        if len(data) < _SIZE_BYTES or len(hashes) % HASH_BYTES:
            raise InvalidInput(f"{len(data)} bytes are not the frontier of a log")
        starts = range(0, len(hashes), HASH_BYTES)
        return cls(
            int.from_bytes(data[:_SIZE_BYTES], "big"),
            tuple(hashes[start : start + HASH_BYTES] for start in starts),
        )


def frontier_of(leaf_hashes: Iterable[bytes]) -> Frontier:
    """Return the frontier of the log of these leaves.

    Raises:
        InvalidInput: a hash is not 32 bytes.
    """
    return Frontier().extended(leaf_hashes)


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of the log of these leaves.

    Raises:
        InvalidInput: a hash is not 32 bytes.
    """
    return frontier_of(leaf_hashes).root()


def inclusion_path(index: int, size: int) -> tuple[range, ...]:
    """Return the leaves under each hash of an inclusion proof, in the proof's order.

    A store that keeps subtree roots can answer from these without reading every leaf.

    Raises:
        InvalidInput: a log of *size* leaves has no leaf *index*.
    """
    if not 0 <= index < size:
        raise InvalidInput(f"a log of {size} leaves has no leaf {index}")
    path: list[range] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _left_width(stop - start)
        if index < middle:
            path.append(range(middle, stop))
            stop = middle
        else:
            path.append(range(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(old_size: int, size: int) -> tuple[range, ...]:
    """Return the leaves under each hash of a consistency proof, in the proof's order.

    Raises:
        InvalidInput: *old_size* is not between 1 and *size*.
    """
    if not 0 < old_size <= size:
        raise InvalidInput(f"a log of {size} leaves was not once a log of {old_size}")
    path: list[range] = []
    start, stop = 0, size
    while stop > old_size:
        middle = start + _left_width(stop - start)
        if old_size <= middle:
            path.append(range(middle, stop))
            stop = middle
        else:
            path.append(range(start, middle))
            start = middle
    # Whoever checks knows the old root, so it is left out where it is a whole subtree.
    if start > 0:
        path.append(range(start, stop))
    return tuple(reversed(path))


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the hashes that, with the leaf, make the root; lowest first.

    Raises:
        InvalidInput: there is no leaf *index*.
    """
    path = inclusion_path(index, len(leaf_hashes))
    return tuple(root_of(leaf_hashes[under.start : under.stop]) for under in path)


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the hashes that make both the root of the first *old_size* leaves and that of all.

    Raises:
        InvalidInput: *old_size* is not between 1 and the number of leaves. Every log is
            consistent with the empty one, so a proof of that would show nothing.
    """
    path = consistency_path(old_size, len(leaf_hashes))
    return tuple(root_of(leaf_hashes[under.start : under.stop]) for under in path)


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Return if the hash *leaf* is leaf *index* of the log of *size* leaves with this *root*.

    RFC 9162, 2.1.3.2.

    Raises:
        ProofInvalid: it is not, or the proof does not show it.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"a log of {size} leaves has no leaf {index}")
    _require_hashes(leaf, root, *proof)
    position, last = index, size - 1
    made = leaf
    for step in proof:
        if last == 0:
            raise ProofInvalid("the proof has more hashes than the log has levels")
        if position & 1 or position == last:
            made = node_hash(step, made)
            position, last = _up_to_left_turn(position, last)
        else:
            made = node_hash(made, step)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofInvalid("the proof has fewer hashes than the log has levels")
    if made != root:
        raise ProofInvalid("the leaf and the proof do not make the root")


def verify_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if the log of *size* leaves begins with the log of *old_size* leaves.

    RFC 9162, 2.1.4.2.

    Raises:
        ProofInvalid: it does not, or the proof does not show it. Also for an empty old log,
            with which every log is consistent: accepting that would look like evidence.
    """
    if not 0 < old_size <= size:
        raise ProofInvalid(f"nothing can show that a log of {size} leaves began as {old_size}")
    if old_size == size:
        # Nothing is hashed, so what the two roots are does not matter, only that they are one.
        if proof:
            raise ProofInvalid("two logs of one size need no proof")
        if old_root != root:
            raise ProofInvalid("two logs of one size have different roots")
        return
    _require_hashes(old_root, root, *proof)
    steps = iter(proof)
    is_whole_subtree = old_size & (old_size - 1) == 0
    seed = old_root if is_whole_subtree else next(steps, None)
    if seed is None:
        raise ProofInvalid("the proof is empty")
    position, last = old_size - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    made_old = made = seed
    for step in steps:
        if last == 0:
            raise ProofInvalid("the proof has more hashes than the log has levels")
        if position & 1 or position == last:
            made_old = node_hash(step, made_old)
            made = node_hash(step, made)
            position, last = _up_to_left_turn(position, last)
        else:
            made = node_hash(made, step)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofInvalid("the proof has fewer hashes than the log has levels")
    if made_old != old_root:
        raise ProofInvalid("the proof does not make the old root")
    if made != root:
        raise ProofInvalid("the proof does not make the new root")


def _left_width(size: int) -> int:
    """Return the largest power of two below *size*, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _up_to_left_turn(position: int, last: int) -> tuple[int, int]:
    while position & 1 == 0 and position != 0:
        position >>= 1
        last >>= 1
    return position, last


def _require_hashes(*hashes: bytes) -> None:
    for each in hashes:
        if len(each) != HASH_BYTES:
            raise ProofInvalid(f"a hash is {HASH_BYTES} bytes, not {len(each)}")
