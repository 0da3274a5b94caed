"""Asks Microsoft whether the chat can work as the settings have it; names the setting if not."""

import time
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlsplit

from aiohttp import ClientConnectorCertificateError, ClientError, ClientTimeout

from adapters.teams.admission import CHANNEL, Admission
from adapters.teams.config import SERVICE_HOSTS, ChatSection
from adapters.teams.credentials import (
    CONNECTOR_SCOPE,
    Certificate,
    Credentials,
    ManagedIdentity,
    Proof,
)
from adapters.teams.doctor.canary import Canary
from adapters.teams.doctor.entra_words import what_entra_says
from adapters.teams.doctor.graph_look import GraphLook
from adapters.teams.doctor.patient import Account, Around
from adapters.teams.doctor.writers_look import writers_looks
from adapters.teams.hosts import ServiceHosts
from adapters.teams.sdk import BotBuilderTransport
from adapters.teams.signing_keys import KeysUnavailable, SigningKeys
from adapters.teams.transport import ConnectorBusy, ConnectorRefused, ConnectorUnclear
from adapters.teams.wire import CALL_S, Wire
from bot.core.ip_address import is_loopback
from bot.core.look import Look, fail, ok, warn

#: The SDK allows as much in what is signed.
SKEW_S: Final = 300.0
_ODD_SKEW_S: Final = 30.0
#: Nobody's: whoever is known is told that it is not there, whoever is not, that they are not.
_NO_CHAT: Final = "a:keyturn-doctor"


class Doctor:
    """Looks at the chat *name*, as its section and the credential there say."""

    def __init__(
        self,
        name: str,
        section: ChatSection,
        proof: Proof,
        around: Around,
        *,
        now: Callable[[], float] = time.time,
        call_s: float = CALL_S,
    ) -> None:
        self._now = now
        self._place = f"chats.{name}"
        self._section = section
        self._proof = proof
        self._around = around
        self._wire = Wire(call_s=call_s)
        self._call = ClientTimeout(total=call_s)
        self._credentials = Credentials(
            app_id=section.app_id, tenant=section.tenant, proof=proof, login_url=section.login_url
        )
        self._keys = SigningKeys(section.metadata_url, self._wire.session, fetch_s=call_s)
        self._hosts = ServiceHosts(section.hosts, service_url=section.service_url)

    async def examine(
        self, *, canary: Account | None = None, waits_s: float = 0.0
    ) -> AsyncIterator[Look]:
        """Yield everything that can be told; *canary* is the account that gets a card to press.

        Nothing is written in Teams without *canary*. A click is waited for where the bot does not
        hold its listener, for up to *waits_s*.
        """
        try:
            async for look in self._looks(canary, waits_s):
                yield look
        finally:
            await self._keys.close()
            await self._credentials.close()
            await self._wire.close()

    async def _looks(self, canary: Account | None, waits_s: float) -> AsyncIterator[Look]:
        yield self._about_address()
        if not self._around.has_web_inbox:
            what = "it is missing: cards in Teams lead there for what does not fit on them"
            yield fail("chats.web", what, "Add `web: {}` under chats.")
        async for look in self._about_endpoint():
            yield look
        for host in sorted(set(self._section.service_urls) - SERVICE_HOSTS):
            what = f"{host} is sent the bot's token, and is none of Microsoft's known hosts"
            yield self._warn("service_urls", what, "Remove it, unless Microsoft told you of it.")
        async for look in self._about_keys():
            yield look
        refused = await self._about_token()
        yield refused or self._ok(self._credential, "Entra gives a token for it")
        if refused is None:
            yield await self._about_connector()
        for look in self._about_accounts():
            yield look
        if refused is None:
            graph = GraphLook(
                self._place, self._section, self._around, tokens=self._credentials, wire=self._wire
            )
            async for look in graph.looks():
                yield look
        async for look in writers_looks(self._around, chat=self._section.app_id, place=self._place):
            yield look
        if canary is not None and refused is None:
            yield await self._canary().tried(
                canary, listener=self._around.listener, waits_s=waits_s
            )

    def _about_address(self) -> Look:
        url = urlsplit(self._around.public_url)
        host = url.hostname or ""
        if url.scheme != "https" or host == "localhost" or is_loopback(host):
            return fail(
                "public_url",
                f"Microsoft cannot call {self._around.public_url}: it needs https and a name that "
                "the internet knows",
                "Write the address of the proxy, or of listeners.people with a certificate.",
            )
        return ok(
            "public_url", f"the messaging endpoint of the Azure Bot is {self._endpoint(host)}"
        )

    def _endpoint(self, host: str = "") -> str:
        base = self._around.public_url if host else self._around.probe_url
        return (
            f"{(base or self._around.public_url).rstrip('/')}{self._section.public_path}/messages"
        )

    async def _about_endpoint(self) -> AsyncIterator[Look]:
        """Ask as a stranger: only the bot itself refuses with 401."""
        where = self._endpoint()
        pass_on = (
            f"Have the proxy pass POST {urlsplit(where).path} on to listeners.people, as it is."
        )
        try:
            async with self._wire.session().post(
                where, json={}, allow_redirects=False, timeout=self._call
            ) as answer:
                status = answer.status
        except ClientConnectorCertificateError:
            what = f"the certificate at {where} is not one that others accept"
            yield fail("public_url", what, "Get one that a public authority has signed.")
            return
        except (ClientError, TimeoutError, OSError):
            status = 502
        if status == 401:
            yield self._ok("public_path", f"the bot answers at {where}")
        elif status >= 500 and not self._around.is_running:
            what = f"nothing answers at {where} while the bot does not run"
            yield self._warn("public_path", what, "Start it, and ask again.")
        else:
            said = f"status {status}" if status < 500 else "no answer of the bot"
            yield self._fail("public_path", f"{where} gives {said}", pass_on)

    async def _about_keys(self) -> AsyncIterator[Look]:
        try:
            count = await self._keys.fetch()
            async with self._wire.session().get(self._section.metadata_url) as answer:
                date = answer.headers.get("Date", "")
        except (KeysUnavailable, ClientError, TimeoutError, OSError) as error:
            yield self._fail(
                "metadata_url",
                f"no signing keys there ({error}), so nobody's click counts",
                "Let this machine reach it over https, or correct the address.",
            )
            return
        endorsed = self._keys.endorsed(CHANNEL)
        if not endorsed:
            yield self._fail(
                "metadata_url",
                f"none of the {count} keys there speaks for {CHANNEL}",
                "Write the address of the Bot Connector's metadata in your cloud.",
            )
        else:
            yield self._ok("metadata_url", f"{endorsed} keys there speak for {CHANNEL}")
        skew_s = _skew_s(date, now=self._now())
        if skew_s is not None and skew_s > _ODD_SKEW_S:
            what = f"this machine's clock and Microsoft's differ by {skew_s:.0f} seconds"
            remedy = "Set the clock by NTP: what is signed counts for five minutes."
            yield (fail if skew_s > SKEW_S else warn)("clock", what, remedy)

    @property
    def _credential(self) -> str:
        match self._proof:
            case Certificate():
                return "certificate"
            case ManagedIdentity():
                return "managed_identity"
            case _:
                return "app_password"

    async def _about_token(self) -> Look | None:
        """Return why Entra gives no token, if so."""
        try:
            await self._credentials.token(CONNECTOR_SCOPE)
        except ConnectorRefused as error:
            key, what, remedy = what_entra_says(error)
            return self._fail(key or self._credential, what, remedy)
        except ConnectorBusy:
            return self._fail(
                "login_url",
                f"nothing at {self._section.login_url} answers as Entra does",
                "Let this machine reach it over https, or correct the address.",
            )
        return None

    async def _about_connector(self) -> Look:
        chat = quote(_NO_CHAT, safe="")
        url = f"{self._section.service_url}v3/conversations/{chat}/members"
        is_theirs = urlsplit(url).hostname in SERVICE_HOSTS
        try:
            token = await self._credentials.token(CONNECTOR_SCOPE)
            await self._wire.call("GET", url, token=token)
            answers = is_theirs
        except ConnectorRefused as error:
            if error.status == 401:
                return self._fail(
                    "app_id",
                    f"the Bot Connector does not take its token ({error.code or 401})",
                    "Make an Azure Bot with this app id, single tenant, and turn its Teams channel "
                    "on.",
                )
            # It names the reason; any web server knows the status.
            answers = is_theirs or bool(error.code)
        except (ConnectorBusy, ConnectorUnclear):
            answers = False
        if not answers:
            return self._fail(
                "service_url",
                f"nothing at {self._section.service_url} answers as the Bot Connector does",
                "Let this machine reach it over https, or correct the address.",
            )
        return self._ok("service_url", "the Bot Connector takes the token")

    def _about_accounts(self) -> list[Look]:
        accounts = self._around.accounts
        if accounts is None:
            return []
        looks = [
            self._warn(
                "tenants",
                f"the account of {one.person} is of {one.tenant}, whose people may not decide",
                f"Add it to tenants, or: keyturn person unlink {one.person} --chat teams "
                f"--tenant {one.tenant} --user {one.user}",
            )
            for one in accounts
            if one.tenant not in self._section.people_of
        ]
        if not accounts:
            what = "nobody has linked a Teams account, so nobody is asked there"
            remedy = "Have people link theirs: keyturn person link-code PERSON --chat teams"
            looks.append(self._warn("tenants", what, remedy))
        return looks or [self._ok("tenants", f"{len(accounts)} linked accounts may decide")]

    def _canary(self) -> Canary:
        section = self._section
        transport = BotBuilderTransport(
            credentials=self._credentials, keys=self._keys, hosts=self._hosts, wire=self._wire
        )
        return Canary(
            place=self._place,
            transport=transport,
            wire=self._wire,
            credentials=self._credentials,
            admission=Admission(
                app_id=section.app_id, tenants=section.people_of, hosts=self._hosts
            ),
            service_url=section.service_url,
            public_path=section.public_path,
        )

    def _ok(self, key: str, what: str) -> Look:
        return ok(f"{self._place}.{key}", what)

    def _warn(self, key: str, what: str, remedy: str) -> Look:
        return warn(f"{self._place}.{key}", what, remedy)

    def _fail(self, key: str, what: str, remedy: str) -> Look:
        return fail(f"{self._place}.{key}", what, remedy)


def _skew_s(date: str, *, now: float) -> float | None:
    try:
        return abs(now - parsedate_to_datetime(date).timestamp())
    except ValueError:
        return None
