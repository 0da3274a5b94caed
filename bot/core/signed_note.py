"""Text with signatures below it, in the form of C2SP signed-note.

A note is lines of text, an empty line, and a line for each signature:
``— NAME BASE64``, where the bytes are a four-byte key id and what the algorithm makes.
Specification: https://c2sp.org/signed-note
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from bot.core.errors import InvalidInput

ED25519: Final = 0x01
#: A witness's Ed25519 signature over the text and a time: https://c2sp.org/tlog-cosignature
COSIGNATURE: Final = 0x04

KEY_ID_BYTES: Final = 4
PUBLIC_BYTES: Final = 32
SECRET_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_TIME_BYTES: Final = 8
_MARK: Final = "\N{EM DASH} "
_MOST_SIGNATURES: Final = 100
_NAME: Final = re.compile(r"[^\s+]+")
_SIGNER_MARK: Final = "PRIVATE+KEY+"


class NoteInvalid(InvalidInput):
    """A signed note, or a key for notes, is not one, or does not hold."""

    code = "note_invalid"
    title = "The signed note does not hold"
    default_remedy = "Ask for it again, from where you trust it. Copy it whole and unchanged."


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it says it is, and its bytes after the key id."""

    name: str
    key_id: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """``text`` ends with a newline and is what the signatures cover."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        lines = "".join(
            f"{_MARK}{one.name} {_base64(one.key_id + one.data)}\n" for one in self.signatures
        )
        return f"{self.text}\n{lines}"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key with its name, as a *vkey* spells it: ``NAME+ID+BASE64``."""

    name: str
    algorithm: int
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        _require_name(self.name)
        if len(self.public) != PUBLIC_BYTES:
            raise NoteInvalid(f"a public key is {PUBLIC_BYTES} bytes, not {len(self.public)}")
        named = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        object.__setattr__(self, "key_id", hashlib.sha256(named).digest()[:KEY_ID_BYTES])

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that *text* spells.

        Raises:
            NoteInvalid: it spells none, or one of an algorithm that is not known here.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _bytes(encoded)
        if data is None or len(data) != 1 + PUBLIC_BYTES:
            raise NoteInvalid("this is not a key: it looks like NAME+8 digits+BASE64")
        if data[0] not in (ED25519, COSIGNATURE):
            raise NoteInvalid(f"keys of algorithm {data[0]} are not known here")
        key = cls(name, data[0], data[1:])
        if key.key_id.hex() != key_id:
            raise NoteInvalid("this key's name, id and bytes do not belong together")
        return key

    def signed(self, note: Note) -> bool:
        """Return whether this key signed *note*."""
        return any(self._made(note, one) for one in note.signatures if self._is_named(one))

    def _is_named(self, signature: Signature) -> bool:
        return signature.name == self.name and signature.key_id == self.key_id

    def _made(self, note: Note, signature: Signature) -> bool:
        data, text = signature.data, note.text.encode()
        if self.algorithm == COSIGNATURE:
            time, data = data[:_TIME_BYTES], data[_TIME_BYTES:]
            text = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") + text
        if len(data) != _SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(data, text)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A private Ed25519 key with its name."""

    __slots__ = ("_private", "key")

    def __init__(self, name: str, secret: bytes) -> None:
        """*secret* is 32 random bytes."""
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.key = NoteKey(name, ED25519, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Signer({self.key})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the signer that :meth:`spell` spelled.

        Raises:
            NoteInvalid: *text* spells none.
        """
        name, _, rest = text.strip().removeprefix(_SIGNER_MARK).partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _bytes(encoded)
        if not text.startswith(_SIGNER_MARK) or data is None or len(data) != 1 + SECRET_BYTES:
            raise NoteInvalid("this is not a private key for notes")
        if data[0] != ED25519:
            raise NoteInvalid(f"private keys of algorithm {data[0]} are not known here")
        signer = cls(name, data[1:])
        if signer.key.key_id.hex() != key_id:
            raise NoteInvalid("this key's name, id and bytes do not belong together")
        return signer

    def spell(self) -> str:
        """Return the private key as text: whoever has it can sign in this name."""
        data = bytes([ED25519]) + self._private.private_bytes_raw()
        return f"{_SIGNER_MARK}{self.key.name}+{self.key.key_id.hex()}+{_base64(data)}"

    def sign(self, text: str) -> Signature:
        """Return this key's signature over *text*, which ends with a newline."""
        return Signature(self.key.name, self.key.key_id, self._private.sign(text.encode()))


def sign(text: str, signers: Iterable[Signer]) -> Note:
    """Return *text* with a signature of each of *signers*."""
    return Note(text, tuple(signer.sign(text) for signer in signers))


def parse_note(written: str) -> Note:
    """Return the note that *written* is; whether its signatures hold is not asked here.

    Raises:
        NoteInvalid: it is not one.
    """
    text, between, below = written.rpartition("\n\n")
    if not between or not below.endswith("\n"):
        raise NoteInvalid("this is not a signed note: text, an empty line, then signatures")
    text += "\n"
    if any(ord(char) < 0x20 and char != "\n" for char in written):
        raise NoteInvalid("a signed note has no control characters but newlines")
    lines = below[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise NoteInvalid(f"a note with more than {_MOST_SIGNATURES} signatures is not read")
    return Note(text, tuple(map(_signature, lines)))


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    data = _bytes(encoded)
    if not line.startswith(_MARK) or not name or data is None or len(data) <= KEY_ID_BYTES:
        raise NoteInvalid("a line below the empty line is not a signature")
    _require_name(name)
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise NoteInvalid("the name of a key has no spaces and no plus, and is not empty")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
