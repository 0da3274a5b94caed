"""The bot's own tokens: few, early enough, and silent."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from adapters.teams.credentials import (
    CONNECTOR_SCOPE,
    GRAPH_SCOPE,
    Certificate,
    Credentials,
    ManagedIdentity,
    Password,
    Proof,
)
from adapters.teams.testing.issuer import Issuer
from adapters.teams.transport import ConnectorBusy, ConnectorRefused
from tests.teams.listener import Clock, pair_of


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer(pair=pair_of("msteams")).running() as issuer:
        yield issuer


def credentials_for(issuer: Issuer, *, proof: Proof | None = None, **changes: Any) -> Credentials:
    return Credentials(
        **{
            "app_id": issuer.app_id,
            "tenant": issuer.tenant,
            "proof": proof or Password(issuer.app_password),
            "login_url": issuer.login_url,
            **changes,
        }
    )


def certified() -> tuple[str, x509.Certificate]:
    """Return a key with its certificate in one text, and the certificate."""
    key = pair_of("certificate").private
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keyturn")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + certificate.public_bytes(Encoding.PEM)).decode(), certificate


async def test_a_token_is_fetched_once_for_each_scope(issuer: Issuer) -> None:
    credentials = credentials_for(issuer)
    tokens = await asyncio.gather(*(credentials.token(CONNECTOR_SCOPE) for _ in range(30)))
    again = await credentials.token(CONNECTOR_SCOPE)
    graph = await credentials.token(GRAPH_SCOPE)
    assert {*tokens, again} == {issuer.tokens[0]}
    assert graph == issuer.tokens[1]
    assert issuer.asked == {"discovery": 1, "token": 2}
    await credentials.close()


async def test_a_token_is_renewed_before_it_ends(issuer: Issuer) -> None:
    clock = Clock()
    issuer.token_lasts_s = 320
    credentials = credentials_for(issuer, now=clock)
    await credentials.token(CONNECTOR_SCOPE)
    clock.at += 19
    await credentials.token(CONNECTOR_SCOPE)
    assert issuer.asked["token"] == 1
    clock.at += 2
    credentials.forget(CONNECTOR_SCOPE)
    await credentials.token(CONNECTOR_SCOPE)
    assert issuer.asked["token"] == 2
    await credentials.close()


async def test_a_token_that_was_not_taken_is_replaced(issuer: Issuer) -> None:
    credentials = credentials_for(issuer)
    first = await credentials.token(CONNECTOR_SCOPE)
    credentials.forget(CONNECTOR_SCOPE)
    assert await credentials.token(CONNECTOR_SCOPE) != first
    await credentials.close()


async def test_a_certificate_proves_it_too(issuer: Issuer) -> None:
    pem, issuer.certificate = certified()
    credentials = credentials_for(issuer, proof=Certificate(pem))
    assert await credentials.token(CONNECTOR_SCOPE) == issuer.tokens[0]
    await credentials.close()


@pytest.mark.parametrize("kept", ["PRIVATE KEY", "CERTIFICATE"])
def test_half_a_certificate_is_refused_at_once(kept: str) -> None:
    pem, _ = certified()
    begin, end = f"-----BEGIN {kept}-----", f"-----END {kept}-----"
    half = begin + pem.partition(begin)[2].partition(end)[0] + end
    with pytest.raises(ValueError, match="it holds no"):
        Certificate(half)


def test_without_an_app_id_there_are_no_credentials() -> None:
    with pytest.raises(ValueError, match="app id"):
        Credentials(app_id="", tenant="t", proof=ManagedIdentity(), login_url="https://localhost/")


@pytest.mark.parametrize(
    ("changes", "code", "number"),
    [
        ({"proof": Password("wrong")}, "invalid_client", "AADSTS7000215"),
        ({"app_id": "0a1b2c3d-0000-4000-8000-0000000000ff"}, "unauthorized_client", "AADSTS700016"),
        ({"tenant": "0a1b2c3d-0000-4000-8000-0000000000ff"}, "invalid_tenant", ""),
    ],
    ids=["password", "app", "tenant"],
)
async def test_what_entra_refuses_is_refused_for_good(
    issuer: Issuer, changes: dict[str, Any], code: str, number: str
) -> None:
    credentials = credentials_for(issuer, **changes)
    with pytest.raises(ConnectorRefused) as refused:
        await credentials.token(CONNECTOR_SCOPE)
    assert refused.value.code == code
    assert number in refused.value.message
    await credentials.close()


async def test_entra_out_of_reach_is_for_later_and_another_try_succeeds(issuer: Issuer) -> None:
    credentials = credentials_for(issuer)
    issuer.entra_is_down = True
    with pytest.raises(ConnectorBusy):
        await credentials.token(CONNECTOR_SCOPE)
    issuer.entra_is_down = False
    assert await credentials.token(CONNECTOR_SCOPE)
    await credentials.close()


async def test_what_failed_once_is_asked_again_and_not_remembered(issuer: Issuer) -> None:
    credentials = credentials_for(issuer)
    await credentials.token(GRAPH_SCOPE)
    issuer.entra_is_down = True
    with pytest.raises(ConnectorBusy):
        await credentials.token(CONNECTOR_SCOPE)
    issuer.entra_is_down = False
    issuer.entra_refuses = {"error": "invalid_client", "error_codes": [7000215]}
    with pytest.raises(ConnectorRefused):
        await credentials.token(CONNECTOR_SCOPE)
    issuer.entra_refuses = {"error": "temporarily_unavailable", "error_codes": [90033]}
    with pytest.raises(ConnectorBusy):
        await credentials.token(CONNECTOR_SCOPE)
    issuer.entra_refuses = None
    assert await credentials.token(CONNECTOR_SCOPE)
    await credentials.close()


async def test_a_managed_identity_is_asked_of_the_machine(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        token = {"access_token": "from-the-machine", "expires_in": "3599", "resource": "r"}
        return web.json_response(token)

    app = web.Application()
    app.add_routes([web.get("/metadata/identity/oauth2/token", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    machine = f"http://127.0.0.1:{runner.addresses[0][1]}"
    # Where Azure puts another address than its usual one, 169.254.169.254.
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", machine)
    credentials = credentials_for(issuer, proof=ManagedIdentity())
    assert await credentials.token(CONNECTOR_SCOPE) == "from-the-machine"
    assert await credentials.token(CONNECTOR_SCOPE) == "from-the-machine"
    assert len(asked) == 1
    assert f"client_id={issuer.app_id}" in asked[0]
    assert "resource=https%3A%2F%2Fapi.botframework.com" in asked[0] or (
        "resource=https://api.botframework.com" in asked[0]
    )
    await credentials.close()
    await runner.cleanup()


async def test_nobody_there_is_for_later(issuer: Issuer) -> None:
    credentials = credentials_for(issuer, login_url="http://127.0.0.1:9/")
    with pytest.raises(ConnectorBusy):
        await credentials.token(CONNECTOR_SCOPE)
    await credentials.close()


async def test_nothing_of_it_is_written_down(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pem, issuer.certificate = certified()
    for proof in (Password(issuer.app_password), Password("wr0ng-but-secret"), Certificate(pem)):
        credentials = credentials_for(issuer, proof=proof)
        await asyncio.gather(credentials.token(CONNECTOR_SCOPE), return_exceptions=True)
        await credentials.close()
        assert "secret" not in repr(proof)
    written = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for secret in (issuer.app_password, "wr0ng-but-secret", "PRIVATE KEY", *issuer.tokens):
        assert secret not in written
