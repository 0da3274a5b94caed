"""Buttons that are about no card: stops, the account, the channels that get notices."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.teams import limits, words
from adapters.teams.asking import ask_channel, ask_link, ask_resume, ask_stop, ask_stop_all
from adapters.teams.clicked import Clicked, why_not
from adapters.teams.inbound import Channel, channel_at
from adapters.teams.office import Office
from adapters.teams.pressable import Key, Verb
from adapters.teams.replies import Reply, Shown, Words
from adapters.teams.told_card import render_told
from bot.core.about import parse_agent, parse_halt
from bot.core.chat_words import RESUMED, ROUTE_ENDED, ROUTE_SET, linked, linked_already
from bot.core.errors import InvalidInput, NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.identified import Identified, Known, Refused
from bot.core.ids import AgentId
from bot.core.link_code import LinkCodeText, read_link_code
from bot.core.notice import Topic
from bot.core.told import NOT_RECORDED, RECORDED, Told
from bot.core.words import stopped
from bot.ports.desk import AgentEntry

_REASON: Final = "Stopped in Teams."

Handle: TypeAlias = Callable[[Clicked, Known], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Errands:
    office: Office

    def handles(self) -> Mapping[str, Handle]:
        return {
            Verb.STOP_AGENT: self.stop_agent,
            Verb.STOP: self.stop_all,
            Verb.RESUME: self.resume,
            Verb.CHANNELS: self.channels,
            Verb.END_ROUTE: self.end_route,
        }

    async def stop_agent(self, clicked: Clicked, known: Known) -> Reply:
        try:
            agent = parse_agent(clicked.data.get(Key.AGENT))
        except InvalidInput:
            return Words(words.OUTDATED)
        entry = await self._entry(known, agent)
        target = widest(entry)
        if not clicked.is_confirmed:
            is_for_reader = target.scope is HaltScope.AGENT_FOR_PRINCIPAL
            return Shown(ask_stop(entry.id, entry.name, is_for_reader=is_for_reader))
        return await self.halt(known, target, clicked.note, names={entry.id: entry.name})

    async def stop_all(self, clicked: Clicked, known: Known) -> Reply:
        if not clicked.is_confirmed:
            return Shown(ask_stop_all())
        return await self.halt(known, HaltTarget(scope=HaltScope.ALL), clicked.note)

    async def halt(
        self,
        known: Known,
        target: HaltTarget,
        note: str,
        *,
        names: Mapping[AgentId, str] | None = None,
    ) -> Reply:
        """Stop *target*, and say how that is ended."""
        await self.office.desk.halt(
            known.person.id, target, reason=note or _REASON, chat=self.office.chat_name
        )
        what = stopped(target, names or {}, known.person.id)
        return _told(f"{what}. {words.HOW_TO_RESUME}")

    async def resume(self, clicked: Clicked, known: Known) -> Reply:
        try:
            wanted = parse_halt(clicked.data.get(Key.HALT))
        except InvalidInput:
            return Words(words.OUTDATED)
        desk, person = self.office.desk, known.person.id
        if clicked.is_confirmed:
            if not clicked.note:
                raise InvalidInput(
                    "Say why it is safe to go on.", remedy="Write resume, and press it again."
                )
            await desk.resume(person, wanted, reason=clicked.note, chat=self.office.chat_name)
            return _told(RESUMED)
        inbox = await desk.inbox(person, max_chars=limits.CARD_CHARS, limit=1)
        names = {entry.id: entry.name for entry in await desk.agents(person)}
        for halt in inbox.halts:
            if halt.id == wanted and halt.is_active:
                return Shown(ask_resume(halt, stopped(halt.target, names, person)))
        raise NotFound("There is no such stop, or it was ended before.")

    async def link(self, clicked: Clicked, who: Identified) -> Reply:
        """Join the account to the person of the code, once they were asked whether it is them."""
        code = read_link_code(clicked.data.get(Key.CODE, ""))
        if isinstance(who, Refused) or code is None:
            return Words(why_not(who) if isinstance(who, Refused) else words.OUTDATED)
        if isinstance(who, Known):
            # A confirmation that is delivered twice ends as it did the first time.
            return _told(linked_already(who.person.display_name), title="Linked")
        person = await self.office.desk.link(code, who.identity)
        return _told(linked(person.display_name), title="Linked")

    async def ask_to_link(self, who: Identified, code: LinkCodeText) -> Reply:
        """Ask whoever typed *code* whether they are the person it is for."""
        if isinstance(who, Refused):
            return Words(who.message)
        if isinstance(who, Known):
            return _told(linked_already(who.person.display_name), title="Linked")
        person = await self.office.desk.whose_code(code, by=who.identity)
        return Shown(ask_link(person.display_name, code))

    async def channels(self, clicked: Clicked, known: Known) -> Reply:
        channel = channel_at(clicked.data.get(Key.PLACE, ""))
        if channel is None or channel.tenant != clicked.who.tenant:
            return Words(words.OUTDATED)
        called = clicked.data.get(Key.PLACE_NAME, "").strip()
        try:
            await self.office.desk.set_notice_route(
                known.person.id,
                chat=self.office.chat_name,
                place=channel.place,
                place_name=called[: limits.NAME] or words.A_CHANNEL,
                topics=_topics(clicked.data.get(Key.TOPICS, "")),
                agents=_lines(clicked.data.get(Key.AGENTS, "")),
                verbs=_lines(clicked.data.get(Key.VERBS, "")),
            )
        except InvalidInput as error:
            return Shown(ask_channel(channel, told=Told(NOT_RECORDED, error.message)))
        return _told(ROUTE_SET)

    async def ask_about(self, known: Known, channel: Channel) -> Reply:
        """Ask an admin what *channel* is told.

        Raises:
            NotPermitted: they are none.
        """
        await self.office.desk.notice_routes(known.person.id)
        return Shown(ask_channel(channel))

    async def end_route(self, clicked: Clicked, known: Known) -> Reply:
        route = clicked.data.get(Key.ROUTE, "")
        await self.office.desk.end_notice_route(known.person.id, route)
        return _told(ROUTE_ENDED)

    async def _entry(self, known: Known, agent: AgentId) -> AgentEntry:
        for entry in await self.office.desk.agents(known.person.id):
            if entry.id == agent:
                return entry
        raise NotFound(NOT_YOURS)


NOT_YOURS: Final = "There is no such agent, or it is not yours to stop."


def widest(entry: AgentEntry) -> HaltTarget:
    """Return the widest stop of the agent alone that is the person's to set.

    Raises:
        NotFound: it is not theirs to stop.
    """
    if entry.may_stop is None:
        raise NotFound(NOT_YOURS)
    if entry.may_stop.scope is HaltScope.ALL:
        return HaltTarget(scope=HaltScope.AGENT, agent=entry.id)
    return entry.may_stop


def _told(message: str, *, title: str = RECORDED) -> Reply:
    return Shown(render_told(Told(title, message)))


def _topics(text: str) -> list[Topic]:
    known = set(Topic)
    return [Topic(topic) for topic in text.split(",") if topic in known]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
