"""A card to try: whether it arrives, can be pressed and can be changed."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType
from slack_sdk.errors import SlackApiError

from adapters.slack.blocks import actions, button, plain, section
from adapters.slack.client import Wire
from adapters.slack.config import Mode
from adapters.slack.doctor.patient import Patient
from adapters.slack.doctor.transport import open_socket
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear, reading
from bot.core.look import Look, fail, ok, warn

CANARY: Final = "keyturn.canary"
_POSTED: Final = "Keyturn: a card to try."
_ARRIVED: Final = "Keyturn: cards arrive and can be changed."


async def about_card(patient: Patient, wire: Wire, account: str, *, waits_s: float) -> Look:
    """Post a card to *account*, have it pressed within *waits_s*, change it, and take it away."""
    setting = patient.at("bot_token")
    waits = waits_s > 0 and patient.section.mode is Mode.SOCKET
    try:
        is_pressed = await _try_card(patient, wire, account, waits_s=waits_s if waits else None)
    except SlackRefused as error:
        return _no_card(setting, account, error)
    except (SlackBusy, SlackUnclear, ClientError, TimeoutError) as error:
        return warn(setting, f"no card could be tried now: {error}", "Try again.")
    if not is_pressed:
        return warn(
            patient.at("app_token"),
            f"{account} got a card, and no click came back in {waits_s:.0f} seconds",
            "Try again and press it. If a warning stood there, turn Interactivity on.",
        )
    did = "got a card, pressed it" if waits else "got a card"
    return ok(setting, f"{account} {did}, and it was changed and taken away")


async def _try_card(patient: Patient, wire: Wire, account: str, *, waits_s: float | None) -> bool:
    """Return whether the card was pressed; with *waits_s* None it need not be."""
    token = patient.credentials.bot_token
    blocks = [section(plain("The doctor looks whether cards arrive and can be pressed."))]
    async with AsyncExitStack() as open_:
        socket = None
        if waits_s is not None:
            blocks.append(actions(button("Press me", CANARY, value="canary")))
            try:
                opened = open_socket(wire, patient.credentials.app_token)
                socket, _ = await open_.enter_async_context(opened)
            except SlackApiError as error:
                raise reading(error) from None
        posted = await wire.write(
            token, "chat.postMessage", channel=account, text=_POSTED, blocks=blocks
        )
        where = {"channel": posted["channel"], "ts": posted["ts"]}
        is_pressed = socket is None or await _pressed(socket, posted["ts"], waits_s or 0.0)
        await wire.write(token, "chat.update", **where, text=_ARRIVED, blocks=[])
    if is_pressed:
        await wire.write(token, "chat.delete", **where)
    return is_pressed


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


def _no_card(setting: str, account: str, error: SlackRefused) -> Look:
    if error.code == "messages_tab_disabled":
        return fail(
            setting,
            "the app shows no cards while its Messages tab is off",
            "Turn it on under App Home in the app's page.",
        )
    return fail(
        setting,
        f"Slack takes no card for {account} ({error.code})",
        "Look whether the account is active and of this workspace.",
    )
