"""The whole examination, in order."""

import time
from collections.abc import AsyncIterator, Callable

from adapters.slack.client import Wire
from adapters.slack.config import ChatSection, Mode
from adapters.slack.doctor.app import INSTALL, about_groups, about_token
from adapters.slack.doctor.asking import ask
from adapters.slack.doctor.canary import about_card
from adapters.slack.doctor.patient import Around, Credentials, Patient
from adapters.slack.doctor.transport import about_requests, about_socket
from adapters.slack.doctor.writers import about_writers
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear
from bot.core.look import Look, fail, ok


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
        self._patient = Patient(
            place=f"chats.{name}", section=section, credentials=credentials, around=around
        )
        self._now = now
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
        patient, wire = self._patient, self._wire
        is_socket = patient.section.mode is Mode.SOCKET
        if not is_socket:
            for look in about_requests(patient):
                yield look
        if patient.section.installs:
            yield ok(patient.at("client_id"), "workspaces install the app by themselves")
            return
        answer = None
        try:
            answer = await ask(wire, patient.credentials.bot_token, "auth.test")
        except SlackRefused as error:
            what = f"Slack does not accept it ({error.code})"
            yield fail(patient.at("bot_token"), what, INSTALL)
        except (SlackBusy, SlackUnclear):
            yield fail(
                patient.at("api_url"),
                f"nothing at {patient.section.api_url} answers as Slack does",
                "Let this machine reach it over https, or correct the address.",
            )
            return
        if answer is not None:
            for look in about_token(patient, answer, now=self._now()):
                yield look
            async for look in about_groups(patient, wire, answer):
                yield look
        if is_socket:
            yield await about_socket(patient, wire, answer)
        async for look in about_writers(patient, wire):
            yield look
        if canary is not None and answer is not None:
            yield await about_card(patient, wire, canary, waits_s=waits_s)
