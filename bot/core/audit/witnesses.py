"""Which logs and witnesses somebody trusts, in the form of C2SP tlog-policy.

Specification: https://c2sp.org/tlog-policy. A quorum is a number of the witnesses that are named;
groups within groups are refused rather than counted wrongly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.signed_note import COSIGNATURE, ED25519, NoteInvalid, NoteKey

_NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """``quorum`` of the ``witnesses`` have to have signed; 0 asks for none."""

    logs: Sequence[NoteKey]
    witnesses: Sequence[NoteKey]
    quorum: int


class _Policy:
    def __init__(self) -> None:
        self.logs: list[NoteKey] = []
        self.witnesses: dict[str, NoteKey] = {}
        self.groups: dict[str, tuple[int, Sequence[str]]] = {}
        self.quorum: str | None = None

    def read(self, words: Sequence[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self.logs.append(_key(key, ED25519))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._require_new(name)
                self.witnesses[name] = _key(key, COSIGNATURE)
            case ["group", name, threshold, *members] if members:
                self._require_new(name)
                self.groups[name] = (self._threshold(threshold, members), members)
            case ["quorum", name] if self.quorum is None:
                self.quorum = name
            case _:
                raise NoteInvalid(f"this line is not understood: {' '.join(words)[:60]}")

    def trusted(self) -> Trusted:
        name = self.quorum
        if name is None:
            raise NoteInvalid("a policy has one line `quorum NAME`, or `quorum none`")
        if name == _NONE:
            return Trusted(logs=self.logs, witnesses=list(self.witnesses.values()), quorum=0)
        if name in self.witnesses:
            return Trusted(logs=self.logs, witnesses=[self.witnesses[name]], quorum=1)
        if name not in self.groups:
            raise NoteInvalid(f"the quorum names {name}, which is not there")
        threshold, members = self.groups[name]
        keys = {self.witnesses[member] for member in members}
        return Trusted(logs=self.logs, witnesses=list(keys), quorum=threshold)

    def _require_new(self, name: str) -> None:
        if name == _NONE or name in self.witnesses or name in self.groups:
            raise NoteInvalid(f"the name {name} is used twice")

    def _threshold(self, written: str, members: Sequence[str]) -> int:
        if nested := [name for name in members if name not in self.witnesses]:
            raise NoteInvalid(f"{nested[0]} is no witness named above; groups hold witnesses alone")
        keys = len({self.witnesses[name].public for name in members})
        known = {"any": 1, "all": keys}
        number = known.get(written, int(written) if written.isdecimal() else 0)
        if not 1 <= number <= keys:
            raise NoteInvalid(f"{written} of {keys} witnesses is not a quorum")
        return number


def parse_policy(text: str) -> Trusted:
    """Return what the policy *text* trusts.

    Raises:
        NoteInvalid: it is no policy, or one that is not understood whole.
    """
    policy = _Policy()
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            policy.read(words)
    return policy.trusted()


def _key(text: str, algorithm: int) -> NoteKey:
    key = NoteKey.parse(text)
    if key.algorithm != algorithm:
        raise NoteInvalid(f"the key {key.name} is of another kind than this line needs")
    return key
