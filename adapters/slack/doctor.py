"""Asks Slack whether the chat can work as the settings have it, and names the setting if not."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum, unique
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType
from slack_sdk.errors import SlackApiError

from adapters.slack.blocks import actions, button, plain, section
from adapters.slack.client import Wire
from adapters.slack.config import ChatSection, Mode
from adapters.slack.errors import APP_REMOVED, SlackBusy, SlackRefused, SlackUnclear, reading
from adapters.slack.manifest import OPTIONAL_SCOPES, SCOPES
from bot.core.ip_address import is_loopback

#: Slack refuses nothing by our clock, but we refuse what it signed longer ago than this.
SKEW_S: Final = 300.0
CANARY: Final = "keyturn.canary"
_CANARY: Final = "Keyturn: a card to try."
_ARRIVED: Final = "Keyturn: cards arrive and can be changed."
_ODD_SKEW_S: Final = 30.0
_HELLO_S: Final = 10.0
_GROUPS: Final = "usergroups:read"
#: A token with one of these can do what the chat never needs.
_TOO_MUCH: Final = ("admin", "chat:write.public", "chat:write.customize", "channels:", "groups:")
_INSTALL: Final = "Copy the bot token anew from the app's page, under OAuth & Permissions."


@unique
class Health(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """``setting`` is what was looked at, ``remedy`` what to do; empty when all is well."""

    health: Health
    setting: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the references of the section hold; "" where it has none."""

    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else the settings say that Slack has to do with.

    ``groups`` are the user groups that the policy names; ``writers`` the tokens of connectors of
    type slack, by their place in the settings, each with its team.
    """

    public_url: str
    groups: Collection[str] = ()
    writers: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    told: Mapping[str, Any]
    scopes: frozenset[str]
    skew_s: float | None


class Doctor:
    """Looks at the chat *name*, as its section and the credentials there say."""

    def __init__(
        self,
        name: str,
        section: ChatSection,
        credentials: Credentials,
        around: Around,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._place = f"chats.{name}"
        self._section = section
        self._credentials = credentials
        self._around = around
        self._wire = Wire(section.api_url)

    async def examine(
        self, *, canary: str | None = None, waits_s: float = 0.0
    ) -> AsyncIterator[Look]:
        """Yield everything that can be told; *canary* is the account that gets a card to press.

        Nothing is written in Slack without *canary*. A click is waited for over a socket alone,
        for up to *waits_s*: no bot may be running meanwhile, or it might get the click.
        """
        try:
            async for look in self._looks(canary, waits_s):
                yield look
        finally:
            await self._wire.close()

    async def _looks(self, canary: str | None, waits_s: float) -> AsyncIterator[Look]:
        for look in self._about_mode():
            yield look
        if self._section.installs:
            yield self._ok("client_id", "workspaces install the app by themselves")
            return
        answer: _Answer | None = None
        try:
            answer = await self._ask(self._credentials.bot_token, "auth.test")
        except SlackRefused as error:
            yield self._bad_token(error)
        except (SlackBusy, SlackUnclear):
            yield self._fail(
                "api_url",
                f"nothing at {self._section.api_url} answers as Slack does",
                "Let this machine reach it over https, or correct the address.",
            )
            return
        if answer is not None:
            for look in self._about_token(answer):
                yield look
            async for look in self._about_groups(answer):
                yield look
        app = None if answer is None else await self._app_of(answer)
        if self._section.mode is Mode.SOCKET:
            yield await self._about_socket(app)
        async for look in self._about_writers():
            yield look
        if canary is not None and answer is not None:
            yield await self._canary(canary, waits_s)

    def _about_mode(self) -> list[Look]:
        if self._section.mode is Mode.SOCKET:
            return []
        looks = []
        secret = self._credentials.signing_secret
        if len(secret) != 32 or set(secret) - set("0123456789abcdef"):
            looks.append(
                self._fail(
                    "signing_secret",
                    "it is not the signing secret, which has 32 hexadecimal digits",
                    "Copy it from the app's page, under Basic Information.",
                )
            )
        else:
            looks.append(self._ok("signing_secret", "it looks like one"))
        url = urlsplit(self._around.public_url)
        host = url.hostname or ""
        if url.scheme != "https" or host == "localhost" or is_loopback(host):
            looks.append(
                Look(
                    health=Health.FAIL,
                    setting="public_url",
                    what=f"Slack cannot call {self._around.public_url}: it needs https and a name "
                    "that the internet knows",
                    remedy=f"Correct it, or set {self._place}.mode to socket.",
                )
            )
        else:
            events = f"{self._around.public_url}{self._section.public_path}/events"
            looks.append(Look(health=Health.OK, setting="public_url", what=f"Slack calls {events}"))
        return looks

    def _about_token(self, answer: _Answer) -> list[Look]:
        told, looks = answer.told, []
        team, enterprise = told.get("team_id"), told.get("enterprise_id")
        if not told.get("bot_id"):
            looks.append(self._fail("bot_token", "it is a person's token and no bot's", _INSTALL))
        else:
            looks.append(self._ok("bot_token", f"Slack knows it, in {told.get('team') or team}"))
        if self._section.tenants & {team, enterprise}:
            looks.append(self._ok("team", f"{enterprise or team} is where the app is installed"))
        else:
            looks.append(
                self._fail(
                    "team",
                    f"the app is installed in {team}, and {self._section.team} is named",
                    f"Write {team} if that is yours, or install the app in the one that is named.",
                )
            )
        looks += self._about_scopes(answer.scopes)
        if answer.skew_s is not None and answer.skew_s > _ODD_SKEW_S:
            too_far = answer.skew_s > SKEW_S and self._section.mode is Mode.HTTP
            looks.append(
                Look(
                    health=Health.FAIL if too_far else Health.WARN,
                    setting="clock",
                    what=f"this machine's clock and Slack's differ by {answer.skew_s:.0f} seconds",
                    remedy="Set the clock by NTP: what Slack signs counts for five minutes.",
                )
            )
        return looks

    def _about_scopes(self, scopes: frozenset[str]) -> list[Look]:
        by_need = {_GROUPS} if self._around.groups else set()
        missing = [one for one in SCOPES if one not in scopes] + sorted(by_need - scopes)
        add = "Add it under OAuth & Permissions and install the app again."
        looks = [
            self._fail("bot_token", f"the app lacks the permission {scope}", add)
            for scope in missing
        ]
        looks += [
            self._warn("bot_token", f"the app lacks the permission {scope}. {why}", add)
            for scope, why in OPTIONAL_SCOPES.items()
            if scope not in scopes and scope not in missing
        ]
        looks += [
            self._warn(
                "bot_token",
                f"the app has the permission {scope}, which the chat never needs",
                "Take it away. A connector writes with an app and a token of its own.",
            )
            for scope in sorted(scopes)
            if scope.startswith(_TOO_MUCH)
        ]
        return looks or [self._ok("bot_token", "it has every permission, and none too many")]

    async def _about_groups(self, answer: _Answer) -> AsyncIterator[Look]:
        if _GROUPS not in answer.scopes:
            return
        for group in self._around.groups:
            try:
                found = await self._ask(
                    self._credentials.bot_token, "usergroups.users.list", usergroup=group
                )
            except (SlackRefused, SlackBusy, SlackUnclear) as error:
                yield Look(
                    health=Health.FAIL,
                    setting="policy",
                    what=f"the user group {group} cannot be read ({error}), so it is nobody",
                    remedy="Name it by its id, which begins with S. Groups need a paid plan.",
                )
                continue
            count = len(found.told.get("users") or ())
            what = f"the user group {group} has {count} members"
            yield Look(health=Health.OK, setting="policy", what=what)

    async def _app_of(self, answer: _Answer) -> str | None:
        bot = answer.told.get("bot_id")
        if not bot:
            return None
        try:
            asked = await self._ask(self._credentials.bot_token, "bots.info", bot=str(bot))
        except (SlackRefused, SlackBusy, SlackUnclear):
            return None
        found = asked.told.get("bot")
        return str(found["app_id"]) if isinstance(found, Mapping) and "app_id" in found else None

    async def _about_socket(self, app: str | None) -> Look:
        try:
            client = self._wire.client("")
            opened = await client.apps_connections_open(app_token=self._credentials.app_token)
            hello = await self._hello(str(opened["url"]))
        except Exception as error:  # noqa: BLE001 - whatever it is, no socket opens
            read = reading(error)
            if isinstance(read, SlackRefused) and read.code == "missing_scope":
                return self._fail(
                    "app_token",
                    "it lacks the permission connections:write",
                    "Make a new app-level token with it, under Basic Information.",
                )
            if isinstance(read, SlackRefused) and read.code in APP_REMOVED:
                return self._fail(
                    "app_token",
                    f"Slack does not accept it ({read.code})",
                    "Make a new app-level token with connections:write, under Basic Information.",
                )
            cause = read.code if isinstance(read, SlackRefused) else type(error).__name__
            return self._fail(
                "mode",
                f"Slack opens no socket ({cause})",
                "Turn Socket Mode on in the app's page, or set mode to http.",
            )
        if app is not None and hello not in {None, app}:
            return self._fail(
                "app_token",
                f"it is of the app {hello}, and bot_token of {app}",
                "Take both tokens from one app.",
            )
        return self._ok("app_token", "Slack opens a socket with it")

    async def _hello(self, url: str) -> str | None:
        """Return the app that Slack greets on the socket at *url*."""
        async with asyncio.timeout(_HELLO_S):
            async with self._wire.session().ws_connect(url) as socket:
                frame = await socket.receive()
                if frame.type is not WSMsgType.TEXT:
                    raise ClientError("the socket says nothing")
                info = frame.json().get("connection_info") or {}
        found = info.get("app_id")
        return found if isinstance(found, str) else None

    async def _about_writers(self) -> AsyncIterator[Look]:
        for place, (token, team) in self._around.writers.items():
            setting = f"{place}.credential"
            if token == self._credentials.bot_token:
                what = f"it is the token of {self._place} too"
                remedy = "Make a second app for it: who can ask must not be able to write."
                yield Look(health=Health.FAIL, setting=setting, what=what, remedy=remedy)
                continue
            try:
                found = await self._ask(token, "auth.test")
            except (SlackRefused, SlackBusy, SlackUnclear) as error:
                what = f"Slack does not accept its token ({error})"
                yield Look(health=Health.FAIL, setting=setting, what=what, remedy=_INSTALL)
                continue
            yield _of_writer(place, found, team)
            for scope in ("chat:write", "channels:read"):
                if scope not in found.scopes:
                    what = f"its app lacks the permission {scope}"
                    remedy = "Add it under OAuth & Permissions and install the app again."
                    yield Look(health=Health.FAIL, setting=setting, what=what, remedy=remedy)

    async def _canary(self, account: str, waits_s: float) -> Look:
        """Post a card to *account*, have it pressed, change it, and take it away."""
        token = self._credentials.bot_token
        waits = waits_s > 0 and self._section.mode is Mode.SOCKET
        try:
            async with AsyncExitStack() as open_:
                socket = await open_.enter_async_context(self._socket()) if waits else None
                card = section(plain("The doctor looks whether cards arrive and can be pressed."))
                blocks = (
                    [card, actions(button("Press me", CANARY, value="canary"))] if waits else [card]
                )
                posted = await self._wire.write(
                    token, "chat.postMessage", channel=account, text=_CANARY, blocks=blocks
                )
                where = {"channel": posted["channel"], "ts": posted["ts"]}
                is_pressed = socket is None or await _pressed(socket, posted["ts"], waits_s)
                await self._wire.write(token, "chat.update", **where, text=_ARRIVED, blocks=[])
            if is_pressed:
                await self._wire.write(token, "chat.delete", **where)
        except SlackRefused as error:
            return self._no_card(account, error)
        except (SlackBusy, SlackUnclear, ClientError, TimeoutError) as error:
            return self._warn("bot_token", f"no card could be tried now: {error}", "Try again.")
        if not is_pressed:
            return self._warn(
                "app_token",
                f"{account} got a card, and no click came back in {waits_s:.0f} seconds",
                "Try again and press it. If a warning stood there, turn Interactivity on.",
            )
        did = "got a card, pressed it" if waits else "got a card"
        return self._ok("bot_token", f"{account} {did}, and it was changed and taken away")

    def _no_card(self, account: str, error: SlackRefused) -> Look:
        if error.code == "messages_tab_disabled":
            return self._fail(
                "bot_token",
                "the app shows no cards while its Messages tab is off",
                "Turn it on under App Home in the app's page.",
            )
        return self._fail(
            "bot_token",
            f"Slack takes no card for {account} ({error.code})",
            "Look whether the account is active and of this workspace.",
        )

    @asynccontextmanager
    async def _socket(self) -> AsyncIterator[ClientWebSocketResponse]:
        client = self._wire.client("")
        try:
            opened = await client.apps_connections_open(app_token=self._credentials.app_token)
        except Exception as error:  # noqa: BLE001 - told by whoever asked
            raise reading(error) from None
        async with self._wire.session().ws_connect(str(opened["url"])) as socket:
            await socket.receive()  # hello
            yield socket

    async def _ask(self, token: str, method: str, **params: str) -> _Answer:
        client = self._wire.client(token)
        try:
            response = await client.api_call(method, http_verb="GET", params=params)
        except SlackApiError as error:
            raise reading(error) from None
        except Exception as error:  # noqa: BLE001 - whatever it is, Slack said nothing
            read = reading(error)
            raise (SlackUnclear(type(error).__name__) if read is error else read) from None
        headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
        data = response.data
        return _Answer(
            told=data if isinstance(data, Mapping) else {},
            scopes=frozenset(headers.get("x-oauth-scopes", "").replace(" ", "").split(",")) - {""},
            skew_s=_skew_s(headers.get("date", ""), now=self._now()),
        )

    def _bad_token(self, error: SlackRefused) -> Look:
        return self._fail("bot_token", f"Slack does not accept it ({error.code})", _INSTALL)

    def _ok(self, key: str, what: str) -> Look:
        return Look(health=Health.OK, setting=f"{self._place}.{key}", what=what)

    def _warn(self, key: str, what: str, remedy: str) -> Look:
        setting = f"{self._place}.{key}"
        return Look(health=Health.WARN, setting=setting, what=what, remedy=remedy)

    def _fail(self, key: str, what: str, remedy: str) -> Look:
        setting = f"{self._place}.{key}"
        return Look(health=Health.FAIL, setting=setting, what=what, remedy=remedy)


async def _pressed(socket: ClientWebSocketResponse, ts: str, waits_s: float) -> bool:
    """Return whether the canary at *ts* is pressed within *waits_s*; that is acknowledged."""
    try:
        async with asyncio.timeout(waits_s):
            async for frame in socket:
                told = frame.json() if frame.type is WSMsgType.TEXT else {}
                if "envelope_id" not in told:
                    continue
                await socket.send_json({"envelope_id": told["envelope_id"]})
                payload = told.get("payload") or {}
                pressed = [one.get("action_id") for one in payload.get("actions") or ()]
                if CANARY in pressed and (payload.get("message") or {}).get("ts") == ts:
                    return True
    except TimeoutError:
        pass
    return False


def _of_writer(place: str, found: _Answer, team: str) -> Look:
    seen = found.told.get("team_id")
    if seen == team:
        setting = f"{place}.credential"
        return Look(health=Health.OK, setting=setting, what=f"it writes in {team}")
    return Look(
        health=Health.FAIL,
        setting=f"{place}.team",
        what=f"its token is of the workspace {seen}, and {team} is named",
        remedy=f"Write {seen} if that is meant, or install its app in {team}.",
    )


def _skew_s(date: str, *, now: float) -> float | None:
    try:
        return abs(now - parsedate_to_datetime(date).timestamp())
    except ValueError:
        return None
