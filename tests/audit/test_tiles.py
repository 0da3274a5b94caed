"""Proofs from tiles are those that the tree itself gives."""

import hashlib

import pytest

from bot.core.errors import InvalidInput
from bot.core.merkle import inclusion_proof, root_of, verify_inclusion
from bot.core.tiles import TILE, Tiles

LEAVES = [hashlib.sha256(str(n).encode()).digest() for n in range(5 * TILE + 17)]
SIZES = (0, 1, 2, 255, 256, 257, 511, 512, 513, 768, 1023, 1024, 1025, 1281, len(LEAVES))


def tiles_of(size: int) -> tuple[Tiles, dict[int, list[bytes]]]:
    tiles = Tiles()
    tiles.add(LEAVES[: size - size % TILE])
    opened = {n: LEAVES[n * TILE : min(size, (n + 1) * TILE)] for n in range(size // TILE + 1)}
    return tiles, opened


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_leaves(size: int) -> None:
    tiles, opened = tiles_of(size)

    assert tiles.root(size, opened) == root_of(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_proof_is_that_of_the_leaves(size: int) -> None:
    tiles, opened = tiles_of(size)
    root = root_of(LEAVES[:size])

    for index in {0, min(1, size - 1), size // 3, size // 2, max(0, size - 2), size - 1}:
        needed = {n: opened[n] for n in {index // TILE, size // TILE} if n in opened}
        (proof,) = tiles.inclusion_proofs([index], size, needed)
        assert proof == inclusion_proof(LEAVES[:size], index)
        verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=root)


def test_tiles_of_a_longer_log_prove_a_shorter_one() -> None:
    tiles, opened = tiles_of(len(LEAVES))

    proofs = tiles.inclusion_proofs([300, 5, 300], 700, opened)

    assert proofs == [inclusion_proof(LEAVES[:700], index) for index in (300, 5, 300)]


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    tiles, opened = tiles_of(10)

    with pytest.raises(InvalidInput):
        tiles.inclusion_proofs([10], 10, opened)
