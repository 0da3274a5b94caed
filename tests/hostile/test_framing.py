"""Requests whose beginning or end two readers could see differently, as bytes on the wire.

What is not clear is refused and the connection is closed, so that nothing sent behind it is ever
taken for a request of its own.
"""

import pytest

from tests.hostile.cast import Cast
from tests.hostile.scene import Scene
from tests.hostile.wire import Door, statuses

pytestmark = pytest.mark.usefixtures("unmoved")

HOST = b"Host: 127.0.0.1\r\n"


def authorized(cast: Cast) -> bytes:
    return b"Authorization: Bearer " + cast.mallory.token.encode() + b"\r\n"


def smuggled(cast: Cast) -> bytes:
    """Return a request that is whole and good: answered with 200 wherever it is taken for one."""
    return b"GET /v1/whoami HTTP/1.1\r\n" + HOST + authorized(cast) + b"\r\n"


def submission(cast: Cast, framing: bytes, body: bytes, *, key: bytes) -> bytes:
    return (
        b"POST /v1/proposals HTTP/1.1\r\n" + HOST + authorized(cast)
        + b"Content-Type: application/json\r\nIdempotency-Key: " + key + b"\r\n"
        + framing + b"\r\n" + body
    )  # fmt: skip


def test_the_request_that_is_smuggled_is_good_by_itself(scene: Scene, cast: Cast):
    assert statuses(scene.agents.send(smuggled(cast) * 2, within_s=0.5)) == [200, 200]


UNCLEAR = {
    "two lengths": b"Content-Length: 4\r\nContent-Length: 0\r\n",
    "the same length twice": b"Content-Length: 4\r\nContent-Length: 4\r\n",
    "a list of lengths": b"Content-Length: 4, 4\r\n",
    "a signed length": b"Content-Length: +4\r\n",
    "a negative length": b"Content-Length: -4\r\n",
    "a length in hexadecimal": b"Content-Length: 0x4\r\n",
    "a length with a space": b"Content-Length: 4 4\r\n",
    "an enormous length": b"Content-Length: 99999999999999999999999999\r\n",
    "a length in other digits": "Content-Length: ٤\r\n".encode(),
    "a length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "chunks that are not last": b"Transfer-Encoding: chunked, identity\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "a disguised coding": b"Transfer-Encoding: \x0bchunked\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n",
    "a space before the length's colon": b"Content-Length : 4\r\n",
    "a header that is folded": b"Transfer-Encoding:\r\n chunked\r\n",
    "a folded value": b"X-Folded: one\r\n two: three\r\nContent-Length: 0\r\n",
    "a bare line feed": b"X-One: a\nTransfer-Encoding: chunked\r\n",
    "a bare carriage return": b"X-One: a\rTransfer-Encoding: chunked\r\n",
    "a zero byte in a value": b"X-One: a\x00b\r\n",
    "a zero byte in a name": b"X-\x00One: a\r\n",
    "a line without a colon": b"Transfer-Encoding chunked\r\n",
    "an empty name": b": chunked\r\n",
    "a name that is not a token": b"Content Length: 4\r\n",
    "two hosts": b"Host: elsewhere.example\r\n",
}


@pytest.mark.parametrize("framing", UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_unclear_is_refused_and_ends_the_connection(
    scene: Scene, cast: Cast, framing: bytes
):
    for body in (b"0\r\n\r\n", b"1234", b""):
        sent = submission(cast, framing, body, key=b"unclear") + smuggled(cast)
        assert statuses(scene.agents.send(sent, within_s=1)) == [400], body


CHUNKS = {
    "a size in other letters": b"g\r\n{}\r\n0\r\n\r\n",
    "a signed size": b"+2\r\n{}\r\n0\r\n\r\n",
    "a size with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size that overflows": b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n",
    "more than was said": b"1\r\n{}\r\n0\r\n\r\n",
    "bare line feeds": b"2\n{}\n0\n\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "an extension with a bare line feed": b"2;a\nb\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_chunks_that_are_unclear_are_refused(scene: Scene, cast: Cast, chunks: bytes):
    sent = submission(cast, b"Transfer-Encoding: chunked\r\n", chunks, key=b"chunks")
    found = statuses(scene.agents.send(sent + smuggled(cast), within_s=1))
    assert found[0] >= 400
    assert 200 not in found


LINES = {
    "no version": b"GET /v1/whoami\r\n",
    "an old version": b"GET /v1/whoami HTTP/0.9\r\n",
    "a later version": b"GET /v1/whoami HTTP/2.0\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
    "a made-up version": b"GET /v1/whoami HTTP/1.1x\r\n",
    "another protocol": b"GET /v1/whoami XTTP/1.1\r\n",
    "a space in the target": b"GET /v1/whoami /x HTTP/1.1\r\n",
    "a line feed in the target": b"GET /v1/\nwhoami HTTP/1.1\r\n",
    "a zero byte in the target": b"GET /v1/who\x00ami HTTP/1.1\r\n",
    "a method that is not a token": b"G(T /v1/whoami HTTP/1.1\r\n",
    "a method of lower case": b"get /v1/whoami HTTP/1.1\r\n",
    "a tunnel": b"CONNECT 169.254.169.254:80 HTTP/1.1\r\n",
    "a target that is no path": b"GET v1/whoami HTTP/1.1\r\n",
    "a target of another scheme": b"GET file:///etc/passwd HTTP/1.1\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "noise": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("listener", ["agents", "people", "admin"])
def test_a_first_line_that_is_not_ours_gets_nothing(
    scene: Scene, cast: Cast, listener: str, line: bytes
):
    sent = line + HOST + authorized(cast) + b"Connection: close\r\n\r\n"
    found = statuses(scene.doors[listener].send(sent, within_s=1))
    assert all(400 <= status < 500 for status in found), found


@pytest.mark.parametrize("listener", ["agents", "people", "admin"])
def test_headers_that_are_too_long_or_too_many_are_refused(scene: Scene, cast: Cast, listener: str):
    long = b"a" * 20_000
    for sent in (
        b"GET /" + long + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + long + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + long + b": x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 20_000 + b"\r\n",
    ):
        door = Door(scene.doors[listener].port)
        found = statuses(door.send(sent + smuggled(cast), within_s=1))
        assert found in ([400], [431], []), found


def test_the_second_request_is_not_helped_by_the_first(scene: Scene, cast: Cast):
    """Each request on a connection says anew who sends it."""
    bare = b"GET /v1/whoami HTTP/1.1\r\n" + HOST + b"\r\n"
    came = scene.agents.send(smuggled(cast) + bare + smuggled(cast), within_s=0.5)
    assert statuses(came) == [200, 401, 200]


def test_a_body_is_not_taken_for_the_next_request(scene: Scene, cast: Cast):
    body = smuggled(cast)
    framing = b"Content-Length: " + str(len(body)).encode() + b"\r\n"
    sent = submission(cast, framing, body, key=b"poisoned") + smuggled(cast)
    assert statuses(scene.agents.send(sent, within_s=0.5)) == [422, 200]


def test_a_body_that_was_refused_unread_is_not_taken_for_requests(scene: Scene, cast: Cast):
    """Too long, too compressed or not for this caller: what follows is still its body."""
    body = smuggled(cast) * 10_000
    assert len(body) > 1_048_576
    length = b"Content-Length: " + str(len(body)).encode() + b"\r\n"
    for head in (
        length,
        length + b"Content-Encoding: gzip\r\n",
        length + b"Expect: 100-continue\r\n",
    ):
        sent = submission(cast, head, body, key=b"unread")
        found = [s for s in statuses(scene.agents.send(sent, within_s=1)) if s != 100]
        assert found in ([413], [415], []), found
    unknown = submission(cast, length, body, key=b"unread").replace(b"Bearer kta_", b"Bearer kta-")
    found = statuses(scene.agents.send(unknown, within_s=1))
    assert found in ([401], []), found


def test_a_body_that_nobody_reads_may_be_broken(scene: Scene, cast: Cast):
    for token in (cast.mallory.token, cast.bank.token):
        head = b"GET /v1/whoami HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + token.encode()
        for coding in (b"", b"\r\nContent-Encoding: gzip", b"\r\nContent-Encoding: br"):
            framed = head + coding + b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
            came = scene.agents.send(framed, b"zz\r\n" + smuggled(cast), within_s=1)
            assert statuses(came)[:1] in ([200], [401], [400])
            assert len(statuses(came)) <= 2


def test_http_1_0_is_answered_and_ended(scene: Scene, cast: Cast):
    request = b"GET /v1/whoami HTTP/1.0\r\n" + authorized(cast) + b"\r\n"
    assert statuses(scene.agents.send(request, within_s=1)) == [200]
    both = statuses(scene.agents.send(request + smuggled(cast), within_s=1))
    assert both in ([200], [400])
    chunked = b"POST /v1/proposals HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"
    sent = chunked + authorized(cast) + b"\r\n0\r\n\r\n" + smuggled(cast)
    assert 200 not in statuses(scene.agents.send(sent, within_s=1))


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nSet-Cookie: keyturn=x",
        "a\r\n\r\n<script>",
        "a\nX-Injected: y",
        "a\rX-Injected: y",
        "%0d%0aX-Injected:%20y",
        "%E5%98%8A%E5%98%8DX-Injected:%20y",
    ],
)
def test_no_value_adds_a_header_to_an_answer(scene: Scene, cast: Cast, value: str):
    written = value.replace("\r", "%0d").replace("\n", "%0a")
    target = f"/v1/proposals?cursor={written}&x-{written}={written}".replace(" ", "%20")
    came = [
        scene.agents.send(
            f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
            + authorized(cast)
            + f"Prefer: {value}\r\nIdempotency-Key: {value}\r\n\r\n".encode()
        )
    ]
    for path in ("/signin?then=", "/proposals/", "/?said="):
        sent = (
            f"GET {path}{written.replace(' ', '%20')} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{scene.people.port}\r\nConnection: close\r\n\r\n"
        )
        came.append(scene.people.send(sent.encode()))
    for answer in came:
        head, _, _ = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.")
        for line in head.lower().splitlines():
            assert not line.startswith((b"x-injected", b"set-cookie", b"<script"))
