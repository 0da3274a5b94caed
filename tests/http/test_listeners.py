"""Listeners open together or not at all, and close what they opened."""

import asyncio
import socket
import ssl
import stat
import subprocess
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.core.errors import SettingsInvalid
from bot.http.listeners import Listener, Listeners, Tcp, TlsFiles, UnixSocket


def an_app(text: str = "here") -> web.Application:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text=text)

    app = web.Application()
    app.router.add_get("/", hello)
    return app


def tcp(port: int = 0, tls: TlsFiles | None = None) -> Tcp:
    return Tcp(host="127.0.0.1", port=port, tls=tls)


async def fetch(address: str, **more: object) -> str:
    async with aiohttp.ClientSession() as session, session.get(address, **more) as response:  # type: ignore[arg-type]
        return await response.text()


async def fetch_unix(path: Path) -> str:
    connector = aiohttp.UnixConnector(str(path))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get("http://keyturn/") as response,
    ):
        return await response.text()


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        capture_output=True,
        check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl command to make a certificate with")
    return TlsFiles(certificate=certificate, key=key)


async def test_port_0_is_told_as_the_real_port():
    one = Listener(name="one", app=an_app("1"), where=tcp())
    two = Listener(name="two", app=an_app("2"), where=tcp())
    async with Listeners([one, two]) as listeners:
        assert await fetch(listeners.addresses["one"]) == "1"
        assert await fetch(listeners.addresses["two"]) == "2"
        assert listeners.addresses["one"] != listeners.addresses["two"]
    assert listeners.addresses == {}


async def test_a_port_in_use_opens_none_and_says_which():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = Listener(name="free", app=an_app(), where=tcp())
        listeners = Listeners([free, Listener(name="people", app=an_app(), where=tcp(port))])
        with pytest.raises(SettingsInvalid) as refused:
            await listeners.__aenter__()
    [problem] = refused.value.problems
    assert problem.startswith("listeners.people: ")
    assert str(port) in problem


async def test_every_listener_that_cannot_open_is_named(tmp_path: Path):
    no_tls = TlsFiles(certificate=tmp_path / "no.pem", key=tmp_path / "no.key")
    (tmp_path / "open").mkdir(mode=0o755)
    listeners = Listeners(
        [
            Listener(name="agents", app=an_app(), where=tcp(tls=no_tls)),
            Listener(name="admin", app=an_app(), where=UnixSocket(tmp_path / "open" / "a.sock")),
        ]
    )
    with pytest.raises(SettingsInvalid) as refused:
        await listeners.__aenter__()
    agents, admin = refused.value.problems
    assert "no.pem" in agents
    assert "chmod 700" in admin


async def test_tls_is_spoken_where_files_are_named(tls: TlsFiles):
    async with Listeners([Listener(name="agents", app=an_app(), where=tcp(tls=tls))]) as opened:
        address = opened.addresses["agents"]
        assert address.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=tls.certificate)
        assert await fetch(address, ssl=trusted) == "here"
        with pytest.raises(aiohttp.ClientError):
            await fetch(address.replace("https", "http"))


async def test_only_its_user_may_open_the_socket(tmp_path: Path):
    path = tmp_path / "run" / "admin.sock"
    async with Listeners([Listener(name="op", app=an_app(), where=UnixSocket(path))]) as opened:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert opened.addresses["op"] == f"unix:{path}"
        assert await fetch_unix(path) == "here"
    assert not path.exists()


async def test_a_socket_that_a_dead_process_left_is_replaced(tmp_path: Path):
    path = tmp_path / "run" / "admin.sock"
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with Listeners([Listener(name="op", app=an_app(), where=UnixSocket(path))]):
        assert path.is_socket()


async def test_a_socket_at_which_another_bot_answers_is_left_alone(tmp_path: Path):
    path = tmp_path / "run" / "admin.sock"
    first = Listener(name="op", app=an_app("first"), where=UnixSocket(path))
    async with Listeners([first]):
        second = Listeners([Listener(name="op", app=an_app(), where=UnixSocket(path))])
        with pytest.raises(SettingsInvalid) as refused:
            await second.__aenter__()
        assert "another Keyturn" in refused.value.problems[0]
        assert await fetch_unix(path) == "first"


async def test_a_path_too_long_for_a_socket_is_said_plainly(tmp_path: Path):
    path = tmp_path / ("x" * 120) / "admin.sock"
    listeners = Listeners([Listener(name="op", app=an_app(), where=UnixSocket(path))])
    with pytest.raises(SettingsInvalid) as refused:
        await listeners.__aenter__()
    assert "at most about 100 characters" in refused.value.problems[0]


async def test_a_request_under_way_is_finished_before_the_end():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="finished")

    app = web.Application()
    app.router.add_get("/", slow)
    listeners = Listeners([Listener(name="one", app=app, where=tcp())])
    await listeners.__aenter__()
    asked = asyncio.create_task(fetch(listeners.addresses["one"]))
    await begun.wait()
    closing = asyncio.create_task(listeners.__aexit__(None, None, None))
    go_on.set()
    assert await asked == "finished"
    await closing
