import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import InvalidInput
from bot.core.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofInvalid,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "transparency-dev-merkle"


def log_of(size: int) -> list[bytes]:
    return [leaf_hash(b"%d" % index) for index in range(size)]


def root_by_definition(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    left, right = root_by_definition(leaves[:k]), root_by_definition(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_by_definition(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*inclusion_by_definition(m, leaves[:k]), root_by_definition(leaves[k:])]
    return [*inclusion_by_definition(m - k, leaves[k:]), root_by_definition(leaves[:k])]


def consistency_by_definition(
    m: int, leaves: Sequence[bytes], *, whole: bool = True
) -> list[bytes]:
    """RFC 6962, 2.1.2, word for word."""
    if m == len(leaves):
        return [] if whole else [root_by_definition(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        rest = root_by_definition(leaves[k:])
        return [*consistency_by_definition(m, leaves[:k], whole=whole), rest]
    rest = root_by_definition(leaves[:k])
    return [*consistency_by_definition(m - k, leaves[k:], whole=False), rest]


sizes = st.integers(1, 70)


def flipped(data: bytes, bit: int) -> bytes:
    number = int.from_bytes(data, "big") ^ (1 << bit % (8 * len(data)))
    return number.to_bytes(len(data), "big")


def test_a_leaf_never_hashes_like_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert leaf_hash(left + right) != node_hash(left, right)


def test_the_empty_log_has_the_hash_of_nothing():
    assert Frontier().root() == EMPTY_ROOT == root_of([]) == root_by_definition([])


@given(st.lists(st.binary(max_size=4).map(leaf_hash), max_size=70))
def test_the_frontier_makes_the_root_of_the_definition_at_every_size(leaves: list[bytes]):
    frontier = Frontier()
    for size, leaf in enumerate(leaves, start=1):
        frontier = frontier.append(leaf)
        assert frontier.size == size
        assert frontier.root() == root_by_definition(leaves[:size])
    assert frontier == frontier_of(leaves)
    assert root_of(leaves) == root_by_definition(leaves)


@given(st.integers(0, 300))
def test_a_frontier_survives_being_written_and_read(size: int):
    frontier = frontier_of(log_of(size))
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier


@given(st.integers(0, 300), st.binary(max_size=80))
def test_bytes_that_are_not_a_frontier_are_refused(size: int, noise: bytes):
    written = frontier_of(log_of(size)).to_bytes()
    for damaged in (written[:-1], written + b"\x00", written + bytes(32), noise):
        try:
            read = Frontier.from_bytes(damaged)
        except InvalidInput:
            continue
        assert damaged is noise
        assert read.to_bytes() == noise


@pytest.mark.parametrize(
    ("size", "subtrees"),
    [(1, ()), (0, (bytes(32),)), (1, (bytes(31),)), (3, (bytes(32), b"")), (-1, (bytes(32),))],
)
def test_a_frontier_of_another_size_cannot_be_made(size: int, subtrees: tuple[bytes, ...]):
    with pytest.raises(InvalidInput):
        Frontier(size, subtrees)


@pytest.mark.parametrize("leaf", [b"", bytes(31), bytes(33)])
def test_only_a_hash_can_be_appended(leaf: bytes):
    with pytest.raises(InvalidInput, match="32 bytes"):
        Frontier().append(leaf)
    with pytest.raises(InvalidInput, match="32 bytes"):
        root_of([leaf])


@given(sizes, st.data())
def test_an_inclusion_proof_is_that_of_the_definition_and_holds(size: int, data: st.DataObject):
    leaves = log_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    assert list(proof) == inclusion_by_definition(index, leaves)
    verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root_of(leaves))


@given(sizes, st.data())
def test_a_consistency_proof_is_that_of_the_definition_and_holds(size: int, data: st.DataObject):
    leaves = log_of(size)
    old_size = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old_size)
    assert list(proof) == consistency_by_definition(old_size, leaves)
    verify_consistency(
        old_size=old_size,
        old_root=root_of(leaves[:old_size]),
        size=size,
        root=root_of(leaves),
        proof=proof,
    )


@given(sizes, st.data())
def test_one_wrong_bit_breaks_an_inclusion_proof(size: int, data: st.DataObject):
    leaves = log_of(size)
    index = data.draw(st.integers(0, size - 1))
    hashes = [leaves[index], root_of(leaves), *inclusion_proof(leaves, index)]
    damaged = data.draw(st.integers(0, len(hashes) - 1))
    hashes[damaged] = flipped(hashes[damaged], data.draw(st.integers(0, 255)))
    leaf, root, *proof = hashes
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)


@given(st.integers(2, 70), st.data())
def test_one_wrong_bit_breaks_a_consistency_proof(size: int, data: st.DataObject):
    leaves = log_of(size)
    old_size = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old_size)
    hashes = [root_of(leaves[:old_size]), root_of(leaves), *proof]
    damaged = data.draw(st.integers(0, len(hashes) - 1))
    hashes[damaged] = flipped(hashes[damaged], data.draw(st.integers(0, 255)))
    old_root, root, *proof = hashes
    with pytest.raises(ProofInvalid):
        verify_consistency(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof)


@given(st.integers(2, 70), st.data())
def test_a_leaf_cannot_be_shown_at_another_place(size: int, data: st.DataObject):
    leaves = log_of(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size).filter(lambda other: other != index))
    proof = inclusion_proof(leaves, index)
    with pytest.raises(ProofInvalid):
        verify_inclusion(
            leaf=leaves[index], index=other, size=size, proof=proof, root=root_of(leaves)
        )


@given(st.integers(2, 70), st.data())
def test_a_proof_with_a_hash_more_or_less_does_not_hold(size: int, data: st.DataObject):
    leaves = log_of(size)
    root = root_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(1, size - 1))
    for proof in altered(inclusion_proof(leaves, index), data):
        with pytest.raises(ProofInvalid):
            verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root)
    for proof in altered(consistency_proof(leaves, old_size), data):
        with pytest.raises(ProofInvalid):
            verify_consistency(
                old_size=old_size,
                old_root=root_of(leaves[:old_size]),
                size=size,
                root=root,
                proof=proof,
            )


def altered(proof: tuple[bytes, ...], data: st.DataObject) -> list[list[bytes]]:
    at = data.draw(st.integers(0, len(proof) - 1))
    return [
        [*proof[:at], *proof[at + 1 :]],
        [*proof[:at], bytes(32), *proof[at:]],
        [*proof, proof[-1]],
        [*proof[:at], proof[at][:-1], *proof[at + 1 :]],
        [*proof[:at], proof[at] + b"\x00", *proof[at + 1 :]],
    ]


def test_a_rewritten_log_is_not_consistent_with_the_old_one():
    old, rewritten = log_of(6), log_of(9)
    rewritten[2] = leaf_hash(b"another past")
    with pytest.raises(ProofInvalid, match="old root"):
        verify_consistency(
            old_size=6,
            old_root=root_of(old),
            size=9,
            root=root_of(rewritten),
            proof=consistency_proof(rewritten, 6),
        )


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int):
    with pytest.raises(InvalidInput, match="no leaf"):
        inclusion_proof(log_of(size), index)
    with pytest.raises(ProofInvalid, match="no leaf"):
        verify_inclusion(leaf=bytes(32), index=index, size=size, proof=[], root=EMPTY_ROOT)


@pytest.mark.parametrize(("old_size", "size"), [(0, 0), (0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_from_an_empty_or_a_longer_log(old_size: int, size: int):
    with pytest.raises(InvalidInput):
        consistency_proof(log_of(size), old_size)
    with pytest.raises(ProofInvalid):
        verify_consistency(
            old_size=old_size, old_root=EMPTY_ROOT, size=size, root=EMPTY_ROOT, proof=[]
        )


def published(suite: str) -> list[Path]:
    return sorted((VECTORS / suite).rglob("*.json"))


@pytest.mark.parametrize("suite", ["inclusion", "consistency"])
def test_all_published_vectors_of_a_suite_are_judged_as_published(suite: str):
    if not VECTORS.is_dir():
        pytest.skip(f"the published Merkle vectors are not in {VECTORS}")
    judged_wrong = [
        path.relative_to(VECTORS)
        for path in published(suite)
        if holds(suite, json.loads(path.read_bytes())) == json.loads(path.read_bytes())["wantErr"]
    ]
    assert judged_wrong == []
    assert len(published(suite)) == 98


def holds(suite: str, vector: dict[str, object]) -> bool:
    def decoded(name: str) -> bytes:
        return base64.b64decode(str(vector[name]))

    proof = [base64.b64decode(step) for step in vector["proof"] or []]  # type: ignore[attr-defined]
    try:
        if suite == "inclusion":
            verify_inclusion(
                leaf=decoded("leafHash"),
                index=vector["leafIdx"],  # type: ignore[arg-type]
                size=vector["treeSize"],  # type: ignore[arg-type]
                proof=proof,
                root=decoded("root"),
            )
        else:
            verify_consistency(
                old_size=vector["size1"],  # type: ignore[arg-type]
                old_root=decoded("root1"),
                size=vector["size2"],  # type: ignore[arg-type]
                root=decoded("root2"),
                proof=proof,
            )
    except ProofInvalid:
        return False
    return True
