"""What people write to Keyturn: exact words, in their own chat, and no decision by any of them."""

from dataclasses import dataclass
from typing import assert_never

from adapters.teams import limits, words
from adapters.teams.clicked import why_not
from adapters.teams.errands import NOT_YOURS, Errands, widest
from adapters.teams.inbound import Typed
from adapters.teams.lists import (
    render_agents,
    render_channels,
    render_halts,
    render_help,
    render_pending,
    render_stoppable,
    render_who,
)
from adapters.teams.office import Office
from adapters.teams.replies import Reply, Shown, Words
from bot.core import command as typed_as
from bot.core.actors import Role
from bot.core.errors import NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.identified import Known


@dataclass(frozen=True, slots=True)
class Counter:
    """Serves one command."""

    office: Office

    async def serve(self, typed: Typed) -> Reply:
        """Return the answer to *typed*, which is for whoever wrote it and nobody else.

        Raises:
            KeyturnError: nothing else than what can be told to them.
        """
        who = await self.office.clicker(typed.who)
        command = typed_as.parse(typed.text)
        errands = Errands(self.office)
        if not typed.who.is_alone:
            if not isinstance(who, Known):
                return Words(why_not(who))
            if isinstance(command, typed_as.Channels) and typed.channel is not None:
                return await errands.ask_about(who, typed.channel)
            return Words(words.TYPE_IT_HERE, title=words.NOT_HERE_TITLE)
        if isinstance(command, typed_as.Link):
            return await errands.ask_to_link(who, command.code)
        if not isinstance(who, Known):
            return Words(why_not(who))
        return await self._answer(who, command)

    async def _answer(self, known: Known, command: typed_as.Command) -> Reply:
        desk, person, url = self.office.desk, known.person.id, self.office.web_url
        is_admin = Role.ADMIN in known.person.roles
        match command:
            case typed_as.Pending():
                inbox = await desk.inbox(person, max_chars=limits.CARD_CHARS)
                return Shown(render_pending(inbox, web_url=url))
            case typed_as.Stop(is_everything=True):
                target = HaltTarget(scope=HaltScope.ALL)
                return await Errands(self.office).halt(known, target, "")
            case typed_as.Stop(name=""):
                agents = await desk.agents(person)
                return Shown(render_stoppable(agents, is_admin=is_admin, web_url=url))
            case typed_as.Stop(name=named):
                return await self._stop(known, named)
            case typed_as.Resume():
                inbox = await desk.inbox(person, max_chars=limits.CARD_CHARS, limit=1)
                agents = await desk.agents(person)
                return Shown(render_halts(inbox.halts, agents, reader=person, web_url=url))
            case typed_as.Agents():
                agents = await desk.agents(person)
                return Shown(render_agents(agents, is_admin=is_admin, web_url=url))
            case typed_as.WhoAmI():
                return Shown(render_who(known.person))
            case typed_as.Channels():
                routes = await desk.notice_routes(person)
                mine = [route for route in routes if route.chat == self.office.chat_name]
                return Shown(render_channels(mine, web_url=url))
            case typed_as.Help(problem=problem):
                return Shown(render_help(problem))
            case typed_as.Link():
                raise AssertionError("this is answered before")
            case _:
                assert_never(command)

    async def _stop(self, known: Known, named: str) -> Reply:
        agents = await self.office.desk.agents(known.person.id)
        found = [entry for entry in agents if named in {entry.name, entry.id}]
        if len(found) != 1:
            raise NotFound(NOT_YOURS)
        names = {entry.id: entry.name for entry in agents}
        return await Errands(self.office).halt(known, widest(found[0]), "", names=names)
