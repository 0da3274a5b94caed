"""The connector itself: one verb, which sends one mail."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.smtp.client import Client, Envelope
from adapters.smtp.limits import INLINE_BYTES, MARGIN_S
from adapters.smtp.message import build, message_id
from adapters.smtp.outcome import outcome_of
from adapters.smtp.params import Mail, MailReader
from adapters.smtp.words import audience_of, preview_of
from bot.core.errors import InvalidInput, KeyturnError, TooLarge, UnknownVerb
from bot.core.proposal import Action
from bot.core.verbs import Facts, Preview, Verb
from bot.ports.clock import Clock
from bot.ports.connector import Executed, Failed, LookedUp, Unknown


class SmtpConnector:
    """Sends mail. Built by `adapters.smtp.create`."""

    def __init__(
        self,
        *,
        verb: Verb,
        reader: MailReader,
        client: Client,
        own_domains: Sequence[str],
        from_name: str | None,
        timeout_s: float,
        max_message_bytes: int,
        clock: Clock,
    ) -> None:
        self._verbs = {verb.name: verb}
        self._name = verb.connector
        self._reader = reader
        self._client = client
        self._own_domains = own_domains
        self._from_name = from_name
        self._timeout_s = timeout_s
        self._max_message_bytes = max_message_bytes
        self._clock = clock

    def __repr__(self) -> str:
        return f"SmtpConnector({self._name!r}, verbs={sorted(self._verbs)!r})"

    @property
    def name(self) -> str:
        return self._name

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self._verbs

    async def inspect(self, action: Action) -> Facts:
        mail = self._mail(action)
        await self._message(mail, key="")  # what cannot be written is refused at once
        return Facts(audience=audience_of(mail.recipients, self._own_domains))

    def preview(self, action: Action, facts: Facts) -> Preview:  # noqa: ARG002  nothing is there before
        return preview_of(action, self._own_domains)

    def undo(self, action: Action, *, reference: str | None) -> Action | None:  # noqa: ARG002 - mail cannot be called back
        return None

    async def execute(
        self,
        action: Action,
        *,
        key: str,
        etag: str | None,  # noqa: ARG002  a mail that is not sent yet cannot have changed
        deadline: datetime,
    ) -> Executed:
        try:
            mail = self._mail(action)
            data = await self._message(mail, key=key)
        except KeyturnError as error:
            return Failed(reason=error.code, detail=f"{error.message}. Nothing was sent.")
        within_s = (deadline - self._clock.now()).total_seconds() - MARGIN_S
        if within_s <= 0:
            return Failed(reason="timeout", detail="There was no time left. Nothing was sent.")
        envelope = Envelope(
            sender=str(mail.sender), recipients=[str(one) for one in mail.recipients], data=data
        )
        exchange = await self._client.send(envelope, within_s=min(within_s, self._timeout_s))
        return outcome_of(exchange, message_id=message_id(mail, key=key))

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        try:
            mail = self._mail(action)
        except KeyturnError as error:
            return Unknown(detail=f"{error.message}.")
        return Unknown(
            detail="A mail server cannot be asked what it sent. "
            f"Look for the Message-ID {message_id(mail, key=key)}."
        )

    async def close(self) -> None:
        await self._client.close()

    def _mail(self, action: Action) -> Mail:
        if action.verb not in self._verbs:
            raise UnknownVerb(f"the connector {self._name} has no such verb")
        return self._reader.read(action)

    async def _message(self, mail: Mail, *, key: str) -> bytes:
        """Return the bytes that are sent.

        Raises:
            InvalidInput: it cannot be written as mail, or is too large.
        """
        if mail.size_bytes <= INLINE_BYTES:
            return self._write(mail, key)
        return await asyncio.to_thread(self._write, mail, key)

    def _write(self, mail: Mail, key: str) -> bytes:
        try:
            data = build(mail, key=key, date=self._clock.now(), from_name=self._from_name)
        except (ValueError, LookupError) as error:  # the standard library's, about odd content
            raise InvalidInput("this cannot be written as a mail") from error
        if len(data) > self._max_message_bytes:
            raise TooLarge(
                f"the message has {len(data):,} bytes, and {self._max_message_bytes:,} may be sent"
            )
        return data
