"""A card to try: it is sent to one account, pressed there, changed, and taken away."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from adapters.teams.admission import Admission
from adapters.teams.credentials import CONNECTOR_SCOPE, Credentials
from adapters.teams.doctor.patient import Account, Listener
from adapters.teams.door import Door
from adapters.teams.elements import Element, Message, Ours, card, ours
from adapters.teams.errors import undeliverable
from adapters.teams.inbound import Inbound, Invoke, Submitted
from adapters.teams.transport import (
    ConnectorBusy,
    ConnectorRefused,
    ConnectorUnclear,
    Conversation,
    Transport,
)
from adapters.teams.wire import Wire
from bot.core.look import Look, fail, ok, warn

VERB: Final = "canary"
_TRY: Final = Ours("Keyturn: a card to try.")
_ARRIVED: Final = Ours("Keyturn: cards arrive and can be changed.")
_BUSY: Final = "The doctor is looking at Keyturn. Try again in a minute."
_CARD: Final = "application/vnd.microsoft.card.adaptive"
_WORDS: Final = "application/vnd.microsoft.activity.message"
#: Our reason why a card is not taken, and the setting to look at.
_SETTINGS: Final[Mapping[str, str]] = {
    "not_installed": "install_for_people",
    "account_refused": "tenants",
}


class Canary:
    """Tries one card as the chat would show it; *place* is the section, for words."""

    def __init__(
        self,
        *,
        place: str,
        transport: Transport,
        wire: Wire,
        credentials: Credentials,
        admission: Admission,
        service_url: str,
        public_path: str,
    ) -> None:
        self._place = place
        self._transport = transport
        self._wire = wire
        self._credentials = credentials
        self._admission = admission
        self._service_url = service_url
        self._public_path = public_path
        self._pressed = asyncio.Event()

    async def tried(self, account: Account, *, listener: Listener | None, waits_s: float) -> Look:
        """Return how it went; with a *listener* a click is waited for, up to *waits_s*."""
        waits = listener is not None and waits_s > 0
        try:
            async with AsyncExitStack() as open_:
                if listener is not None and waits:
                    await open_.enter_async_context(self._listening(listener, account))
                chat = await self._transport.begin(
                    tenant=account.tenant, user=account.user, service_url=self._service_url
                )
                sent = await self._transport.send(chat, _shown(_TRY, presses=waits).activity())
                is_pressed = not waits or await self._is_pressed(waits_s)
                arrived = _shown(_ARRIVED, presses=False).activity()
                await self._transport.update(chat, sent, arrived)
            if is_pressed:
                await self._taken_away(chat, sent)
        except ConnectorRefused as error:
            why = undeliverable(error)
            setting = f"{self._place}.{_SETTINGS.get(why.reason, 'app_id')}"
            what, _, remedy = str(why).partition(". ")
            return fail(
                setting, f"Teams takes no card for {account.person}: {what}", remedy or _LOOK
            )
        except (ConnectorBusy, ConnectorUnclear) as error:
            return warn(
                f"{self._place}.service_url", f"no card could be tried now: {error}", "Try again."
            )
        except OSError as error:
            what = f"nothing can be taken at {listener and listener.port}: {error.strerror}"
            return warn("listeners.people.port", what, "Stop what listens there, and try again.")
        if not is_pressed:
            return fail(
                f"{self._place}.app_id",
                f"{account.person} got a card, and no click came back in {waits_s:.0f} seconds",
                "If it was pressed: write the bot's address, as it stands above, as the messaging "
                "endpoint of the Azure Bot.",
            )
        did = "got a card, pressed it" if waits else "got a card"
        return ok(
            f"{self._place}.app_id", f"{account.person} {did}, and it was changed and taken away"
        )

    async def _is_pressed(self, waits_s: float) -> bool:
        try:
            async with asyncio.timeout(waits_s):
                return await self._pressed.wait()
        except TimeoutError:
            return False

    async def _taken_away(self, chat: Conversation, activity: str) -> None:
        token = await self._credentials.token(CONNECTOR_SCOPE)
        conversation = quote(chat.conversation, safe="")
        path = f"v3/conversations/{conversation}/activities/{quote(activity, safe='')}"
        base = chat.service_url if chat.service_url.endswith("/") else f"{chat.service_url}/"
        await self._wire.call("DELETE", f"{base}{path}", token=token)

    @asynccontextmanager
    async def _listening(self, listener: Listener, account: Account) -> AsyncIterator[None]:
        async def handle(inbound: Inbound) -> Mapping[str, Any]:
            is_ours = isinstance(inbound, Invoke | Submitted) and inbound.verb == VERB
            if not is_ours or inbound.who.user != account.user:
                return {"statusCode": 200, "type": _WORDS, "value": _BUSY}
            self._pressed.set()
            return {
                "statusCode": 200,
                "type": _CARD,
                "value": _shown(_ARRIVED, presses=False).card,
            }

        door = Door(self._transport, self._admission, handle)
        app = web.Application()
        app.add_routes([web.post(f"{self._public_path}/messages", door.receive)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(
                runner, listener.host, listener.port, ssl_context=listener.tls
            ).start()
            yield
        finally:
            await door.close()
            await runner.cleanup()


_LOOK: Final = "Look whether the account is active, and may use the app."


def _shown(words: Ours, *, presses: bool) -> Message:
    more = "The doctor looks whether cards arrive and can be pressed."
    data: Element = {"verb": VERB}
    press: Element = {
        "type": "Action.Execute",
        "title": "Press me",
        "verb": VERB,
        "data": data,
        "fallback": {"type": "Action.Submit", "title": "Press me", "data": data},
    }
    body = [ours(words), *([ours(more)] if presses else [])]
    return Message(words, card(body, [press] if presses else [], instead=words))
