"""The slash command: answered to whoever typed it, and to nobody else in the channel."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import limits, words
from adapters.slack.blocks import Element, plain, section
from adapters.slack.card import name
from adapters.slack.home import agent_rows, more, row
from adapters.slack.inbound import Typed, parse_typed
from adapters.slack.listeners.answering import (
    ANSWERED_WITHIN_S,
    fill_with,
    open_early,
    told_stranger,
)
from adapters.slack.listeners.office import Office
from adapters.slack.listeners.views import target_of
from adapters.slack.modals import (
    channels_modal,
    help_blocks,
    link_modal,
    resume_modal,
    stop_modal,
    told_blocks,
    told_modal,
)
from adapters.slack.pressable import COMMAND
from bot.core import chat_words
from bot.core import command as commands
from bot.core.actors import Role
from bot.core.errors import KeyturnError, NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.identified import Identified, Known, Refused
from bot.core.ids import AgentId
from bot.core.told import NOT_RECORDED, told_why
from bot.core.words import stopped

_REASON: Final = "Stopped with the command in Slack."
_LISTED: Final = 10


def register(app: AsyncApp, office: Office) -> None:
    @app.command(COMMAND)
    async def _typed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        counter = Counter(office=office, body=body, client=client, ack=ack)
        try:
            typed = parse_typed(body)
        except KeyturnError as error:
            await counter.say(told_blocks(told_why(error).message))
            return
        await counter.serve(typed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Serves one command."""

    office: Office
    body: Mapping[str, Any]
    client: AsyncWebClient
    ack: AsyncAck

    async def serve(self, typed: Typed) -> None:
        command = commands.parse(typed.text, prefix=COMMAND)
        match command:
            case commands.Help(problem=problem):
                await self.say(help_blocks(problem))
            case commands.Stop(name="", is_everything=False) | commands.Resume():
                await self._open(typed, command)
            case commands.Channels() | commands.Link():
                await self._open(typed, command)
            case commands.Pending() | commands.Agents() | commands.WhoAmI() | commands.Stop():
                await self._answer(typed, command)
            case _:
                assert_never(command)

    async def say(self, blocks: list[Element]) -> None:
        await self.ack(text=words.ANSWERED, blocks=blocks, response_type="ephemeral")

    async def _answer(self, typed: Typed, command: commands.Command) -> None:
        """Say what *command* asks; a commit that takes long is never given up on.

        What comes too late for Slack is told in the person's own conversation.
        """
        work = asyncio.ensure_future(self._blocks(command))
        done, _ = await asyncio.wait({work}, timeout=ANSWERED_WITHIN_S)
        if done:
            await self.say(await work)
            return
        await self.say(told_blocks(chat_words.SLOW))
        try:
            blocks = await work
        except Exception:
            await self._send(typed, told_blocks(chat_words.WENT_WRONG))
            raise
        await self._send(typed, blocks)

    async def _send(self, typed: Typed, blocks: list[Element]) -> None:
        await self.client.chat_postMessage(channel=typed.user, text=words.ANSWERED, blocks=blocks)

    async def _blocks(self, command: commands.Command) -> list[Element]:
        try:
            who = await self.office.clicker(self.body)
            if not isinstance(who, Known):
                return told_blocks(told_stranger(who).message)
            return await self._said(who, command)
        except KeyturnError as error:
            return told_blocks(told_why(error).message)
        except Exception:
            await self.say(told_blocks(chat_words.WENT_WRONG))
            raise

    async def _said(self, known: Known, command: commands.Command) -> list[Element]:
        match command:
            case commands.Stop(name=named):
                return await self._stop(known, named)
            case commands.Pending():
                return await self._pending(known)
            case commands.Agents():
                return await self._agents(known)
            case _:
                return _who_am_i(known)

    async def _pending(self, known: Known) -> list[Element]:
        inbox = await self.office.desk.inbox(known.person.id, max_chars=limits.CARD_CHARS)
        if not inbox.waiting:
            return [section(plain(chat_words.NOTHING_WAITS))]
        shown = inbox.waiting[:_LISTED]
        rows = [block for card in shown for block in row(card, now=None)]
        return [*rows, *more(inbox.waiting_total - len(shown), self.office.web_url)]

    async def _agents(self, known: Known) -> list[Element]:
        agents = await self.office.desk.agents(known.person.id)
        if not agents:
            return [section(plain(chat_words.NO_AGENTS))]
        rows = [block for entry in agents[:_LISTED] for block in agent_rows(entry)]
        return [*rows, *more(len(agents) - _LISTED, self.office.web_url)]

    async def _stop(self, known: Known, named: str) -> list[Element]:
        target = HaltTarget(scope=HaltScope.ALL)
        names: dict[AgentId, str] = {}
        if named:
            agents = await self.office.desk.agents(known.person.id)
            names = {entry.id: entry.name for entry in agents}
            found = [entry.id for entry in agents if named in {entry.name, entry.id}]
            if len(found) != 1:
                raise NotFound("There is no such agent, or it is not yours to stop.")
            target = await target_of(self.office, known, found[0])
        await self.office.desk.halt(
            known.person.id, target, reason=_REASON, chat=self.office.chat_name
        )
        await self.office.cards.home(known.person, known.identity)
        return told_blocks(f"{stopped(target, names, known.person.id)}. {words.HOW_TO_RESUME}")

    async def _open(self, typed: Typed, command: commands.Command) -> None:
        """Open the modal of *command* before anything is asked: Slack waits three seconds."""
        view_id = await open_early(self.client, typed.trigger, "Keyturn")
        if view_id is None:
            await self.say(told_blocks(words.CLICK_AGAIN))
            return
        await self.ack()

        async def make() -> Element:
            who = await self.office.clicker(self.body)
            if isinstance(command, commands.Link):
                return await self._link(who, command)
            if not isinstance(who, Known):
                told = told_stranger(who)
                return told_modal(told.title, told.message)
            return await self._view(who, typed, command)

        await fill_with(self.client, view_id, make)

    async def _link(self, who: Identified, command: commands.Link) -> Element:
        if isinstance(who, Refused):
            return told_modal(NOT_RECORDED, who.message)
        if isinstance(who, Known):
            return told_modal("Linked", chat_words.linked_already(who.person.display_name))
        person = await self.office.desk.whose_code(command.code, by=who.identity)
        return link_modal(person.display_name, command.code)

    async def _view(self, known: Known, typed: Typed, command: commands.Command) -> Element:
        desk, person = self.office.desk, known.person.id
        if isinstance(command, commands.Channels):
            await desk.notice_routes(person)
            return channels_modal(chosen=typed.channel, name_of_it=typed.channel_name)
        agents = await desk.agents(person)
        if isinstance(command, commands.Resume):
            inbox = await desk.inbox(person, max_chars=limits.CARD_CHARS, limit=1)
            return resume_modal(inbox.halts, agents, reader=person)
        return stop_modal(agents, may_stop_all=Role.ADMIN in known.person.roles)


def _who_am_i(known: Known) -> list[Element]:
    person = known.person
    roles = ", ".join(sorted(person.roles)) or "none"
    return [
        *told_blocks(f"You are {name(person.display_name)} ({person.handle}) in Keyturn."),
        *told_blocks(f"Roles: {roles}. {chat_words.HOW_TO_UNLINK}"),
    ]
