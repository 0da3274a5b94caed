"""Where messages may go, and where they never do."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.webhook import HttpNotifier
from adapters.webhook.answer import meaning, retry_after_s
from bot.core.webhook import why_url_refused
from bot.ports.notifier import Gone, NotNow, Sent
from bot.testing.clock import ManualClock
from tests.webhooks.receiver import Play, Receiver

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Answers(AbstractResolver):
    """Resolves every name to *addresses*, and counts how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses
        self.asked = 0

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - all are IPv4
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to end."""


async def sent(url: str, *, private_hosts: tuple[str, ...] = (), **more: Any) -> Any:
    notifier = HttpNotifier(private_hosts=private_hosts, clock=ManualClock(), **more)
    try:
        return await notifier.send(url, headers={"webhook-id": "one"}, body=b"{}")
    finally:
        await notifier.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://agent.your-company.net/hook",
        "ftp://agent.your-company.net/hook",
        "https:///hook",
        "https://",
        "agent.your-company.net",
        "https://user:secret@agent.your-company.net/hook",
        "https://agent.your-company.net/hook#part",
        "https://agent.your-company.net/ho ok",
        "https://agent.your-company.net/ho\nok",
        "https://ägent.your-company.net/hook",
        "https://agent.your-company.net:999999/hook",
        "https://127.0.0.1/hook",
        "https://127.1/hook",
        "https://2130706433/hook",
        "https://10.1.2.3/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://169.254.169.254/latest",
        "https://agent.your-company.net/" + "x" * 2000,
    ],
)
async def test_an_address_that_is_not_open_is_refused_before_anything_is_looked_up(url: str):
    why = why_url_refused(url, private_hosts=())
    assert why is not None
    assert why.endswith(".")
    resolver = Answers("93.184.216.34")
    assert isinstance(await sent(url, resolver=resolver), NotNow)
    assert resolver.asked == 0


@pytest.mark.parametrize("url", ["https://agent.your-company.net/hook?team=7", "https://1.1.1.1/"])
def test_an_open_address_is_taken(url: str):
    assert why_url_refused(url, private_hosts=()) is None


def test_a_metadata_address_is_refused_even_where_it_is_declared():
    host = "169.254.169.254"
    assert why_url_refused(f"http://{host}/latest", private_hosts=(host,)) is not None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "0.0.0.0"])
async def test_a_name_that_leads_inside_is_refused_and_nothing_is_connected(address: str):
    async with Receiver() as receiver:
        came = await sent(
            f"https://agent.your-company.net:{receiver.port}/hook",
            resolver=Answers("93.184.216.34", address),
        )
    assert came == NotNow(why="The receiver's name leads to an address where nothing may be sent.")
    assert receiver.received == []


async def test_a_declared_host_is_reached_at_the_address_that_was_checked():
    resolver = Answers("127.0.0.1")
    async with Receiver() as receiver:
        came = await sent(
            f"http://agent.inside:{receiver.port}/hook",
            private_hosts=("agent.inside",),
            resolver=resolver,
        )
    assert came == Sent()
    assert resolver.asked == 1


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    async with Receiver() as receiver, Receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        assert await sent(receiver.url, private_hosts=("127.0.0.1",)) == Sent()
    assert (len(receiver.received), len(proxy.received)) == (1, 0)


async def test_a_message_says_nothing_but_what_it_was_given():
    async with Receiver() as receiver:
        await sent(receiver.url, private_hosts=("127.0.0.1",))
    [received] = receiver.received
    assert received.body == b"{}"
    assert received.headers["user-agent"] == "keyturn"
    assert set(received.headers) == {
        *("host", "accept", "accept-encoding", "connection", "content-length"),
        *("content-type", "user-agent", "webhook-id"),
    }


@pytest.mark.parametrize(
    ("play", "why"),
    [
        (Play.FAIL, "The receiver answered 500."),
        (Play.REDIRECT, "The receiver redirected, which is not followed."),
        (Play.DROP, "The connection to the receiver broke."),
        (Play.HANG, "The receiver did not answer in time."),
        (Play.SLOW, "The receiver did not answer in time."),
    ],
)
async def test_what_is_not_taken_is_to_be_tried_again(play: Play, why: str):
    async with Receiver(plays=[play]) as receiver:
        came = await sent(receiver.url, private_hosts=("127.0.0.1",), answer_within_s=0.3)
    assert came == NotNow(why=why)
    assert len(receiver.received) == 1
    assert receiver.redirected_to == []


async def test_a_receiver_that_is_down_is_to_be_tried_again():
    receiver = Receiver()
    await receiver.start()
    await receiver.stop()
    came = await sent(receiver.url, private_hosts=("127.0.0.1",))
    assert came == NotNow(why="The receiver could not be connected to.")


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    async with Receiver(tls=context) as receiver:
        url = f"https://agent.inside:{receiver.port}/hook"
        given: Any = {"private_hosts": ("agent.inside",), "resolver": Answers("127.0.0.1")}
        assert await sent(url, **given) == NotNow(
            why="The receiver's TLS certificate was not accepted."
        )
        assert receiver.received == []
        assert await sent(url, tls=trusting, **given) == Sent()
        assert await sent(url.replace("inside", "other"), tls=trusting, **given) != Sent()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for agent.inside, with its key, that no system trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent.inside")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("agent.inside")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        (200, Sent()),
        (204, Sent()),
        (410, Gone()),
        (404, NotNow(why="The receiver answered 404.")),
        (429, NotNow(why="The receiver answered 429.")),
        (302, NotNow(why="The receiver redirected, which is not followed.")),
    ],
)
def test_what_a_status_means(status: int, meant: object):
    assert meaning(status, {}, now=NOW) == meant


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Tue, 01 Jan 2030 12:01:00 GMT", 60.0),
        ("Tue, 01 Jan 2030 11:00:00 GMT", 0.0),
        ("-1", None),
        ("soon", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(written: str, seconds: float | None):
    assert retry_after_s(written, now=NOW) == seconds
