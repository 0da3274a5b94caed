"""The bot's own tokens: one msal client for the Connector and for Graph, asked in a thread."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import urlsplit

import msal
import requests

from adapters.teams.transport import ConnectorBusy, ConnectorRefused

CONNECTOR_SCOPE: Final = "https://api.botframework.com/.default"
GRAPH_SCOPE: Final = "https://graph.microsoft.com/.default"

_CONNECT_S: Final = 3.0
_READ_S: Final = 6.0
_TOKEN_S: Final = 10.0
#: Renewed this long before it ends; msal itself holds on to a token for as long.
_EARLY_S: Final = 300.0
_PAUSE_S: Final = 5.0
#: Entra's words for a failure of its own.
_PASSING: Final = frozenset({"temporarily_unavailable", "server_error", "service_unavailable"})
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.+?-----END (?:[A-Z]+ )?PRIVATE KEY-----", re.DOTALL
)
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Password:
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The key and its certificate, as PEM in one text."""

    pem: str = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError, with what is missing, unless both are there."""
        if not _PRIVATE_KEY.search(self.pem):
            raise ValueError("it holds no private key in PEM, or the key has a password")
        if not _CERTIFICATE.search(self.pem):
            raise ValueError("it holds no certificate in PEM beside the key")


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The machine's own identity: on Azure alone."""


Proof: TypeAlias = Password | Certificate | ManagedIdentity


class _Acquires(Protocol):
    def __call__(self, scope: str) -> Mapping[str, Any]: ...


class Credentials:
    """Proves to Entra that the bot is the app *app_id* of *tenant*."""

    def __init__(
        self,
        *,
        app_id: str,
        tenant: str,
        proof: Proof,
        login_url: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raise ValueError for an empty *app_id*: the SDK would then check nobody."""
        if not app_id:
            raise ValueError("the app id is empty")
        self.app_id = app_id
        self._tenant = tenant
        self._proof = proof
        self._login_url = login_url
        self._now = now
        self._http = _Http(login_url)
        self._acquire: _Acquires | None = None
        self._held: dict[str, tuple[str, float]] = {}
        self._asking: dict[str, asyncio.Task[str]] = {}
        # Below this it writes what it asked for and of whom.
        logging.getLogger("msal").setLevel(logging.WARNING)

    async def token(self, scope: str) -> str:
        """Return a token for *scope*, which has some minutes left.

        Raises:
            ConnectorRefused: Entra refuses the app; ``code`` is Entra's, ``message`` its number.
            ConnectorBusy: Entra cannot be reached, or asks to wait.
        """
        held = self._held.get(scope)
        if held is not None and self._now() < held[1]:
            return held[0]
        asking = self._asking.get(scope)
        if asking is None:
            asking = asyncio.create_task(self._ask(scope))
            self._asking[scope] = asking
            asking.add_done_callback(lambda done: self._asked(scope, done))
        try:
            async with asyncio.timeout(_TOKEN_S):
                return await asyncio.shield(asking)
        except TimeoutError:
            raise ConnectorBusy("Entra does not answer.", retry_after_s=_PAUSE_S) from None

    def forget(self, scope: str) -> None:
        """Ask for a new token next time: the last one was not taken."""
        if self._held.pop(scope, None) is not None:
            # msal would hand out the same one again.
            self._acquire = None

    async def close(self) -> None:
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        self._http.close()

    def _asked(self, scope: str, done: asyncio.Task[str]) -> None:
        del self._asking[scope]
        # The exception is seen here, even when everybody who waited has gone.
        if done.cancelled() or done.exception() is not None:
            # msal would repeat the same refusal for a minute without asking anybody.
            self._acquire = None

    async def _ask(self, scope: str) -> str:
        try:
            told = await asyncio.to_thread(self._acquired, scope)
        except requests.RequestException:
            raise ConnectorBusy("Entra cannot be reached.", retry_after_s=_PAUSE_S) from None
        except ValueError:
            # msal's words for an unknown tenant quote the whole answer.
            raise ConnectorRefused(
                status=400, code="invalid_tenant", message="Entra knows no such tenant."
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was asked of the Connector
            kind = type(error).__name__
            raise ConnectorBusy(f"No token ({kind}).", retry_after_s=_PAUSE_S) from None
        token, lasts_s = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or not token:
            raise _refusal(told)
        lasts_s = float(lasts_s) if isinstance(lasts_s, int | float) else 0.0
        self._held[scope] = token, self._now() + max(lasts_s - _EARLY_S, 0.0)
        return token

    def _acquired(self, scope: str) -> Mapping[str, Any]:
        # Made here, in the thread: msal asks Entra for its addresses first.
        acquire = self._acquire
        if acquire is None:
            acquire = self._acquire = self._client()
        return acquire(scope)

    def _client(self) -> _Acquires:
        if isinstance(self._proof, ManagedIdentity):
            identity = msal.UserAssignedManagedIdentity(client_id=self.app_id)
            machine = msal.ManagedIdentityClient(identity, http_client=self._http)
            return lambda scope: dict(
                machine.acquire_token_for_client(resource=scope.removesuffix("/.default"))
            )
        parts = urlsplit(self._login_url)
        app = msal.ConfidentialClientApplication(
            self.app_id,
            client_credential=_client_credential(self._proof),
            authority=f"https://{parts.netloc}/{self._tenant}",
            # The address is the admin's own: nobody else is asked about it.
            instance_discovery=False,
            http_client=self._http,
        )
        return lambda scope: dict(app.acquire_token_for_client(scopes=[scope]))


class _Http:
    """What msal asks through: our timeouts, nothing of the environment, and loopback in the clear.

    msal takes no address but https; an address on this machine is spoken to as it is configured.
    """

    def __init__(self, login_url: str) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        parts = urlsplit(login_url)
        self._plain = f"https://{parts.netloc}/" if parts.scheme == "http" else None

    def get(self, url: str, **how: Any) -> requests.Response:
        return self._ask("GET", url, **how)

    def post(self, url: str, **how: Any) -> requests.Response:
        return self._ask("POST", url, **how)

    def close(self) -> None:
        self._session.close()

    def _ask(self, method: str, url: str, **how: Any) -> requests.Response:
        if self._plain is not None and url.startswith(self._plain):
            url = f"http{url.removeprefix('https')}"
        how["timeout"] = (_CONNECT_S, _READ_S)
        return self._session.request(method, url, allow_redirects=False, **how)


def _client_credential(proof: Password | Certificate) -> str | Mapping[str, str]:
    if isinstance(proof, Password):
        return proof.value
    key, certificates = _PRIVATE_KEY.search(proof.pem), _CERTIFICATE.findall(proof.pem)
    assert key is not None
    return {"private_key": key[0], "public_certificate": "\n".join(certificates)}


def _refusal(told: Mapping[str, Any]) -> Exception:
    code = str(told.get("error") or "no_token")
    if code in _PASSING:
        return ConnectorBusy("Entra asks to wait.", retry_after_s=_PAUSE_S)
    numbers = told.get("error_codes")
    named = [f"AADSTS{one}" for one in numbers] if isinstance(numbers, list) else []
    return ConnectorRefused(status=401, code=code, message=" ".join(named))
