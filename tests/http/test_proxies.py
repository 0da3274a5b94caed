"""What a proxy says is believed only from where proxies are."""

from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web

from bot.http.listeners import Listener, Listeners, Tcp
from bot.http.people import people_app
from bot.http.proxies import TrustedProxies
from bot.ports.desk import Desk

OURS = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1, 10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", ["1.2.3.4, nonsense"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::5", ["198.51.100.1"], "198.51.100.1"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_the_caller_is_the_first_hop_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: list[str], caller: str | None
):
    assert OURS.caller(peer, forwarded) == caller


class Mirror:
    """A chat whose only page says what it sees of its caller."""

    def routes(self, desk: Desk) -> list[web.RouteDef]:  # noqa: ARG002 - no one is asked
        async def see(request: web.Request) -> web.Response:
            return web.json_response([request.scheme, request.remote])

        async def fail(_: web.Request) -> web.Response:
            raise RuntimeError("the database password is hunter2")

        async def own(_: web.Request) -> web.Response:
            return web.Response(headers={"Content-Security-Policy": "script-src 'self'"})

        return [web.get("/", see), web.get("/fail", fail), web.get("/own", own)]


async def ask(
    proxies: TrustedProxies | None, path: str = "/", **headers: str
) -> tuple[int, dict[str, str], str]:
    app = people_app([Mirror()], None, max_body_bytes=1000, proxies=proxies)  # type: ignore[list-item, arg-type] # only its routes are asked for
    where = Tcp(host="127.0.0.1", port=0)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        Listeners([Listener(name="people", app=app, where=where)]) as listeners,
        aiohttp.ClientSession() as session,
        session.get(listeners.addresses["people"] + path, headers=sent) as response,
    ):
        return response.status, dict(response.headers), await response.text()


async def test_a_listed_proxy_tells_scheme_and_caller():
    loopback = TrustedProxies([ip_network("127.0.0.0/8")])
    told = {"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https"}
    _, headers, text = await ask(loopback, **told)
    assert text == '["https", "198.51.100.1"]'
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("proxies", [None, OURS])
async def test_whoever_else_tells_is_not_believed(proxies: TrustedProxies | None):
    told = {"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https"}
    _, headers, text = await ask(proxies, **told)
    assert text == '["http", "127.0.0.1"]'
    assert "Strict-Transport-Security" not in headers


async def test_a_scheme_that_is_none_is_not_taken():
    loopback = TrustedProxies([ip_network("127.0.0.0/8")])
    _, _, text = await ask(loopback, X_Forwarded_Proto="javascript")
    assert text.startswith('["http"')


@pytest.mark.parametrize("path", ["/", "/nowhere", "/fail"])
async def test_every_answer_to_people_forbids_framing_and_sniffing(path: str):
    _, headers, _ = await ask(None, path)
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "keyturn"


async def test_a_chat_that_says_more_is_not_overruled():
    _, headers, _ = await ask(None, "/own")
    assert headers["Content-Security-Policy"] == "script-src 'self'"


async def test_an_unexpected_error_tells_people_no_details(caplog: pytest.LogCaptureFixture):
    status, _, text = await ask(None, "/fail")
    assert status == 500
    assert "hunter2" not in text
    assert "hunter2" in caplog.text
