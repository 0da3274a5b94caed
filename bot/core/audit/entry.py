"""One entry by itself: its form, its place, and what its openings open."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson

from bot.core.audit.problems import Fault, Problems
from bot.core.canonical import canonical, digest_of, sha256_digest
from bot.core.errors import InvalidInput
from bot.core.leaf import COMMITMENT, LEAF_VERSION

#: bot.core.leaf.timestamp; texts of this one form sort as the times do.
_is_time: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch
_SORTED: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_PLAIN: Final = frozenset({str, int, bool, type(None)})


class EntryReader:
    """Reads bodies in the order of the log and remembers where it is."""

    __slots__ = ("_last_at", "_problems", "opened", "position")

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._last_at = ""
        self.position = 0
        self.opened = 0

    def parse(self, index: int, raw: bytes) -> dict[str, Any] | None:
        """Return the fields of the body *raw*, or None if it is no entry."""
        body = body_of(raw)
        if body is None:
            self._problems.add(index, Fault.NOT_AN_ENTRY, "is not an entry of a log")
        return body

    def check_spelling(self, index: int, raw: bytes, body: Mapping[str, Any]) -> None:
        """Check that *raw* is the canonical spelling of *body*."""
        if not _is_canonical(raw, body):
            what = "is not in the one spelling that is recorded (RFC 8785)"
            self._problems.add(index, Fault.NOT_CANONICAL, what)

    def place(self, index: int, body: Mapping[str, Any]) -> None:
        """Check that the body is the next one of its log, and later than the one before."""
        number, expected = body["i"], self.position
        if number == expected:
            self.position = expected + 1
            self.follow_time(index, body)
            return
        if number > expected:
            gone = (
                f"entry {expected} is"
                if number == expected + 1
                else (f"entries {expected} to {number - 1} are")
            )
            self._problems.add(index, Fault.MISSING_ENTRY, f"{gone} missing before entry {number}")
            self.position = number + 1
        elif number == expected - 1:
            what = f"entry {number} stands here again"
            self._problems.add(index, Fault.DUPLICATE_ENTRY, what)
        else:
            what = f"entry {number} stands where entry {expected} should"
            self._problems.add(index, Fault.OUT_OF_ORDER, what)
            return
        if number > expected:
            self.follow_time(index, body)

    def follow_time(self, index: int, body: Mapping[str, Any]) -> None:
        """Check that the body is later than the one before."""
        at = body["at"]
        if at <= self._last_at:
            what = f"{at} is not after {self._last_at}"
            self._problems.add(index, Fault.TIME_WENT_BACK, what)
        self._last_at = at

    def open(
        self, index: int, body: Mapping[str, Any], openings: Iterable[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return what *openings* open, by path."""
        opened: dict[str, Any] = {}
        for given in openings:
            path, value = given["path"], given["value"]
            committed = body.get(path)
            if path in opened or type(committed) is not dict:
                what = f"nothing is committed at '{path}'"
                self._problems.add(index, Fault.BAD_COMMITMENT, what)
            elif not _is_opened(committed, path, given["salt"], value):
                what = f"what is shown at '{path}' is not what was recorded"
                self._problems.add(index, Fault.BAD_COMMITMENT, what)
            opened[path] = value
        self.opened += len(opened)
        return opened

    def check_action(self, index: int, opened: Mapping[str, Any]) -> None:
        """Check that the action that is shown has the digest that was bound."""
        binding, action = opened.get("binding"), opened.get("action")
        if not isinstance(binding, dict) or not isinstance(action, str):
            return
        if binding.get("action_digest") != sha256_digest(action.encode()):
            what = "the action that is shown is not the one that was bound"
            self._problems.add(index, Fault.ACTION_DIFFERS, what)


def body_of(raw: bytes) -> dict[str, Any] | None:
    """Return the fields of the body *raw*, or None if it is no entry."""
    try:
        body: dict[str, Any] = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if _has_frame(body) else None


def hash_of(raw: bytes) -> bytes:
    return sha256(b"\x00" + raw).digest()


def _has_frame(body: Mapping[str, Any]) -> bool:
    try:
        return (
            body["v"] == LEAF_VERSION
            and type(body["i"]) is int
            and _is_time(body["at"]) is not None
            and type(body["type"]) is str
            and type(body["actor"]) is str
            and "policy" in body
        )
    except (KeyError, TypeError):  # also of what is no object
        return False


def _is_canonical(raw: bytes, body: Mapping[str, Any]) -> bool:
    # Without floats and with keys in ASCII, orjson spells as RFC 8785 does, many times faster.
    if _quick(body) == raw and raw.isascii() and not _holds_float(body):
        return True
    try:
        return canonical(body) == raw
    except InvalidInput:
        return False


def _holds_float(body: Mapping[str, Any]) -> bool:
    if _PLAIN.issuperset(map(type, body.values())):
        return False
    inside: list[Any] = [body]
    for nest in inside:  # which grows meanwhile
        for value in nest.values() if type(nest) is dict else nest:
            kind = type(value)
            if kind is str:
                continue
            if kind is float:
                return True
            # Most nests are commitments: one text.
            if (kind is dict and not _PLAIN.issuperset(map(type, value.values()))) or (
                kind is list and not _PLAIN.issuperset(map(type, value))
            ):
                inside.append(value)
    return False


def _is_opened(committed: Mapping[str, Any], path: str, salt: str, value: Any) -> bool:
    """Return whether *committed* is what bot.core.leaf.commitment makes of the others."""
    if type(salt) is not str or len(committed) != 1:
        return False
    commitment = [COMMITMENT, path, salt, value]
    # Whatever these bytes are, that they have the digest shows that they were committed to.
    digest = "sha256:" + sha256(_quick(commitment)).hexdigest()
    if committed.get("commitment") == digest:
        return True
    try:
        return committed == {"commitment": digest_of(commitment)}
    except InvalidInput:
        return False


def _quick(value: object) -> bytes:
    """Return a spelling of *value*, which is that of RFC 8785 where it is ASCII without floats."""
    try:
        return orjson.dumps(value, option=_SORTED)
    except orjson.JSONEncodeError:
        return b""
