"""Sits down at Teams as a person does: with an account, a screen and a hand."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum, unique
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession, CookieJar, web

from adapters.teams import words
from adapters.teams.chat import TeamsChat
from adapters.teams.keeper import Pace
from adapters.teams.load import create
from adapters.teams.pressable import DO, Verb
from adapters.teams.testing import (
    Account,
    Activity,
    Delivery,
    FakeTeams,
    Hand,
    actions_of,
    open_fake_teams,
    texts_of,
)
from adapters.teams.text import as_shown
from adapters.web import WebInbox
from bot.core.card import Button
from bot.core.errors import Conflict
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId, ProposalId
from bot.core.untrusted import MAX_LINE_BREAKS
from bot.ports.desk import Desk
from bot.testing.chat import Seen
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from bot.testing.proposals import a_person
from store.memory.shelf import MemoryShelf
from tests.web.seat import WebSeat, fields
from tests.web.serving import Chance

NOW = datetime(2030, 3, 14, 13, 8, tzinfo=UTC)
PACE = Pace(first_pause_s=0.05, longest_pause_s=0.2)

_BREAKS = re.compile(r"⟨(?:(\d+) )?line breaks?⟩")
_ABOUT = re.compile(r"v1\.(prp_[0-9a-z]{26})\.")
_BUTTONS = {
    Verb.APPROVE: Button.APPROVE,
    Verb.REJECT: Button.REJECT,
    Verb.NOT_MINE: Button.NOT_MINE,
    Verb.FULL_VIEW: Button.FULL_VIEW,
    Verb.UNDO: Button.UNDO,
    Verb.SETTLE_DONE: Button.SETTLE_DONE,
    Verb.SETTLE_NOT_DONE: Button.SETTLE_NOT_DONE,
    Verb.STOP_AGENT: Button.STOP_AGENT,
}
VERBS = {button: verb for verb, button in _BUTTONS.items()}
#: What is asked about in a card of its own before it counts.
ASKS_FIRST = frozenset({Button.UNDO, Button.STOP_AGENT, Button.NOT_MINE})
_SOON_S = 0.3
#: With this the one input of a question begins that takes words.
NOTE = "note"


@unique
class Client(StrEnum):
    """What the person's Teams can do with a button."""

    EXECUTE = "execute"  #: waits for the answer, and shows it in place of the card
    SUBMIT = "submit"  #: an old one: sends a message, and shows what comes as one


class DeskIdentities:
    """Implements :class:`bot.ports.identities.Identities` over what a memory desk has linked."""

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk
        #: Called for a person without an account, who then may have one.
        self.enroll: Callable[[PersonId], object] = lambda _: None

    async def person(self, identity: ChatIdentity) -> PersonId | None:
        return self._desk.links.get(identity)

    async def of(self, person: PersonId, chat: str) -> Sequence[ChatIdentity]:
        if person not in self._desk.links.values():
            self.enroll(person)
        theirs = [one for one, owner in self._desk.links.items() if owner == person]
        return [one for one in reversed(theirs) if one.chat == chat]

    async def email(self, person: PersonId) -> str | None:
        raise AssertionError(f"Teams links nobody by an address: {person}")

    async def person_with_email(self, email: str) -> PersonId | None:
        raise AssertionError(f"Teams links nobody by an address: {email}")

    async def link_by_email(self, person: PersonId, identity: ChatIdentity) -> None:
        raise Conflict(f"Teams links nobody by an address: {person} {identity.key}")


def abouts_of(card: Any) -> set[ProposalId]:
    """Return which proposals the buttons of *card* carry."""
    found = (_ABOUT.match(str(a.get("data", {}).get("about"))) for a in actions_of(card))
    return {ProposalId(one[1]) for one in found if one is not None}


def proposal_of(message: Activity) -> ProposalId | None:
    """Return which proposal the card in *message* is of; None where it is another message."""
    if message.content.get("summary") == words.ANSWERED:
        return None
    found = abouts_of(message.card)
    return found.pop() if len(found) == 1 else None


def screen_of(message: Activity, user: str = "") -> Seen:
    """Return what the account *user* sees of the card in *message* (everybody if "")."""
    proposal = proposal_of(message)
    assert proposal is not None
    card = message.card_for(user)
    verbs = {a.get("verb") for a in actions_of(card) if a["type"] == "Action.Execute"}
    return Seen(
        proposal=proposal,
        text=read("\n".join(texts_of(card))),
        buttons=frozenset(button for verb, button in _BUTTONS.items() if verb in verbs),
        structure=tuple(structure_of(card)),
    )


def read(text: str) -> str:
    """Return *text* of a screen as `show` spells it: line breaks at an edge are spelled out."""

    def broken(code: re.Match[str]) -> str:
        count = int(code[1] or 1)
        return "\n" * count if count <= MAX_LINE_BREAKS else code[0]

    return _BREAKS.sub(broken, as_shown(text))


def structure_of(value: Any, name: str = "") -> list[str]:
    """Return all elements in order, with how they look, without what is written in them.

    Runs that look alike and stand side by side are one text.
    """
    if isinstance(value, dict):
        looks = sorted(f"{k}={v}" for k, v in value.items() if k in _LOOKS)
        found = [f"{name}:{value.get('type', '')}:{','.join(sorted(value))}:{looks}"]
        for key, member in value.items():
            if key not in {"data", "msteams"}:
                found += structure_of(member, key)
        return found
    if isinstance(value, list):
        lines = [structure_of(member, name) for member in value]
        if name == "inlines":
            lines = [one for one, _ in groupby(lines)]
        return [line for one in lines for line in one]
    return []


_LOOKS = frozenset({"style", "color", "weight", "fontType", "size", "isSubtle", "url", "verb"})


@dataclass(slots=True)
class TeamsSeat:
    hand: Hand
    browser: WebSeat
    client: Client = Client.EXECUTE

    @property
    def teams(self) -> FakeTeams:
        return self.hand.teams

    def card(self, proposal: ProposalId) -> Activity:
        (found,) = [m for m in self._cards() if proposal_of(m) == proposal]
        return found

    def screen(self, message: Activity) -> Seen:
        return screen_of(message, self.hand.account.user)

    async def cards(self) -> Sequence[Seen]:
        return [self.screen(message) for message in self._cards()]

    async def press(self, proposal: ProposalId, button: Button, note: str = "") -> str:
        return await self.press_on(self.card(proposal), button, note)

    async def press_on(self, card: Activity, button: Button, note: str = "") -> str:
        verb = VERBS[button]
        if button not in ASKS_FIRST:
            return (await self.act(card, verb, note=note))[0]
        _, asking = await self.act(card, verb)
        return (await self.act(asking, verb, note=note, match={"step": DO}))[0]

    async def act(
        self,
        card: Activity,
        verb: str,
        *,
        note: str = "",
        match: Mapping[str, str] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> tuple[str, Activity]:
        """Press *verb* on *card*; return what is said for it, and the message that says so."""
        filled = dict(typed or {})
        if note:
            (asked,) = [
                name for name in self.hand.inputs(card, verb, match=match) if name.startswith(NOTE)
            ]
            filled[asked] = note
        if self.client is Client.EXECUTE:
            delivery = await self.hand.press(card, verb, typed=filled, match=match)
            return self.said(delivery), card
        before = {message.id: message.updates for message in self.hand.messages()}
        await self.hand.submit(card, verb, typed=filled, match=match)

        def answered() -> Activity | None:
            for message in reversed(self.hand.messages()):
                if before.get(message.id) != message.updates:
                    return message
            return None

        answer = await self.teams.until(answered)
        return read(self.hand.text(answer)), answer

    def said(self, delivery: Delivery) -> str:
        """Return what the person is told by the answer to a press."""
        if delivery.card is not None:
            return read("\n".join(texts_of(delivery.card)))
        return delivery.said or f"refused: {delivery.status}"

    async def read_to_the_end(self, proposal: ProposalId) -> str:
        card = self.card(proposal)
        _, link = await self.act(card, Verb.FULL_VIEW)
        (opens,) = [
            action["url"]
            for action in actions_of(self.hand.seen(link))
            if action["type"] == "Action.OpenUrl"
        ]
        text = await read_by_link(self.browser, opens)
        try:
            # What was recorded is told to every chat, where a real desk has recorded it.
            await self.teams.until(
                lambda: Button.APPROVE in self.screen(card).buttons, within_s=_SOON_S
            )
        except TimeoutError:
            await self.act(link, Verb.OPEN)
        return text

    async def open_everything(self) -> int:
        """Look at each card as a client does that opens it, and fetch whatever a preview would."""
        opened = 0
        for message in self._cards():
            card = self.hand.seen(message) or {}
            if "refresh" in card:
                await self.hand.refresh(message)
                opened += 1
            for action in list(actions_of(card)):
                if action["type"] == "Action.OpenUrl":
                    await self.browser.get(urlsplit(action["url"]).path)
                    opened += 1
        return opened

    def _cards(self) -> list[Activity]:
        return [message for message in self.hand.messages() if proposal_of(message)]


async def read_by_link(browser: WebSeat, url: str) -> str:
    """Open the full view by *url*, turn its pages, say at the end that it was read."""
    path = urlsplit(url).path
    await browser.send(path, {})
    text, at = "", "/view"
    while True:
        page = await browser.get(at)
        text += page.with_class("whole")[0].text
        following = [a for a in page.all("a") if a.text == "Next page"]
        if not following:
            break
        at = f"/view{following[0].attributes['href']}"
    await browser.send("/view", fields(page.one("form", action="/view")))
    return text


@dataclass(slots=True)
class TeamsStage:
    """Implements :class:`bot.testing.chat.Stage`."""

    teams: FakeTeams
    chat: TeamsChat
    desk: MemoryDesk
    identities: DeskIdentities
    shelf: MemoryShelf
    clock: ManualClock
    url: str
    browser: WebSeat
    client: Client = Client.EXECUTE
    _seats: dict[PersonId, TeamsSeat] = field(default_factory=dict)

    def identity(self, account: Account) -> ChatIdentity:
        return ChatIdentity(chat=self.chat.name, tenant=account.tenant, user=account.user)

    def link(self, person: PersonId, account: Account) -> ChatIdentity:
        """Have *account* be that of *person*."""
        identity = self.identity(account)
        self.desk.links[identity] = person
        return identity

    async def seat(self, person: PersonId) -> TeamsSeat:
        return self.enroll(person)

    def enroll(self, person: PersonId) -> TeamsSeat:
        """Give *person* an account in Teams, linked, unless they have one."""
        if person not in self._seats:
            account = self.teams.add_account(self.desk.people[person].display_name)
            self.link(person, account)
            self._seats[person] = self.sit(account)
        return self._seats[person]

    def sit(self, account: Account) -> TeamsSeat:
        return TeamsSeat(self.teams.hand(account), self.browser, self.client)

    def stranger(self, name: str, **flags: Any) -> TeamsSeat:
        return self.sit(self.teams.add_account(name, **flags))

    async def forgeries(
        self, victim: PersonId, proposal: ProposalId
    ) -> Mapping[str, Callable[[], Awaitable[str]]]:
        theirs = await self.seat(victim)
        card = theirs.card(proposal)
        mallory = a_person("Mallory")
        self.desk.people[mallory.id] = mallory
        other = await self.seat(mallory.id)
        name = self.desk.people[victim].display_name
        group = self.teams.world.add_chat("groupChat", tenant=self.teams.tenant)
        copied = self.teams.world.keep(group, card.content)
        elsewhere = "5e1f0000-0000-4000-8000-00000000e15e"

        def press(seat: TeamsSeat, message: Activity = card) -> Callable[[], Awaitable[str]]:
            self.teams.world.chats[message.chat].members.add(seat.hand.account.user)

            async def forge() -> str:
                return seat.said(await seat.hand.press(message, Verb.APPROVE))

            return forge

        def changed(**changes: Any) -> Callable[[], Awaitable[str]]:
            async def forge() -> str:
                pressing = theirs.hand.pressing(card, Verb.APPROVE) | changes
                return theirs.said(await self.teams.deliveries.deliver(pressing))

            return forge

        async def unsigned(authorization: str) -> str:
            pressing = theirs.hand.pressing(card, Verb.APPROVE)
            told = await self.teams.deliveries.deliver(pressing, authorization=authorization)
            return theirs.said(told)

        issuer, url = self.teams.issuer, self.teams.service_url
        emulator = "https://login.microsoftonline.com/f8cdef31/v2.0"
        return {
            "another person": press(other),
            "another person on a copied card": press(other, copied),
            "somebody of the same name": press(self.stranger(name)),
            "nobody's account": press(self.stranger("Nobody")),
            "a guest": press(self.stranger("Guest", role="guest")),
            "somebody anonymous": press(self.stranger("Who", role="anonymous")),
            "a bot": press(self.stranger("Robot", role="bot")),
            "an account of another organisation": press(self.stranger(name, tenant=elsewhere)),
            "no token": lambda: unsigned(""),
            "a token for another app": lambda: unsigned(issuer.bearer(url, aud=elsewhere)),
            "a token of the emulator": lambda: unsigned(issuer.bearer(url, iss=emulator)),
            "no account": changed(**{"from": {"id": theirs.hand.account.mri, "name": name}}),
            "another channel": changed(channelId="webchat"),
            "another organisation": changed(channelData={"tenant": {"id": elsewhere}}),
        }


@asynccontextmanager
async def people_listener(
    chat: TeamsChat, inbox: WebInbox, desk: Desk, listening: socket.socket
) -> AsyncIterator[None]:
    """Serve the routes of *chat* and of the web inbox to which it leads."""
    app = web.Application()
    app.add_routes([*chat.routes(desk), *inbox.routes(desk)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield
    finally:
        await inbox.close()
        await runner.cleanup()


def secrets_of(teams: FakeTeams) -> Callable[[str], str]:
    return {"env:PASSWORD": teams.issuer.app_password}.__getitem__


def section_of(teams: FakeTeams, **changes: Any) -> dict[str, Any]:
    section: dict[str, Any] = {
        "app_id": teams.issuer.app_id,
        "tenant": teams.tenant,
        "app_password": "env:PASSWORD",
        "service_url": teams.service_url,
        "metadata_url": teams.issuer.metadata_url,
        "login_url": teams.issuer.login_url,
        "graph_url": f"{teams.url}/",
    }
    return {name: value for name, value in (section | changes).items() if value is not None}


@asynccontextmanager
async def speaking(
    teams: FakeTeams, chat: TeamsChat, inbox: WebInbox, desk: Desk, listening: socket.socket
) -> AsyncIterator[None]:
    """Run *chat* towards *desk*; it can be clicked, and its links open, while this lasts."""
    port = listening.getsockname()[1]
    async with people_listener(chat, inbox, desk, listening):
        running = asyncio.create_task(chat.run(desk))
        try:
            teams.deliveries.url = f"http://127.0.0.1:{port}/teams/messages"
            await asyncio.wait({running}, timeout=10)
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await chat.close()


@asynccontextmanager
async def stage_of(
    client: Client = Client.EXECUTE,
    *,
    call_s: float = 5.0,
    prepare: Callable[[FakeTeams], None] = lambda _: None,
    **changes: Any,
) -> AsyncIterator[TeamsStage]:
    clock = ManualClock(NOW)
    desk = MemoryDesk(clock=clock)
    identities = DeskIdentities(desk)
    shelf = MemoryShelf(clock=clock)
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listening.getsockname()[1]}"
    async with (
        open_fake_teams() as teams,
        ClientSession(cookie_jar=CookieJar()) as http,
    ):
        prepare(teams)
        chat = create(
            "teams",
            section_of(teams, **changes),
            shelf=shelf,
            clock=clock,
            identities=identities,
            web_url=url,
            secrets=secrets_of(teams),
            pace=PACE,
            call_s=call_s,
        )
        inbox = web_inbox(url, shelf=shelf, clock=clock)
        desk.linkable = ("teams",)
        async with speaking(teams, chat, inbox, desk, listening):
            yield TeamsStage(
                teams=teams,
                chat=chat,
                desk=desk,
                identities=identities,
                shelf=shelf,
                clock=clock,
                url=url,
                browser=WebSeat(url, http),
                client=client,
            )


def web_inbox(url: str, *, shelf: Any, clock: Any) -> WebInbox:
    return WebInbox(
        shelf=shelf,
        clock=clock,
        entropy=Chance(),
        public_url=url,
        deployment_name="Example Ltd",
        heartbeat_s=0.2,
    )
