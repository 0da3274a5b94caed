"""Bodies that two parsers could read differently, or that cost more than they look."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from tests.hostile.cast import Cast
from tests.hostile.scene import Scene

pytestmark = pytest.mark.usefixtures("unmoved")

MOST_BYTES = 1_048_576


def spelled(text: str, *, more: str = "") -> bytes:
    return (
        '{"action":{"verb":"notes.add","resource":"notes:x","params":{"text":' + text + "}}" + more
    ).encode("utf-8", "surrogatepass") + b"}"


GOOD = spelled('"fine"')
REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "a word": b"null",
    "a list": b"[" + GOOD + b"]",
    "a string": b'"' + b"a" * 1000 + b'"',
    "a key twice": spelled('"a","text":"b"'),
    "a key twice in disguise": spelled('"a","te\\u0078t":"b"'),
    "an action twice": spelled('"a"', more=',"action":{}'),
    "a list of 100,000 levels": b"[" * 100_000 + b"]" * 100_000,
    "an object of 100,000 levels": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "levels that never end": b"[" * (MOST_BYTES - 10),
    "levels inside params": spelled("[" * 40 + "]" * 40),
    "brackets in a string, then levels": spelled(
        '"' + "[" * 1000 + '",' + '"x":' + "[" * 40 + "]" * 40
    ),
    "a number of 100,000 digits": spelled("9" * 100_000),
    "an exponent of many digits": spelled("1e" + "9" * 10_000),
    "a fraction of many digits": spelled("0." + "1" * 100_000),
    "a tiny number": spelled("1e-400"),
    "a negative zero": spelled("-0"),
    "an integer beyond a double": spelled("9007199254740993"),
    "a number for a text": spelled("1"),
    "not a number": spelled("NaN"),
    "infinity": spelled("-Infinity"),
    "a hexadecimal number": spelled("0x10"),
    "a leading zero": spelled("01"),
    "a leading plus": spelled("+1"),
    "a lone high surrogate": spelled('"\\ud800"'),
    "a lone low surrogate": spelled('"\\udc00"'),
    "surrogates in the wrong order": spelled('"\\udc00\\ud800"'),
    "a surrogate as bytes": spelled('"\ud800"'),
    "a lone surrogate in a key": spelled('"a","\\ud800":1'),
    "overlong UTF-8": spelled('"a"').replace(b'"a"', b'"\xc0\xaf"'),
    "UTF-8 that breaks off": spelled('"a"').replace(b'"a"', b'"\xe2\x82"'),
    "UTF-8 beyond Unicode": spelled('"a"').replace(b'"a"', b'"\xf5\x80\x80\x80"'),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "UTF-7": b"+AHs-}",
    "a second value": GOOD + GOOD,
    "garbage behind it": GOOD + b";",
    "a zero byte behind it": GOOD + b"\x00",
    "a comment": b"/* hello */" + GOOD,
    "a trailing comma": GOOD[:-1] + b",}",
    "single quotes": GOOD.replace(b'"', b"'"),
    "a control character": spelled('"a\nb"'),
    "an unknown escape": spelled('"\\x41"'),
    "an unquoted key": b"{action:{}}",
    "a __proto__": spelled('"a","__proto__":{"admin":true}'),
    "many unknown fields": b"{" + b",".join(b'"f%d":1' % n for n in range(50_000)) + b"}",
    "many unknown params": spelled('"a",' + ",".join(f'"f{n}":1' for n in range(50_000))),
    "more than the cap": spelled('"' + "a" * MOST_BYTES + '"'),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_words(scene: Scene, cast: Cast, raw: bytes):
    headers = {"Idempotency-Key": "json"}
    answer = scene.agents.ask(
        "POST", "/v1/proposals", token=cast.mallory.token, headers=headers, raw=raw
    )
    assert answer.status in {413, 422}, answer.body[:500]
    assert answer.json["detail"]
    assert answer.json["remedy"]
    assert len(answer.body) < 20_000, "a refusal is not an echo"


@pytest.mark.parametrize(
    "path", ["/v1/proposals/{id}/withdraw", "/v1/proposals/{id}/outcome", "/v1/grants/redeem"]
)
def test_other_bodies_are_read_no_less_strictly(scene: Scene, cast: Cast, path: str):
    token = cast.bank.token if path.endswith(("redeem", "outcome")) else cast.mallory.token
    path = path.replace("{id}", cast.theirs["pending"])
    for name, raw in REFUSED.items():
        answer = scene.agents.ask("POST", path, token=token, raw=raw)
        # Where a body may be left out, nothing is an empty one: there is no such proposal.
        assert answer.status in ({404, 422} if raw == b"" else {413, 422}), (name, answer.body)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=no-such",
        "application/jsonx",
        "application/json, text/plain",
        "text/json",
        "\x80\xff",
        "application/json; " + "x=y; " * 500,
    ],
)
def test_another_content_type_is_refused(scene: Scene, cast: Cast, kind: str):
    headers = {"Idempotency-Key": "kind", "Content-Type": kind}
    answer = scene.agents.ask(
        "POST", "/v1/proposals", token=cast.mallory.token, headers=headers, raw=GOOD
    )
    assert answer.status in {415, 403, 422}, answer.body
    assert answer.code != ""


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": bytes,
    "zstd": bytes,
    "identity": bytes,
    "gzip, gzip": lambda raw: gzip.compress(gzip.compress(raw)),
    "x-unknown": bytes,
}


@pytest.mark.parametrize("coding", PACKED)
def test_a_compressed_body_is_refused_and_never_unpacked(scene: Scene, cast: Cast, coding: str):
    bomb = PACKED[coding](b" " * 200_000_000) if coding == "gzip" else PACKED[coding](GOOD)
    headers = {"Idempotency-Key": "packed", "Content-Encoding": coding}
    grown = scene.memory_kib()
    for door, path, token in (
        (scene.agents, "/v1/proposals", cast.mallory.token),
        (scene.agents, "/v1/grants/redeem", cast.bank.token),
        (scene.admin, "/v1/admin/policy/check", cast.auditor),
    ):
        answer = door.ask("POST", path, token=token, headers=headers, raw=bomb)
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": coding}
    assert scene.people.ask("POST", "/signin", headers=form, raw=bomb).status in {401, 413, 422}
    assert scene.memory_kib() - grown < 50_000
