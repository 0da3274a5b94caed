"""One spelling for one value: strict JSON in, RFC 8785 bytes out.

What is refused here is refused before anything is hashed, so that no two
readers can see different values behind one digest: RFC 8259 in the narrow
form of I-JSON (RFC 7493), with a bound on nesting.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NewType, NoReturn

import orjson
import rfc8785
from typing_extensions import TypeAliasType

from bot.core.errors import InvalidInput

Json = TypeAliasType(
    "Json", "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
)
#: JSON without doubles, which Keyturn's own values never need.
Plain = TypeAliasType("Plain", "str | int | bool | Sequence[Plain] | Mapping[str, Plain] | None")
Digest = NewType("Digest", str)  #: "sha256:" and 64 lower-case hexadecimal digits

MAX_INTEGER: Final = 2**53 - 1  #: RFC 7493, 2.2
MAX_DEPTH: Final = 32  #: a scalar has depth 0, ``[]`` has depth 1

# RFC 8785 writes doubles below this without an exponent, so they would be read back as integers.
_FIRST_WITH_EXPONENT: Final = 1e21
_QUOTED_CHARS: Final = 40

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BRACES_AS_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))

_ORJSON_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_SPELLED_ALIKE: Final = frozenset({str, int, bool, type(None)})
_NESTING: Final = frozenset({dict, list, tuple})


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """Return the one value that *raw* spells.

    Objects are dicts in the order of the text, arrays are lists.

    Raises:
        InvalidInput: not UTF-8, a byte order mark, not JSON, a duplicate key, NaN or an infinity,
            a number that a double cannot hold, an integer beyond ±(2**53 - 1) however it is
            written, a lone surrogate, or nesting deeper than *max_depth*.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the JSON is not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise InvalidInput("the JSON starts with a byte order mark: send it without")
    # No text is deeper than it has brackets; most need no closer look.
    if raw.count(b"[") + raw.count(b"{") > max_depth:
        _refuse_depth(raw, max_depth)
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"not JSON: {error.msg} at {where}") from None
    if _SURROGATE_ESCAPE.search(raw):
        _refuse_surrogates(value, pointer="")
    return value


def canonical(value: Json, *, max_depth: int = MAX_DEPTH) -> bytes:
    """Return the RFC 8785 bytes of *value*, which `parse` reads back.

    Tuples are arrays. The spelling of ``rfc8785`` is the reference; orjson, many times faster,
    is asked only for values that both spell alike.

    Raises:
        InvalidInput: *value* is not JSON, or is JSON that `parse` refuses.
    """
    if _orjson_agrees(value, max_depth):
        try:
            return orjson.dumps(value, option=_ORJSON_OPTIONS)
        except orjson.JSONEncodeError:
            pass  # a surrogate or a large integer: the reference names it
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        raise InvalidInput("an integer beyond ±(2^53-1): send it as a string") from None
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        _refuse_surrogates(value, pointer="")
        raise InvalidInput("the value is not JSON") from None


def plain(value: Plain) -> bytes:
    """Return what `canonical` returns, without the look at each value that it takes.

    The names of all members MUST be ASCII.

    Raises:
        InvalidInput: as `canonical`.
    """
    try:
        return orjson.dumps(value, option=_ORJSON_OPTIONS)
    except orjson.JSONEncodeError:
        return canonical(value)


def sha256_digest(data: bytes) -> Digest:
    """Return the digest of *data* as it is."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def digest_of(value: Json) -> Digest:
    """Return the digest of the canonical bytes of *value*.

    Raises:
        InvalidInput: as `canonical`.
    """
    return sha256_digest(canonical(value))


def _orjson_agrees(value: Json, max_depth: int) -> bool:
    """Tell whether orjson spells *value* as RFC 8785 does; refuse what has no spelling.

    It differs in floats, in the order of keys outside ASCII (RFC 8785, 3.2.3: by UTF-16 code
    units) and in types that it knows and JSON does not. Surrogates and large integers it refuses
    by itself. The walk goes level by level, so that depth needs no counting and most levels are
    looked at in C.
    """
    agrees = True
    level: list[Json] = [value]
    for _ in range(max_depth):
        inner: list[Json] = []
        for node in level:
            children: Collection[Json]
            if type(node) is dict:
                children = node.values()
                try:
                    agrees = agrees and "".join(node).isascii()
                except TypeError:
                    raise InvalidInput("a key of an object is not text") from None
            elif type(node) is list or type(node) is tuple:
                children = node
            else:
                agrees = _scalar_agrees(node) and agrees
                continue
            if not _SPELLED_ALIKE.issuperset(map(type, children)):
                inner += [child for child in children if type(child) not in _SPELLED_ALIKE]
        if not inner:
            return agrees
        level = inner
    for node in level:
        if type(node) in _NESTING:
            raise _too_deep(max_depth)
        agrees = _scalar_agrees(node) and agrees
    return agrees


def _scalar_agrees(node: Json) -> bool:
    if type(node) in _SPELLED_ALIKE:
        return True
    if type(node) is float:
        _refuse_inexact(node, str(node))
        return False
    if isinstance(node, str):
        return False  # an enumeration of strings: the reference writes its value
    raise InvalidInput(f"not a JSON value: {type(node).__name__}")


def _refuse_inexact(number: float, written: str) -> None:
    if -MAX_INTEGER <= number <= MAX_INTEGER:
        return
    if abs(number) < _FIRST_WITH_EXPONENT:
        raise InvalidInput(
            f"{_quoted(written)} is an integer beyond ±(2^53-1): send it as a string"
        )
    if number - number != 0:
        raise InvalidInput(f"{_quoted(written)} is not a finite number that a double can hold")


def _refuse_depth(raw: bytes, max_depth: int) -> None:
    """Refuse *raw* if it opens more than *max_depth* levels; whether they match is not asked here.

    Each round takes away the innermost level, so the cost is that of a few scans in C, also for
    a megabyte of brackets, and nothing recurses.
    """
    brackets = _STRING.sub(b"", raw).translate(_BRACES_AS_BRACKETS, _NOT_BRACKETS)
    for _ in range(max_depth):
        if brackets.startswith(b"[" * (max_depth + 1)):
            raise _too_deep(max_depth)
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets:
        raise _too_deep(max_depth)


def _refuse_surrogates(value: Json, *, pointer: str) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            where = f"the text at {pointer}" if pointer else "the text"
            raise InvalidInput(f"{where} contains a lone surrogate", field=pointer)
    elif isinstance(value, Mapping):
        for key, child in value.items():
            step = key.replace("~", "~0").replace("/", "~1")
            if _SURROGATE.search(key):
                shown = f"{pointer}/{ascii(step)[1:-1]}"
                raise InvalidInput(f"the key at {shown} contains a lone surrogate", field=shown)
            _refuse_surrogates(child, pointer=f"{pointer}/{step}")
    elif isinstance(value, Sequence):
        for index, child in enumerate(value):
            _refuse_surrogates(child, pointer=f"{pointer}/{index}")


def _too_deep(max_depth: int) -> InvalidInput:
    return InvalidInput(f"nested deeper than {max_depth} levels")


def _quoted(written: str) -> str:
    shown = ascii(written[:_QUOTED_CHARS])[1:-1]
    return shown if len(written) <= _QUOTED_CHARS else shown + "…"


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidInput(f'the key "{_quoted(key)}" appears twice in one object')
            seen.add(key)
    return members


def _integer(written: str) -> int:
    # The length first: int() of a million digits is slow, and refused by Python itself.
    if len(written) <= len("-9007199254740991"):
        number = int(written)
        if -MAX_INTEGER <= number <= MAX_INTEGER:
            return number
    raise InvalidInput(f"{_quoted(written)} is an integer beyond ±(2^53-1): send it as a string")


def _double(written: str) -> float:
    number = float(written)
    _refuse_inexact(number, written)
    return number


def _constant(written: str) -> NoReturn:
    raise InvalidInput(f"{written} is not JSON: send a finite number, a string or null")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_integer,
    parse_float=_double,
    parse_constant=_constant,
)
