import json
import math
import struct
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    Json,
    canonical,
    digest_of,
    parse,
    sha256_digest,
)
from bot.core.errors import InvalidInput

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "rfc8785"


def spelled_with_exponent_or_exact(number: float) -> bool:
    return abs(number) <= MAX_INTEGER or abs(number) >= 1e21


texts = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
floats = st.floats(allow_nan=False, allow_infinity=False).filter(spelled_with_exponent_or_exact)
scalars = st.none() | st.booleans() | integers | floats | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner) | st.lists(inner).map(tuple),
)


@given(values)
@example({"\U0001f600": 1, "\ufb33": 2, "": {"é": [1.0, -0.0, 1e-7]}})
@example({"a\u2028b": "\x7f/\x00\b", "": "\u20ac"})
def test_the_bytes_are_those_of_the_reference(value: Json):
    assert canonical(value) == rfc8785.dumps(value)


@given(values)
def test_what_was_written_reads_back_and_is_written_the_same(value: Json):
    written = canonical(value)
    assert canonical(parse(written)) == written


@given(st.integers(0, 2**64 - 1))
def test_every_double_is_written_as_the_reference_does_or_refused(bits: int):
    (number,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    if math.isfinite(number) and spelled_with_exponent_or_exact(number):
        written = canonical([number])
        assert written == rfc8785.dumps([number])
        assert parse(written) == [number]
    else:
        with pytest.raises(InvalidInput):
            canonical([number])


@given(values, st.data())
def test_the_order_of_members_changes_nothing(value: Json, data: st.DataObject):
    members = data.draw(st.permutations([("b", value), ("a", 1), ("\U0001f600", 2), ("\ufb33", 3)]))
    assert canonical(dict(members)) == canonical(dict(sorted(members)))


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_documents_of_the_standard_come_out_as_published(name: str):
    if not VECTORS.is_dir():
        pytest.skip(f"the published RFC 8785 documents are not in {VECTORS}")
    given_text = (VECTORS / "input" / f"{name}.json").read_bytes()
    expected = bytes.fromhex((VECTORS / "outhex" / f"{name}.txt").read_text())
    assert canonical(parse(given_text)) == expected


@given(values)
def test_ordinary_json_is_read_as_the_standard_library_reads_it(value: Json):
    text = json.dumps(value, ensure_ascii=False).encode()
    assert parse(text) == json.loads(text)


@given(st.binary() | st.text('[]{}":,\\ue+-.019 ntf\n\ufeff').map(str.encode))
def test_any_bytes_are_a_value_or_invalid_input_and_nothing_else(raw: bytes):
    try:
        value = parse(raw)
    except InvalidInput:
        return
    assert parse(canonical(value)) == value


REFUSED = {
    "an empty body": (b"", "column 1"),
    "bytes that are not UTF-8": (b'"\xff"', "not UTF-8 at byte 1"),
    "a surrogate encoded in UTF-8": (b'"\xed\xa0\x80"', "not UTF-8"),
    "UTF-16": ('"a"'.encode("utf-16"), "not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "a duplicate key": (b'{"a":1,"b":2,"a":3}', '"a" appears twice'),
    "a duplicate key, deep": (b'[{"x":{"k":1,"k":1}}]', '"k" appears twice'),
    "a duplicate key, once escaped": (b'{"a":1,"\\u0061":2}', '"a" appears twice'),
    "NaN": (b'{"a":NaN}', "NaN"),
    "Infinity": (b"[Infinity]", "Infinity"),
    "-Infinity": (b"[-Infinity]", "-Infinity"),
    "a double that overflows": (b"[1e400]", "1e400"),
    "a negative double that overflows": (b"[-1e400]", "-1e400"),
    "2^53": (b"[9007199254740992]", "9007199254740992 is an integer beyond"),
    "-2^53": (b"[-9007199254740992]", "-9007199254740992"),
    "2^53+1": (b"[9007199254740993]", "9007199254740993"),
    "2^53 with a point": (b"[9007199254740992.0]", "integer beyond"),
    "2^53 with an exponent": (b"[1e20]", "1e20 is an integer beyond"),
    "a million digits": (b"1" * 1_000_000, "integer beyond"),
    "a lone high surrogate": (b'{"a":["\\ud800"]}', "/a/0 contains a lone surrogate"),
    "a lone low surrogate": (b'"\\uDC00x"', "lone surrogate"),
    "surrogates the wrong way round": (b'"\\udc00\\ud800"', "lone surrogate"),
    "a surrogate in a key": (b'{"a/b":{"\\udfff":1}}', r"/a~1b/\\udfff contains a lone surrogate"),
    "trailing text": (b"{} x", "column 4"),
    "two values": (b"1 2", "column 3"),
    "a trailing comma": (b"[1,]", "line 1"),
    "a comment": (b"[1] // one", "column 5"),
    "single quotes": (b"{'a':1}", "column 2"),
    "a control in a string": (b'"a\nb"', "column 3"),
    "an unknown escape": (b'"\\x41"', "column"),
    "a leading zero": (b"[01]", "column 3"),
    "a plus sign": (b"[+1]", "column 2"),
    "a bare point": (b"[.5]", "column 2"),
    "a no-break space between tokens": ("[\u00a01]".encode(), "column 2"),
    "33 levels of arrays": (b"[" * 33 + b"]" * 33, "deeper than 32"),
    "33 levels of objects": (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32"),
    "33 levels after many shallow ones": (
        b"[" + b"[]," * 100 + b"[" * 32 + b"]" * 33,
        "deeper than 32",
    ),
    "33 levels behind brackets in text": (
        b'["[[[]]]}}\\"[[[[",' + b"[" * 32 + b"]" * 33,
        "deeper than 32",
    ),
}


@pytest.mark.parametrize(("raw", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_two_readers_could_read_differently_is_refused(raw: bytes, says: str):
    with pytest.raises(InvalidInput, match=says.replace("[", r"\[").replace("+", r"\+")):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b"[{" * 500_000,
        b"[" * 500_000 + b"]" * 500_000,
        b"[" * 40 + b'"' + b'\\"' * 500_000,
    ],
)
def test_a_megabyte_of_nesting_is_refused_without_recursion(raw: bytes):
    with pytest.raises(InvalidInput, match="deeper than 32"):
        parse(raw)


def test_32_levels_are_allowed_and_a_scalar_is_level_0():
    assert canonical(parse(b"[" * 32 + b"]" * 32)) == b"[" * 32 + b"]" * 32
    assert parse(b"7", max_depth=0) == 7
    with pytest.raises(InvalidInput):
        parse(b"[]", max_depth=0)


def test_brackets_in_text_and_side_by_side_are_not_nesting():
    text = json.dumps(["[{" * 100 + '"\\', *[[]] * 100]).encode()
    assert parse(text) == json.loads(text)


@given(st.recursive(st.just([]), lambda inner: st.lists(inner, min_size=1), max_leaves=40))
def test_the_depth_that_is_refused_is_the_depth_there_is(value: list[Json]):
    def depth(node: list[Json]) -> int:
        return 1 + max(map(depth, node), default=0)

    raw = json.dumps(value).encode()
    assert parse(raw, max_depth=depth(value)) == value
    assert canonical(value, max_depth=depth(value)) == rfc8785.dumps(value)
    with pytest.raises(InvalidInput, match="deeper"):
        parse(raw, max_depth=depth(value) - 1)
    with pytest.raises(InvalidInput, match="deeper"):
        canonical(value, max_depth=depth(value) - 1)


def nested(levels: int, innermost: Json) -> Json:
    for _ in range(levels):
        innermost = [innermost]
    return innermost


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        [-math.inf],
        {"a": 2.0**53},
        2**53,
        [-(2**53)],
        2**63,
        2**64,
        "\ud800",
        {"\udfff": 1},
        {"a": {"b": "x\udc00"}, "é": 1.5},
        {1: "a"},
        {None: "a"},
        [b"bytes"],
        {1, 2},
        object(),
        nested(33, 1),
        nested(33, []),
        nested(32, {}),
        nested(32, math.nan),
        nested(31, {"\ud800": 1.5}),
    ],
    ids=lambda value: repr(value).partition(" at 0x")[0],
)
def test_what_parse_refuses_is_not_written_either(value: Json):
    with pytest.raises(InvalidInput):
        canonical(value)


def test_a_value_that_holds_itself_is_refused():
    value: list[Json] = []
    value.append(value)
    with pytest.raises(InvalidInput, match=f"deeper than {MAX_DEPTH}"):
        canonical(value)


def test_scalars_at_the_last_level_are_written():
    assert canonical(nested(32, 1.5)) == b"[" * 32 + b"1.5" + b"]" * 32


def test_an_enumeration_of_strings_is_written_as_its_value():
    class State(StrEnum):
        PENDING = "pending"

    assert canonical({"state": State.PENDING}) == b'{"state":"pending"}'


def test_types_that_only_orjson_knows_are_refused():
    for value in (datetime(2026, 1, 1, tzinfo=UTC), uuid.UUID(int=1)):
        with pytest.raises(InvalidInput, match="not a JSON value"):
            canonical(["plain", value])  # type: ignore[list-item]


def test_the_message_never_carries_more_than_a_little_of_the_input():
    for raw in (
        b"9" * 10_000,
        b"1e" + b"9" * 10_000,
        b'{"%b":1,"%b":1}' % (b"k" * 9999, b"k" * 9999),
    ):
        with pytest.raises(InvalidInput) as refused:
            parse(raw)
        assert len(refused.value.message) < 200


def test_a_digest_is_the_sha256_of_the_canonical_bytes():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_digest(b"") == f"sha256:{empty}"
    assert digest_of({"b": 1, "a": 2.0}) == sha256_digest(b'{"a":2,"b":1}')
