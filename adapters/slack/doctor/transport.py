"""Whether what people press can come in: over a socket of ours, or by requests of Slack."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType

from adapters.slack.client import Wire
from adapters.slack.doctor.asking import Answer, ask
from adapters.slack.doctor.patient import Patient
from adapters.slack.errors import APP_REMOVED, SlackBusy, SlackRefused, SlackUnclear, reading
from bot.core.ip_address import is_loopback
from bot.core.look import Look, fail, ok

_HELLO_S: Final = 10.0


def about_requests(patient: Patient) -> Iterator[Look]:
    """Yield whether Slack can call us, and whether we can tell that it is Slack."""
    secret, setting = patient.credentials.signing_secret, patient.at("signing_secret")
    if len(secret) != 32 or set(secret) - set("0123456789abcdef"):
        yield fail(
            setting,
            "it is not the signing secret, which has 32 hexadecimal digits",
            "Copy it from the app's page, under Basic Information.",
        )
    else:
        yield ok(setting, "it looks like one")
    public_url = patient.around.public_url
    url = urlsplit(public_url)
    host = url.hostname or ""
    if url.scheme != "https" or host == "localhost" or is_loopback(host):
        yield fail(
            "public_url",
            f"Slack cannot call {public_url}: it needs https and a name that the internet knows",
            f"Correct it, or set {patient.at('mode')} to socket.",
        )
    else:
        yield ok("public_url", f"Slack calls {public_url}{patient.section.public_path}/events")


async def about_socket(patient: Patient, wire: Wire, answer: Answer | None) -> Look:
    """Return whether a socket opens, and is that of the app that gave *answer*."""
    setting = patient.at("app_token")
    try:
        async with open_socket(wire, patient.credentials.app_token) as (_, greeted):
            pass
    except Exception as error:  # noqa: BLE001 - whatever it is, no socket opens
        return _no_socket(patient, error)
    app = None if answer is None else await _app_of(patient, wire, answer)
    if app is not None and greeted not in {None, app}:
        what = f"it is of the app {greeted}, and bot_token of {app}"
        return fail(setting, what, "Take both tokens from one app.")
    return ok(setting, "Slack opens a socket with it")


@asynccontextmanager
async def open_socket(
    wire: Wire, app_token: str
) -> AsyncIterator[tuple[ClientWebSocketResponse, str | None]]:
    """Open a socket, and yield it with the app that Slack greets on it."""
    opened = await wire.client("").apps_connections_open(app_token=app_token)
    async with wire.session().ws_connect(str(opened["url"])) as socket:
        async with asyncio.timeout(_HELLO_S):
            frame = await socket.receive()
        if frame.type is not WSMsgType.TEXT:
            raise ClientError("the socket says nothing")
        app = (frame.json().get("connection_info") or {}).get("app_id")
        yield socket, app if isinstance(app, str) else None


def _no_socket(patient: Patient, error: Exception) -> Look:
    setting, read = patient.at("app_token"), reading(error)
    if isinstance(read, SlackRefused) and read.code == "missing_scope":
        return fail(
            setting,
            "it lacks the permission connections:write",
            "Make a new app-level token with it, under Basic Information.",
        )
    if isinstance(read, SlackRefused) and read.code in APP_REMOVED:
        return fail(
            setting,
            f"Slack does not accept it ({read.code})",
            "Make a new app-level token with connections:write, under Basic Information.",
        )
    cause = read.code if isinstance(read, SlackRefused) else type(error).__name__
    return fail(
        patient.at("mode"),
        f"Slack opens no socket ({cause})",
        "Turn Socket Mode on in the app's page, or set mode to http.",
    )


async def _app_of(patient: Patient, wire: Wire, answer: Answer) -> str | None:
    bot = answer.told.get("bot_id")
    if not bot:
        return None
    try:
        asked = await ask(wire, patient.credentials.bot_token, "bots.info", bot=str(bot))
    except (SlackRefused, SlackBusy, SlackUnclear):
        return None
    found = asked.told.get("bot")
    return str(found["app_id"]) if isinstance(found, Mapping) and "app_id" in found else None
