"""What is not HTTP is answered in our own words, and a connection that never asks is closed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from bot.http.answers import SERVER
from bot.http.listeners import Listener, Listeners, Tcp, UnixSocket

SECRET = b"kt_a_token_that_nobody_should_see"
END = b"\r\nHost: x\r\n\r\n"
BROKEN = {
    "no request line": SECRET + END,
    "no version": b"GET " + SECRET + END,
    "another version": b"GET / HTTP/9.9 " + SECRET + END,
    "a method that is none": b"G(T" + SECRET + b" / HTTP/1.1" + END,
    "no colon": b"GET / HTTP/1.1\r\nAuthorization " + SECRET + END,
    "a control character": b"GET / HTTP/1.1\r\nAuthorization: " + SECRET + b"\x00" + END,
    "a length that is none": b"GET / HTTP/1.1\r\nContent-Length: " + SECRET + END,
    "a line too long": b"GET / HTTP/1.1\r\nAuthorization: " + SECRET * 1_000 + END,
    "an unknown Expect": b"GET / HTTP/1.1\r\nExpect: " + SECRET + END,
    "a broken request after a whole one": b"GET / HTTP/1.1" + END + SECRET + END,
}


def an_app() -> web.Application:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", hello)
    return app


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[Listeners]:
    tcp = Listener(name="agents", app=an_app(), where=Tcp(host="127.0.0.1", port=0))
    unix = Listener(name="op", app=an_app(), where=UnixSocket(tmp_path / "op.sock"))
    async with Listeners([tcp, unix], keepalive_s=0.3) as listeners:
        yield listeners


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("unix:"):
        return await asyncio.open_unix_connection(address.removeprefix("unix:"))
    host, _, port = address.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def said_to(address: str, sent: bytes) -> bytes:
    """Return all that is answered to *sent* until the other side closes."""
    reader, writer = await connect(address)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), timeout=5)
    finally:
        writer.close()


@pytest.mark.parametrize("listener", ["agents", "op"])
@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_not_http_is_a_problem_that_repeats_nothing(
    listening: Listeners, listener: str, sent: bytes
) -> None:
    answered = await said_to(listening.addresses[listener], sent)

    head, _, body = answered.rpartition(b"\r\n\r\n")
    last = head[head.rindex(b"HTTP/1.") :]
    assert last.partition(b"\r\n")[0][len("HTTP/1.1 ") :].startswith(b"400")
    assert b"application/problem+json" in last
    assert f"Server: {SERVER}".encode() in last
    told = orjson.loads(body)
    assert told["code"] == "malformed_request"
    assert told["remedy"]
    assert b"token" not in answered


async def test_a_head_that_trickles_in_is_not_waited_for(listening: Listeners) -> None:
    reader, writer = await connect(listening.addresses["agents"])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
    lines = 0
    answered = None
    while answered is None:
        assert lines < 200
        try:
            answered = await asyncio.wait_for(reader.read(1), timeout=0.02)
        except TimeoutError:
            writer.write(b"X: y\r\n")
            lines += 1
        except ConnectionError:
            answered = b""
    writer.close()
    assert answered == b""
    assert lines > 3


async def test_a_whole_request_is_answered_as_before(listening: Listeners) -> None:
    answered = await said_to(
        listening.addresses["agents"], b"GET / HTTP/1.1\r\nConnection: close" + END
    )
    assert answered.startswith(b"HTTP/1.1 200")
    assert answered.endswith(b"here")
