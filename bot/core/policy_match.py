"""What one rule asks of one question: globs on names, and conditions on params."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.core.canonical import Json
from bot.core.errors import InvalidInput
from bot.core.policy_operators import Absent, Operator, Test, Truth, test_of

MAX_GLOB_CHARS: Final = 200

_NOWHERE: Final[frozenset[int]] = frozenset()
_PATH_PREFIX: Final = "params."
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,6}")
_BAD_TILDE: Final = re.compile(r"~(?![01])")


@dataclass(frozen=True, slots=True)
class Globs:
    """Globs of which one has to match: ``*`` is any run of characters, ``?`` is one.

    Nothing else is special, case counts, and no glob takes more than linear time.
    """

    globs: tuple[str, ...]
    everything: bool = field(init=False, repr=False, compare=False)
    exact: frozenset[str] = field(init=False, repr=False, compare=False)
    prefixes: tuple[str, ...] = field(init=False, repr=False, compare=False)
    patterns: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        exact, prefixes, patterns = set(), [], []
        for glob in self.globs:
            literal = literal_prefix(glob)
            if literal == glob:
                exact.add(glob)
            elif glob.rstrip("*") == literal:
                prefixes.append(literal)
            else:
                patterns.append(_pattern_of(glob))
        object.__setattr__(self, "everything", "" in prefixes)
        object.__setattr__(self, "exact", frozenset(exact))
        object.__setattr__(self, "prefixes", tuple(prefixes))
        object.__setattr__(self, "patterns", tuple(patterns))

    def match(self, text: str) -> bool:
        return (
            self.everything
            or text in self.exact
            or text.startswith(self.prefixes)
            or (
                bool(self.patterns)
                and any(pattern.fullmatch(text) is not None for pattern in self.patterns)
            )
        )


class Index:
    """Finds in a few look-ups the places whose globs may match; `Globs.match` has the last word."""

    __slots__ = ("_by_name", "_by_prefix", "_prefix_lengths")

    def __init__(self, places: Sequence[Globs]) -> None:
        by_name: dict[str, set[int]] = {}
        by_prefix: dict[str, set[int]] = {}
        for place, globs in enumerate(places):
            for glob in globs.globs:
                literal = literal_prefix(glob)
                (by_name if literal == glob else by_prefix).setdefault(literal, set()).add(place)
        self._by_name = by_name
        self._by_prefix = by_prefix
        self._prefix_lengths = sorted({len(prefix) for prefix in by_prefix})

    def places(self, name: str) -> set[int]:
        """Return every place where *name* matches, and perhaps others."""
        found = [self._by_name.get(name, _NOWHERE)]
        found += [self._by_prefix.get(name[:length], _NOWHERE) for length in self._prefix_lengths]
        return set().union(*found)


def literal_prefix(glob: str) -> str:
    """Return the characters that every text matching *glob* begins with."""
    for index, char in enumerate(glob):
        if char in "*?":
            return glob[:index]
    return glob


def _pattern_of(glob: str) -> re.Pattern[str]:
    # Leftmost is enough for all pieces but the last, so nothing needs to be tried twice.
    first, *pieces = (
        "".join("." if char == "?" else re.escape(char) for char in piece)
        for piece in glob.split("*")
    )
    if not pieces:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[:-1] if piece)
    return re.compile(f"{first}{middle}.*{pieces[-1]}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one param; ``spelled`` is the path as the file has it.

    Raises:
        InvalidInput: the path or the operand is not one.
    """

    spelled: str
    operator: Operator
    operand: Json
    path: tuple[str, ...] = field(init=False, repr=False, compare=False)
    test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", path_of(self.spelled))
        object.__setattr__(self, "test", test_of(self.operator, self.operand))

    def check(self, params: Mapping[str, Json]) -> Truth:
        """Return whether *params* meet this; whatever goes wrong, it cannot be evaluated."""
        try:
            return self.test(value_at(params, self.path))
        except Exception:  # noqa: BLE001  an operator that fails has not answered
            return Truth.UNKNOWN


def path_of(spelled: str) -> tuple[str, ...]:
    """Return the steps into params of ``params.a.b`` or of the JSON pointer ``/a/b``.

    Raises:
        InvalidInput: it is neither.
    """
    if spelled.startswith("/") and not _BAD_TILDE.search(spelled):
        steps = spelled[1:].split("/")
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
    if spelled.startswith(_PATH_PREFIX):
        steps = spelled.removeprefix(_PATH_PREFIX).split(".")
        if all(steps):
            return tuple(steps)
    raise InvalidInput(
        "this is not a path into params: write params.body, or /body as a JSON pointer"
    )


def value_at(params: Json, path: Sequence[str]) -> Json | Absent:
    """Return what *path* leads to; a step into an array is its index, from 0."""
    value = params
    for step in path:
        if isinstance(value, Mapping):
            if step not in value:
                return Absent.ABSENT
            value = value[step]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if not _INDEX.fullmatch(step) or int(step) >= len(value):
                return Absent.ABSENT
            value = value[int(step)]
        else:
            return Absent.ABSENT
    return value
