"""Codes that join an account in a chat to a person: typed once, from one screen to another."""

from typing import Final, NewType

from bot.core.tokens import TokenHash, token_hash

#: As it is kept and compared: twelve characters, in capitals, without dashes.
LinkCodeText = NewType("LinkCodeText", str)

LINK_CODE_ENTROPY_BYTES: Final = 8

#: 60 bits.
_LENGTH: Final = 12
_GROUP: Final = 4
#: Crockford's base 32: no letter that reads like a digit.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READS_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def spell_link_code(entropy: bytes) -> str:
    """Return a code as people are shown it, such as ``7KQM-3TXW-9HPD``."""
    number = int.from_bytes(entropy[:LINK_CODE_ENTROPY_BYTES], "big")
    letters = "".join(_ALPHABET[number >> 5 * n & 31] for n in range(_LENGTH))
    return "-".join(letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def read_link_code(typed: str) -> LinkCodeText | None:
    """Return the code that *typed* spells, in capitals or not, with or without dashes.

    None when it can be no code.
    """
    if len(typed) > 4 * _LENGTH:
        return None
    letters = typed.strip().upper().translate(_READS_AS)
    if len(letters) != _LENGTH or not all(letter in _ALPHABET for letter in letters):
        return None
    return LinkCodeText(letters)


def link_code_hash(code: LinkCodeText) -> TokenHash:
    """Return the key under which *code* is found."""
    return token_hash(code)
