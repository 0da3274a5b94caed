"""Modals that were sent: recorded before Slack is answered, and the answer says what came of it."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import words
from adapters.slack.inbound import Submitted, parse_submitted
from adapters.slack.limits import CARD_CHARS
from adapters.slack.listeners.answering import acknowledged_in_time, time_left, told_stranger
from adapters.slack.listeners.office import Office
from adapters.slack.modals import told_modal
from adapters.slack.pressable import Asked, Callback
from bot.core import chat_words
from bot.core.about import parse_about
from bot.core.card import Button
from bot.core.errors import InvalidInput, KeyturnError, NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.identified import Known
from bot.core.ids import AgentId, HaltId
from bot.core.notice import Topic
from bot.core.told import NOT_RECORDED, NOT_RECORDED_YET, RECORDED, Told, told_of, told_why
from bot.ports.desk import Click

_NO_REASON = "Stopped in Slack."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One modal that a known person sent, in a payload with ``body``."""

    known: Known
    body: Mapping[str, Any]
    given: Submitted
    began_at: float

    @property
    def note(self) -> str:
        return self.given.answers.get(Asked.NOTE, "").strip()


class WrongAnswer(Exception):
    """What was filled in cannot be taken; the modal stays open and says so at ``block``."""

    def __init__(self, block: Asked, message: str) -> None:
        super().__init__(message)
        self.block = block
        self.message = message


Record: TypeAlias = Callable[[Sent], Awaitable[Told]]


def register(app: AsyncApp, office: Office) -> None:
    """Listen for every modal of ours, and last for those that are not."""
    forms = Forms(office)
    for callback, record in forms.records().items():
        app.view(callback.value)(_sent(office, record))
    app.view(re.compile(".*"))(_sent(office, forms.outdated))


@dataclass(frozen=True, slots=True)
class Forms:
    office: Office

    def records(self) -> dict[Callback, Record]:
        return {
            Callback.REJECT: self.reject,
            Callback.SETTLE_DONE: self.settle_done,
            Callback.SETTLE_NOT_DONE: self.settle_not_done,
            Callback.UNDO: self.undo,
            Callback.STOP_THIS: self.stop_this,
            Callback.STOP: self.stop,
            Callback.RESUME: self.resume,
            Callback.CHANNELS: self.channels,
        }

    async def reject(self, sent: Sent) -> Told:
        return await self._press(sent, Button.REJECT)

    async def settle_done(self, sent: Sent) -> Told:
        return await self._settle(sent, Button.SETTLE_DONE)

    async def settle_not_done(self, sent: Sent) -> Told:
        return await self._settle(sent, Button.SETTLE_NOT_DONE)

    async def undo(self, sent: Sent) -> Told:
        return await self._press(sent, Button.UNDO)

    async def stop_this(self, sent: Sent) -> Told:
        """Stop what was chosen, from a card.

        For whom the agent acts is not the chat's to know: the desk finds it in the proposal.
        """
        scope = sent.given.answers.get(Asked.WHAT, "")
        if scope == HaltScope.AGENT_FOR_PRINCIPAL:
            return await self._press(sent, Button.STOP_AGENT)
        if scope == HaltScope.ALL:
            return await self._halt(sent, HaltTarget(scope=HaltScope.ALL))
        about = parse_about(sent.given.metadata)
        person = sent.known.person.id
        card = await self.office.desk.card(person, about.proposal, max_chars=CARD_CHARS)
        return await self._halt(sent, HaltTarget(scope=HaltScope.AGENT, agent=card.agent))

    async def stop(self, sent: Sent) -> Told:
        chosen = sent.given.answers.get(Asked.WHAT, "")
        if chosen == HaltScope.ALL:
            return await self._halt(sent, HaltTarget(scope=HaltScope.ALL))
        return await self._halt(sent, await target_of(self.office, sent.known, AgentId(chosen)))

    async def resume(self, sent: Sent) -> Told:
        halt = HaltId(sent.given.answers.get(Asked.WHAT, ""))
        if not sent.note:
            raise WrongAnswer(Asked.NOTE, "Say why it is safe to go on.")
        await self.office.desk.resume(
            sent.known.person.id, halt, reason=sent.note, chat=self.office.chat_name
        )
        return Told(RECORDED, chat_words.RESUMED)

    async def channels(self, sent: Sent) -> Told:
        channel = sent.given.answers.get(Asked.CHANNEL, "")
        if not channel:
            raise WrongAnswer(Asked.CHANNEL, "Choose a channel.")
        known, _, name = sent.given.metadata.partition(" ")
        topics = [Topic(topic) for topic in sent.given.chosen.get(Asked.TOPICS, ())]
        if not topics:
            raise WrongAnswer(Asked.TOPICS, "Choose at least one.")
        try:
            await self.office.desk.set_notice_route(
                sent.known.person.id,
                chat=self.office.chat_name,
                place=await self.office.place_of(sent.body, channel),
                place_name=f"#{name}" if known == channel and name else channel,
                topics=topics,
                agents=_lines(sent.given.answers.get(Asked.AGENTS, "")),
                verbs=_lines(sent.given.answers.get(Asked.VERBS, "")),
            )
        except InvalidInput as error:
            raise WrongAnswer(Asked.AGENTS, error.message) from error
        return Told(RECORDED, chat_words.ROUTE_SET)

    async def outdated(self, sent: Sent) -> Told:  # noqa: ARG002 - whatever it was
        return Told(NOT_RECORDED, words.OUTDATED)

    async def _settle(self, sent: Sent, button: Button) -> Told:
        if not sent.note:
            raise WrongAnswer(Asked.NOTE, "Say how you found out.")
        return await self._press(sent, button)

    async def _press(self, sent: Sent, button: Button) -> Told:
        about = parse_about(sent.given.metadata)
        outcome = await self.office.desk.press(
            Click(
                person=sent.known.person.id,
                chat=self.office.chat_name,
                proposal=about.proposal,
                digest_prefix=about.digest_prefix,
                button=button,
                note=sent.note,
            ),
            within_s=time_left(sent.began_at),
        )
        return told_of(outcome)

    async def _halt(self, sent: Sent, target: HaltTarget) -> Told:
        await self.office.desk.halt(
            sent.known.person.id,
            target,
            reason=sent.note or _NO_REASON,
            chat=self.office.chat_name,
        )
        return Told(RECORDED, chat_words.STOPPED)


async def target_of(office: Office, known: Known, agent: AgentId) -> HaltTarget:
    """Return the widest stop of *agent* that is the person's to set.

    Raises:
        NotFound: there is no such agent, or it is not theirs to stop.
    """
    for entry in await office.desk.agents(known.person.id):
        if entry.id == agent and entry.may_stop is not None:
            if entry.may_stop.scope is HaltScope.ALL:
                return HaltTarget(scope=HaltScope.AGENT, agent=agent)
            return entry.may_stop
    raise NotFound("There is no such agent, or it is not yours to stop.")


def _sent(office: Office, record: Record) -> Callable[..., Awaitable[None]]:
    async def listener(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        began_at = asyncio.get_running_loop().time()
        answer = _Answer(ack=ack, client=client, view=str((body.get("view") or {}).get("id")))
        try:
            async with acknowledged_in_time(answer.not_yet):
                given = parse_submitted(body)
                who = await office.clicker(body)
                if not isinstance(who, Known):
                    await answer.tell(told_stranger(who))
                    return
                sent = Sent(known=who, body=body, given=given, began_at=began_at)
                told = await record(sent)
            await answer.tell(told)
        except WrongAnswer as wrong:
            await answer.correct(wrong)
            return
        except KeyturnError as error:
            await answer.tell(told_why(error))
            return
        except Exception:
            await answer.tell(Told(NOT_RECORDED_YET, chat_words.WENT_WRONG))
            raise
        await office.cards.home(who.person, who.identity)

    return listener


@dataclass(slots=True, kw_only=True)
class _Answer:
    """Slack takes one answer to a modal that was sent; what is known later is put into it."""

    ack: AsyncAck
    client: AsyncWebClient
    view: str
    is_given: bool = False

    async def not_yet(self) -> None:
        await self.tell(Told(NOT_RECORDED_YET, words.GOES_ON))

    async def tell(self, told: Told) -> None:
        view = told_modal(told.title, told.message)
        if self.is_given:
            await self.client.views_update(view_id=self.view, view=view)
            return
        self.is_given = True
        await self.ack(response_action="update", view=view)

    async def correct(self, wrong: WrongAnswer) -> None:
        if self.is_given:
            await self.tell(Told(NOT_RECORDED, wrong.message))
            return
        self.is_given = True
        await self.ack(response_action="errors", errors={wrong.block.value: wrong.message})


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
