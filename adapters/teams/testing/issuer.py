"""Whoever signs what the Bot Connector sends, and hands out the bot's own tokens: on loopback."""

import base64
import json
import secrets
import time
from asyncio import sleep
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER: Final = "https://api.botframework.com"
APP_ID: Final = "0a1b2c3d-0000-4000-8000-00000000b07a"
TENANT: Final = "72f0a1b2-0000-4000-8000-000000ace100"
#: As long as a real one.
APP_PASSWORD: Final = "kT8~sample.client.secret-that-is-nobodys_0Zq"  # noqa: S105 - nobody's
ENDORSEMENTS: Final = ("msteams", "skype", "agents")

_METADATA: Final = "/v1/.well-known/openidconfiguration"


class SigningPair:
    """A key of the issuer, and what it publishes of it; making one takes a tenth of a second."""

    def __init__(self, *, endorsements: Sequence[str] | None = ENDORSEMENTS) -> None:
        self.key_id = secrets.token_urlsafe(12)
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.endorsements = endorsements

    @property
    def jwk(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        published = {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": encoded(numbers.n.to_bytes(256)),
            "e": encoded(numbers.e.to_bytes(3)),
        }
        if self.endorsements is None:
            return published
        return {**published, "endorsements": list(self.endorsements)}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Return a token; ``kid=None`` leaves the key's id out."""
        whole = {"alg": "RS256", "typ": "JWT", "kid": self.key_id, **header}
        told = {name: value for name, value in whole.items() if value is not None}
        signed = signing_input(told, claims)
        signature = self.private.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return f"{signed}.{encoded(signature)}"


class Issuer:
    """Bot Framework's metadata and keys, and Entra's token address, for one app of one tenant.

    It answers as late as ``keys_delay_s`` and ``token_delay_s`` say, with 503 while
    ``keys_are_down`` or ``entra_is_down``, and refuses tokens with ``entra_refuses``.
    """

    def __init__(
        self,
        *,
        app_id: str = APP_ID,
        tenant: str = TENANT,
        app_password: str = APP_PASSWORD,
        pair: SigningPair | None = None,
    ) -> None:
        self.app_id = app_id
        self.tenant = tenant
        self.app_password = app_password
        #: Whose client assertions are taken, besides the password.
        self.certificate: x509.Certificate | None = None
        self.pair = pair or SigningPair()
        self.published = [self.pair]
        self.asked: Counter[str] = Counter()
        #: Called before an answer is thought of.
        self.on_ask: Callable[[str], None] = lambda _: None
        self.tokens: list[str] = []
        self.token_lasts_s = 3599
        self.keys_delay_s = 0.0
        self.token_delay_s = 0.0
        self.keys_are_down = False
        self.entra_is_down = False
        self.entra_refuses: Mapping[str, Any] | None = None
        self.url = ""

    @property
    def metadata_url(self) -> str:
        return f"{self.url}{_METADATA}"

    @property
    def login_url(self) -> str:
        return f"{self.url}/"

    def claims(self, service_url: str, **changes: Any) -> dict[str, Any]:
        """Return what the Connector says of itself; a change to None leaves a claim out."""
        now = int(time.time())
        whole = {
            "iss": ISSUER,
            "aud": self.app_id,
            "serviceurl": service_url,
            "nbf": now - 5,
            "exp": now + 3600,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def bearer(self, service_url: str, **changes: Any) -> str:
        """Return the header ``Authorization`` of a genuine request about *service_url*."""
        return f"Bearer {self.pair.sign(self.claims(service_url, **changes))}"

    def rotate(self, *, keep_old: bool = False) -> SigningPair:
        """Sign with a new key from now on, and return the old one."""
        old, self.pair = self.pair, SigningPair()
        self.published = [old, self.pair] if keep_old else [self.pair]
        return old

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get(_METADATA, self._metadata),
            web.get("/v1/.well-known/keys", self._keys),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery),
            web.post("/{tenant}/oauth2/v2.0/token", self._token),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Issuer"]:
        app = web.Application()
        app.add_routes(self.routes())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def _is_asked(self, what: str) -> None:
        self.asked[what] += 1
        self.on_ask(what)

    async def _metadata(self, request: web.Request) -> web.Response:
        self._is_asked("metadata")
        await sleep(self.keys_delay_s)
        if self.keys_are_down:
            return web.Response(status=503)
        here = f"{request.scheme}://{request.host}"
        told = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": f"{here}/v1/.well-known/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return web.json_response(told)

    async def _keys(self, _request: web.Request) -> web.Response:
        self._is_asked("keys")
        await sleep(self.keys_delay_s)
        if self.keys_are_down:
            return web.Response(status=503)
        return web.json_response({"keys": [pair.jwk for pair in self.published]})

    async def _discovery(self, request: web.Request) -> web.Response:
        self._is_asked("discovery")
        await sleep(self.token_delay_s)
        if self.entra_is_down:
            return web.Response(status=503)
        tenant = request.match_info["tenant"]
        if tenant != self.tenant:
            return web.json_response({"error": "invalid_tenant"}, status=400)
        # msal takes no address but https.
        base = f"https://{request.host}/{tenant}"
        told = {
            "issuer": f"{base}/v2.0",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
        }
        return web.json_response(told)

    async def _token(self, request: web.Request) -> web.Response:
        self._is_asked("token")
        await sleep(self.token_delay_s)
        if self.entra_is_down:
            return web.Response(status=503)
        form = await request.post()
        refusal = self.entra_refuses or self._why_not(form)
        if refusal is not None:
            return web.json_response(refusal, status=400 if "error_codes" not in refusal else 401)
        token = f"eyJ0{secrets.token_urlsafe(120)}"
        self.tokens.append(token)
        told = {"token_type": "Bearer", "expires_in": self.token_lasts_s, "access_token": token}
        return web.json_response(told)

    def _why_not(self, form: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if form.get("grant_type") != "client_credentials" or "scope" not in form:
            return {"error": "invalid_request", "error_description": "AADSTS900144"}
        if form.get("client_id") != self.app_id:
            return _refused("unauthorized_client", 700016)
        assertion = form.get("client_assertion")
        if assertion is not None:
            is_ours = self._is_asserted(str(assertion))
            return None if is_ours else _refused("invalid_client", 700027)
        if form.get("client_secret") != self.app_password:
            return _refused("invalid_client", 7000215)
        return None

    def _is_asserted(self, assertion: str) -> bool:
        if self.certificate is None:
            return False
        header, claims, signature = assertion.split(".")
        key = self.certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        thumbprint = self.certificate.fingerprint(SHA256())
        told, said = json.loads(decoded(header)), json.loads(decoded(claims))
        # msal asks for RSA-PSS beside a SHA-256 thumbprint.
        key.verify(
            decoded(signature),
            f"{header}.{claims}".encode(),
            padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.AUTO),
            SHA256(),
        )
        path = f"/{self.tenant}/oauth2/v2.0/token"
        is_here = urlsplit(str(said["aud"])).path == path
        return is_here and decoded(told["x5t#S256"]) == thumbprint and said["iss"] == self.app_id


def signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """Return the two parts of a token that a signature is over."""
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))


def encoded(data: bytes) -> str:
    """Return *data* as tokens carry it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _refused(error: str, number: int) -> Mapping[str, Any]:
    # Entra's own descriptions name the app, the secret's id and the trace.
    return {
        "error": error,
        "error_description": f"AADSTS{number}: refused. Trace ID: 0 Correlation ID: 0",
        "error_codes": [number],
    }
