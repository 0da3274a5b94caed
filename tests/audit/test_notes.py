"""Signed notes and checkpoints, in the forms that others read too."""

import os

import pytest

from bot.core.checkpoint import Checkpoint, new_origin, parse_checkpoint
from bot.core.signed_note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteInvalid,
    NoteKey,
    Signature,
    Signer,
    parse_note,
    sign,
)

#: The note in the documentation of Go's golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
_MADE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
PUBLISHED = f"""\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

\N{EM DASH} PeterNeumann {_MADE}
"""


@pytest.fixture
def signer() -> Signer:
    return Signer("keyturn/test/0123", os.urandom(32))


@pytest.fixture
def checkpoint() -> Checkpoint:
    return Checkpoint(origin="keyturn/test/0123", size=7, root=bytes(range(32)))


def test_a_note_that_others_published_holds() -> None:
    note = parse_note(PUBLISHED)

    assert NoteKey.parse(PUBLISHED_KEY).signed(note)
    assert str(note) == PUBLISHED


def test_a_changed_note_does_not_hold() -> None:
    note = parse_note(PUBLISHED.replace("answer", "reason"))

    assert not NoteKey.parse(PUBLISHED_KEY).signed(note)


def test_a_checkpoint_is_read_back_as_it_was_signed(signer: Signer, checkpoint: Checkpoint) -> None:
    written = str(checkpoint.signed_by([signer]))

    read, note = parse_checkpoint(written)

    assert read == checkpoint
    assert signer.key.signed(note)
    assert written.startswith(
        "keyturn/test/0123\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
    )


def test_every_key_of_a_rotation_signs(checkpoint: Checkpoint) -> None:
    old, new = (Signer(checkpoint.origin, os.urandom(32)) for _ in range(2))

    note = parse_note(str(checkpoint.signed_by([old, new])))

    assert old.key.signed(note)
    assert new.key.signed(note)


def test_another_key_of_the_same_name_did_not_sign(signer: Signer, checkpoint: Checkpoint) -> None:
    other = Signer(signer.key.name, os.urandom(32))

    assert not other.key.signed(checkpoint.signed_by([signer]))


def test_a_witness_signs_the_time_too(signer: Signer) -> None:
    witness = NoteKey("witness.example/w1", COSIGNATURE, signer.key.public)
    text = "a log\n1\nroot\n"
    covered = "cosignature/v1\ntime 1700000000\n" + text
    made = signer.sign(covered).data
    at = (1_700_000_000).to_bytes(8, "big")

    def note(data: bytes) -> Note:
        return Note(text, (Signature(witness.name, witness.key_id, data),))

    assert witness.signed(note(at + made))
    assert not witness.signed(note((1_700_000_001).to_bytes(8, "big") + made))
    assert not witness.signed(note(made))


def test_keys_are_read_back(signer: Signer) -> None:
    assert NoteKey.parse(str(signer.key)) == signer.key
    assert Signer.parse(signer.spell()).key == signer.key
    assert signer.key.algorithm == ED25519


def test_a_private_key_does_not_print(signer: Signer) -> None:
    secret = signer.spell().rpartition("+")[2]

    assert secret not in repr(signer)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("\N{EM DASH}", "-"),
        lambda text: text.replace("AAEC", "\tAAEC"),
        lambda text: text.replace("\n7\n", "\n07\n"),
        lambda text: text.replace("\n7\n", "\n-7\n"),
        lambda text: text.replace("AAEC", "AAE"),
        lambda text: "\n" + text,
        lambda text: text + "x\n",
        lambda text: text.replace(" keyturn", " key+turn"),
        lambda _: "",
    ],
)
def test_what_is_no_checkpoint_is_refused(
    signer: Signer, checkpoint: Checkpoint, damage: object
) -> None:
    written = str(checkpoint.signed_by([signer]))

    with pytest.raises(NoteInvalid):
        parse_checkpoint(damage(written))  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+c74f20a3+",
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY.replace("PeterNeumann", "Peter Neumann"),
        PUBLISHED_KEY[:-4],
        "x+00000000+AlJvb3RzIG9mIHRydXN0IGFuZCBvdGhlciBzdG9yaWVzIQ==",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        NoteKey.parse(text)


def test_text_that_is_signed_stays_a_note(signer: Signer) -> None:
    assert signer.key.signed(parse_note(str(sign("a\n\nb\n", [signer]))))


def test_an_origin_has_no_spaces_and_no_plus() -> None:
    assert new_origin("Acme + Söhne GmbH", bytes(8)) == "keyturn/Acme-S-hne-GmbH/0000000000000000"
    assert new_origin("++", bytes(8)) == "keyturn/unnamed/0000000000000000"
