"""How a condition compares a param with what a rule names, in three answers.

The third answer, that it cannot be told, is never taken for either of the others:
`bot.core.policy` says what it means for each effect.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum, StrEnum, unique
from typing import Final, TypeAlias, cast

import idna
import jsonschema_rs

from bot.core.canonical import MAX_INTEGER, Json
from bot.core.errors import InvalidInput

MAX_PATTERN_CHARS: Final = 1000
MAX_MATCHED_CHARS: Final = 16_384  #: a longer text is not searched, and cannot be evaluated
MAX_HOST_CHARS: Final = 2048

_PATTERN_BYTES: Final = 1 << 20

_NEVER_IN_A_HOST_TEXT: Final = re.compile(r"[\x00-\x20\x7f\\]")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#@]*)(?:[/?#].*)?", re.DOTALL)
_EMAIL: Final = re.compile(r"[^@\s\"'<>(),:;\[\]]+@([^@]+)")
_PORT: Final = re.compile(r":[0-9]{0,5}\Z")
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_IPV4: Final = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_NUMERIC_LABEL: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


@unique
class Truth(Enum):
    """Whether something holds, or that it cannot be told."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@unique
class Operator(StrEnum):
    """How a condition compares a param with what the rule names."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    MATCHES = "matches"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"
    LEN_LE = "len_le"
    DOMAIN_IN = "domain_in"


Test: TypeAlias = Callable[[object], Truth]


@unique
class Absent(Enum):
    """What stands for a param that is not there, since null is a value."""

    ABSENT = "absent"


def test_of(operator: Operator, operand: Json) -> Test:
    """Return the test of a param's value, or of `Absent.ABSENT`.

    Raises:
        InvalidInput: *operator* does not take *operand*.
    """
    return _TESTS[operator](operand)


def host_of(text: str) -> str | None:
    """Return the host in an e-mail address, a URL or a host, in its ASCII form.

    None for everything that two readers might read differently: user information in a URL, a
    display name before an address, several addresses, blanks, backslashes, numbers that some
    take for an IP address, an IPv6 address.
    """
    if len(text) > MAX_HOST_CHARS or _NEVER_IN_A_HOST_TEXT.search(text):
        return None
    if "://" in text:
        found = _URL.fullmatch(text)
        host = _PORT.sub("", found[1]) if found else ""
    elif "@" in text:
        found = _EMAIL.fullmatch(text)
        host = found[1] if found else ""
    else:
        host = text
    return _ascii_host(host)


def _ascii_host(host: str) -> str | None:
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    name = name.removesuffix(".")
    if not _HOST.fullmatch(name):
        return None
    if _NUMERIC_LABEL.fullmatch(name) and not _IPV4.fullmatch(name):
        return None
    return name


def _answer(yes: bool) -> Truth:  # noqa: FBT001  a truth value is all this takes
    return Truth.YES if yes else Truth.NO


def _sort_of(value: object) -> str | None:
    """Return which scalars *value* can be compared with; None if it is no scalar."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "a number" if abs(value) <= MAX_INTEGER else None
        case float():
            return "a number" if math.isfinite(value) else None
        case str():
            return "text"
        case _:
            return None


def _scalar(operand: Json) -> Json:
    if _sort_of(operand) is None:
        raise InvalidInput("this takes text, a number up to ±(2^53-1), true, false or null")
    return operand


def _items(operand: Json) -> Sequence[Json]:
    if isinstance(operand, str) or not isinstance(operand, Sequence):
        raise InvalidInput("this takes a list, such as [a, b]")
    if not operand:
        raise InvalidInput("the list is empty: name at least one")
    return operand


def _text(operand: Json) -> str:
    if not isinstance(operand, str) or not operand:
        raise InvalidInput("this takes text; put it in quotation marks")
    return operand


def _eq(operand: Json) -> Test:
    return _in([operand])


def _in(operand: Json) -> Test:
    items = [_scalar(item) for item in _items(operand)]
    sorts = {_sort_of(item) for item in items}
    # 1 and True are one key to Python and two values to JSON.
    wanted = {(_sort_of(item), item) for item in items}

    def test(value: object) -> Truth:
        sort = _sort_of(value)
        if sort not in sorts:
            # A null is a value of its own: whether there is one can always be told.
            return Truth.NO if sorts == {"null"} and value is not Absent.ABSENT else Truth.UNKNOWN
        return _answer((sort, value) in wanted)

    return test


def _negated(make: Callable[[Json], Test]) -> Callable[[Json], Test]:
    opposite = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}

    def made(operand: Json) -> Test:
        test = make(operand)
        return lambda value: opposite[test(value)]

    return made


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Json], Test]:
    def made(operand: Json) -> Test:
        if _sort_of(operand) != "a number":
            raise InvalidInput("this takes a number up to ±(2^53-1)")
        bound = cast("float", operand)

        def test(value: object) -> Truth:
            if _sort_of(value) != "a number":
                return Truth.UNKNOWN
            return _answer(compare(cast("float", value), bound))

        return test

    return made


def _matches(operand: Json) -> Test:
    pattern = _text(operand)
    if len(pattern) > MAX_PATTERN_CHARS:
        raise InvalidInput(f"the pattern is longer than {MAX_PATTERN_CHARS} characters")
    _compiled(pattern)  # alone first, so that no bracket in it can close ours
    whole = _compiled(f"^(?:{pattern})$")

    def test(value: object) -> Truth:
        if not isinstance(value, str) or len(value) > MAX_MATCHED_CHARS:
            return Truth.UNKNOWN
        return _answer(whole.is_valid(value))

    return test


def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    # The engine of jsonschema-rs without its backtracking extension: linear in the text.
    options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES)
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options)
    except (jsonschema_rs.ValidationError, ValueError):
        raise InvalidInput(
            "this is not a regular expression that can be used here: back-references, "
            "look-around and very large repetitions are not"
        ) from None


def _starts_with(operand: Json) -> Test:
    prefix = _text(operand)

    def test(value: object) -> Truth:
        return _answer(value.startswith(prefix)) if isinstance(value, str) else Truth.UNKNOWN

    return test


def _exists(operand: Json) -> Test:
    if not isinstance(operand, bool):
        raise InvalidInput("this takes true or false")
    return lambda value: _answer((value is not Absent.ABSENT) is operand)


def _len_le(operand: Json) -> Test:
    if isinstance(operand, bool) or not isinstance(operand, int) or operand < 0:
        raise InvalidInput("this takes a whole number, 0 or more")
    most = operand

    def test(value: object) -> Truth:
        if not isinstance(value, (str, Sequence, Mapping)):
            return Truth.UNKNOWN
        return _answer(len(value) <= most)

    return test


def _domain_in(operand: Json) -> Test:
    exact: set[str] = set()
    parents: list[str] = []
    for item in _items(operand):
        domain = _text(item)
        host = _ascii_host(domain.removeprefix("."))
        if host is None or (domain.startswith(".") and _IPV4.fullmatch(host)):
            raise InvalidInput("this takes domains, such as example.org or .example.org")
        exact.add(host)
        if domain.startswith("."):
            parents.append("." + host)
    return _domain_test(exact, tuple(parents))


def _domain_test(exact: Collection[str], parents: tuple[str, ...]) -> Test:
    def test(value: object) -> Truth:
        host = host_of(value) if isinstance(value, str) else None
        if host is None:
            return Truth.UNKNOWN
        return _answer(host in exact or host.endswith(parents))

    return test


_TESTS: Final[Mapping[Operator, Callable[[Json], Test]]] = {
    Operator.EQ: _eq,
    Operator.NE: _negated(_eq),
    Operator.IN: _in,
    Operator.NOT_IN: _negated(_in),
    Operator.LT: _ordered(lambda value, bound: value < bound),
    Operator.LE: _ordered(lambda value, bound: value <= bound),
    Operator.GT: _ordered(lambda value, bound: value > bound),
    Operator.GE: _ordered(lambda value, bound: value >= bound),
    Operator.MATCHES: _matches,
    Operator.STARTS_WITH: _starts_with,
    Operator.EXISTS: _exists,
    Operator.LEN_LE: _len_le,
    Operator.DOMAIN_IN: _domain_in,
}
