"""Where a request may go, and that no value can send it elsewhere."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import HttpConnector, create
from adapters.http.path import parse_target
from bot.core.errors import InvalidInput, SettingsInvalid, UpstreamFailed
from bot.core.ip_address import is_disguised, why_refused
from bot.ports.connector import Executed, Failed, Succeeded, Unknown
from bot.system_clock import SystemClock
from tests.connectors.samples import ACTION
from tests.connectors.sections import connect, keep, section
from tests.connectors.target import LoopbackTarget

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "::1", "fd00::1", "fec0::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1"),
]
NEVER = [
    *("169.254.169.254", "169.254.170.2", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255"),
    *("240.0.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::", "fe80::1"),
    *("fe80::1%eth0", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "::ffff:0.0.0.0"),
    *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe", "64:ff9b:1::1", "not an address"),
]


class Names(AbstractResolver):
    """Answers each question with the next of *answers*, then with the last one again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  the answers have their own
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if not self.answers:
            raise OSError(None, "no such host")
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None: ...


async def execute(connector: HttpConnector) -> Executed:
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    return await connector.execute(ACTION, key="k", etag=None, deadline=deadline)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_open(address: str) -> None:
    assert why_refused(address, allow_private=False) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_open_only_where_it_is_declared(address: str) -> None:
    assert why_refused(address, allow_private=True) is None
    assert why_refused(address, allow_private=False)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_open(address: str) -> None:
    assert why_refused(address, allow_private=False)
    assert why_refused(address, allow_private=True)


@given(st.ip_addresses())
def test_no_address_is_open_by_the_way_it_is_wrapped(address: object) -> None:
    written = str(address)
    if ip_address(written).version == 4:
        plain = why_refused(written, allow_private=False)
        assert bool(why_refused(f"::ffff:{written}", allow_private=False)) == bool(plain)
    if why_refused(written, allow_private=True):
        assert why_refused(written, allow_private=False)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "0x7f.1",
        "1.2.3.4.5",
        "1.2.3.0x4",
        "127.1.",
    ],
)
def test_a_number_in_disguise_is_no_host(host: str) -> None:
    assert is_disguised(host)
    with pytest.raises(SettingsInvalid) as raised:
        connect(section(f"https://{host}"))
    assert raised.value.problems[0].startswith("connectors.tracker.base_url: ")


@pytest.mark.parametrize(
    "host", ["example.com", "localhost", "v2.api.example.com", "127.0.0.1", "x1"]
)
def test_a_plain_host_is_no_disguise(host: str) -> None:
    assert not is_disguised(host)


@pytest.mark.parametrize("url", ["https://169.254.169.254", "https://[fe80::1]", "https://0.0.0.0"])
def test_an_address_that_is_never_open_refuses_to_load(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        connect(section(url))


@pytest.mark.parametrize("url", ["https://127.0.0.1", "https://[::1]", "https://[::ffff:10.0.0.1]"])
def test_a_private_address_refuses_to_load_unless_it_is_declared(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be used"):
        connect(section(url, allow_private=False))
    connect(section(url))


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"]]
)
async def test_a_name_that_leads_inside_is_not_connected_to(
    target: LoopbackTarget, answer: Sequence[str]
) -> None:
    url = f"https://inside.example:{target.port}"
    connector = connect(section(url, allow_private=False), resolver=Names(answer))
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "unreachable"
    assert "Nothing was sent" in outcome.detail
    with pytest.raises(UpstreamFailed, match="may not connect there"):
        await connector.inspect(ACTION)
    assert isinstance(await connector.lookup(ACTION, key="k"), Unknown)
    await connector.close()
    assert target.requests == []


async def test_a_name_that_leads_to_cloud_metadata_is_never_connected_to() -> None:
    names = Names(["169.254.169.254"])
    connector = connect(section("http://metadata.example"), resolver=names)
    outcome = await execute(connector)
    await connector.close()
    assert isinstance(outcome, Failed)
    assert "169.254.169.254" in outcome.detail


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    target: LoopbackTarget,
) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    connector = connect(section(f"http://moves.example:{target.port}"), resolver=names)
    first = await execute(connector)
    assert isinstance(first, Succeeded)
    assert names.asked == ["moves.example"]
    assert target.requests[0].headers["host"] == f"moves.example:{target.port}"
    second = await execute(connector)
    await connector.close()
    assert isinstance(second, Failed)
    assert names.asked == ["moves.example"] * 2
    assert len(target.requests) == 1


async def test_a_name_that_does_not_resolve_is_failed() -> None:
    connector = connect(section("http://nobody.example"), resolver=Names())
    outcome = await execute(connector)
    await connector.close()
    assert outcome == Failed(
        reason="unreachable", detail="The target's name could not be resolved. Nothing was sent."
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for tls.example, with its key, that no system trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tls.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tls.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def tls_port(certificate: Path) -> AsyncIterator[tuple[int, list[str | None]]]:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 201 x\r\nContent-Length: 9\r\n\r\n{"id": 1}')
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], asked


async def test_the_name_and_not_the_address_is_verified(
    tls_port: tuple[int, list[str | None]], certificate: Path
) -> None:
    port, asked = tls_port
    trusting = ssl.create_default_context(cafile=certificate)
    for host, expected in (("tls.example", Succeeded), ("other.example", Failed)):
        connector = create(
            "tracker",
            section(f"https://{host}:{port}"),
            secrets=keep,
            clock=SystemClock(),
            resolver=Names(["127.0.0.1"]),
            tls=trusting,
        )
        assert isinstance(await execute(connector), expected)
        await connector.close()
    assert asked == ["tls.example", "other.example"]


async def test_a_certificate_that_nobody_trusts_is_failed(
    tls_port: tuple[int, list[str | None]],
) -> None:
    port, _ = tls_port
    connector = connect(section(f"https://tls.example:{port}"), resolver=Names(["127.0.0.1"]))
    outcome = await execute(connector)
    await connector.close()
    assert isinstance(outcome, Failed)
    assert "certificate" in outcome.detail


TARGET = parse_target("/a/{resource.one}/b-{resource.two}", {"q": "{params.q}", "fixed": "1 2"})


@given(one=st.text(), two=st.text(), query=st.text())
def test_no_value_changes_the_shape_of_the_request_line(one: str, two: str, query: str) -> None:
    scope = {"resource": {"one": one, "two": two}, "params": {"q": query}}
    try:
        line = TARGET.fill(scope)
    except InvalidInput:
        return
    assert line.isascii()
    assert not set(line) & set(' \r\n\t"<>#\\')
    path, mark, search = line.partition("?")
    assert mark
    empty, a, first, second = path.split("/")
    assert (empty, a) == ("", "a")
    assert first not in {"", ".", ".."}
    assert unquote(first) == one
    assert unquote(second) == f"b-{two}"
    pairs = [pair.split("=") for pair in search.split("&")]
    assert [(unquote(name), unquote(value)) for name, value in pairs] == [
        ("q", query),
        ("fixed", "1 2"),
    ]


@pytest.mark.parametrize(
    "number", [".", "..", "7%2f8", "7?x=1", "7#x", "7;a=b", "7 8", "é", "%2e%2e", "%00"]
)
async def test_what_looks_like_a_way_out_is_refused_or_sent_as_text(
    target: LoopbackTarget, connector: HttpConnector, number: str
) -> None:
    action = replace(ACTION, resource=f"tracker:core/issues/{number}")
    outcome = await connector.execute(
        action, key="k", etag=None, deadline=datetime.now(UTC) + timedelta(seconds=10)
    )
    if isinstance(outcome, Failed):
        assert number in {".", ".."}
        assert target.requests == []
    else:
        (segment,) = target.requests[0].target.split("/")[4:5]
        assert unquote(segment) == number


@pytest.mark.parametrize(
    "resource",
    ["", "tracker:core/issues/", "tracker:core/issues/7/8", "tracker:core/issues/7\r\nX: y", "x"],
)
async def test_a_resource_of_another_shape_is_invalid_input(
    target: LoopbackTarget, connector: HttpConnector, resource: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        await connector.inspect(replace(ACTION, resource=resource))
    assert raised.value.field == "/action/resource"
    assert target.requests == []
