"""Sits down at Slack as a person does: with an account, a screen and a hand."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from adapters.slack.chat import SlackChat
from adapters.slack.keeper import Pace
from adapters.slack.load import create
from adapters.slack.pressable import ActionId
from adapters.slack.testing import (
    Account,
    FakeSlack,
    Hand,
    Message,
    Mode,
    Team,
    elements_of,
    open_fake_slack,
    texts_of,
)
from adapters.slack.transport_socket import SocketTimes
from bot.core.card import Button
from bot.core.errors import Conflict, NotFound
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId, ProposalId
from bot.ports.desk import Desk
from bot.testing.chat import Seen
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from bot.testing.proposals import a_person
from store.memory.shelf import MemoryShelf

NOW = datetime(2030, 3, 14, 13, 8, tzinfo=UTC)
TIMES = SocketTimes(
    ping_s=0.2, silent_s=1.0, check_s=0.1, connect_s=2.0, first_pause_s=0.05, longest_pause_s=0.2
)
PACE = Pace(home_s=0.05, settle_s=0.1, first_pause_s=0.05, longest_pause_s=0.2)

_ID = re.compile("prp_[0-9a-z]{26}")
_BUTTONS = {
    ActionId.APPROVE: Button.APPROVE,
    ActionId.REJECT: Button.REJECT,
    ActionId.FULL_VIEW: Button.FULL_VIEW,
    ActionId.UNDO: Button.UNDO,
    ActionId.SETTLE_DONE: Button.SETTLE_DONE,
    ActionId.SETTLE_NOT_DONE: Button.SETTLE_NOT_DONE,
}
_ACTIONS = {button: action for action, button in _BUTTONS.items()}


class DeskIdentities:
    """Implements :class:`bot.ports.identities.Identities` over what a memory desk has linked."""

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk
        self.emails: dict[PersonId, str] = {}
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
        return self.emails.get(person)

    async def person_with_email(self, email: str) -> PersonId | None:
        found = [p for p, known in self.emails.items() if known.casefold() == email.casefold()]
        return found[0] if len(found) == 1 else None

    async def link_by_email(self, person: PersonId, identity: ChatIdentity) -> None:
        if person not in self._desk.people:
            raise NotFound("There is no such person.")
        if self._desk.links.get(identity, person) != person:
            raise Conflict("The account belongs to somebody else.")
        self._desk.links[identity] = person


def proposal_of(message: Message) -> ProposalId:
    """Return which proposal a card is about, from what nobody sees."""
    found = _ID.search(str(message.metadata))
    assert found is not None
    return ProposalId(found.group())


def screen_of(message: Message) -> Seen:
    buttons = set()
    for _, element in elements_of(message.blocks):
        action = element["action_id"]
        if action in _BUTTONS:
            buttons.add(_BUTTONS[ActionId(action)])
        elif action == ActionId.MORE and any(
            option["value"].startswith("stop:") for option in element["options"]
        ):
            buttons.add(Button.STOP_AGENT)
    return Seen(
        proposal=proposal_of(message),
        text="\n".join(texts_of(message.blocks)),
        buttons=frozenset(buttons),
        structure=tuple(_structure(message.blocks)),
    )


def _structure(value: Any, name: str = "") -> list[str]:
    """Return the names and types of all elements, and of their texts only what interprets them."""
    if isinstance(value, dict):
        found = [f"{name}:{value.get('type', '')}:{','.join(sorted(value))}"]
        for key, member in value.items():
            found += _structure(member, key)
        return found
    if isinstance(value, list):
        return [line for member in value for line in _structure(member, name)]
    return []


@dataclass(slots=True)
class SlackSeat:
    hand: Hand

    @property
    def slack(self) -> FakeSlack:
        return self.hand.slack

    def card(self, proposal: ProposalId) -> Message:
        (found,) = [m for m in self._cards() if proposal_of(m) == proposal]
        return found

    async def cards(self) -> Sequence[Seen]:
        return [screen_of(message) for message in self._cards()]

    async def press(self, proposal: ProposalId, button: Button, note: str = "") -> str:
        card = self.card(proposal)
        if button is Button.APPROVE:
            return await self.told(self.hand.press(card, ActionId.APPROVE))
        await self.open_modal(card, button)
        return await self.told(self.hand.submit({"note": note}))

    async def open_modal(self, card: Message, button: Button) -> dict[str, Any]:
        """Press *button* on *card*, and return the modal that asks for a note."""
        if button is Button.STOP_AGENT:
            await self.hand.press(card, ActionId.MORE, option="stop:")
        else:
            await self.hand.press(card, _ACTIONS[button])
        return await self._modal()

    async def told(self, act: Awaitable[Any]) -> str:
        """Do *act* and return what is said for it: in a whisper, a modal, or an acknowledgement."""
        whispers, modal = len(self.hand.whispers()), self.hand.modal
        messages = len(self.hand.messages())
        delivery = await act

        def said() -> str | None:
            now = self.hand.modal
            if now is not None and now != modal and "submit" not in now and not _is_opening(now):
                return "\n".join(texts_of([now["title"], now["blocks"]]))
            if len(self.hand.whispers()) > whispers:
                last = self.hand.whispers()[-1]
                return "\n".join(texts_of(last.blocks)) or last.text
            if len(self.hand.messages()) > messages:
                last = self.hand.messages()[-1]
                return "\n".join(texts_of(last.blocks)) or last.text
            return None

        if isinstance(getattr(delivery, "said", None), str):
            return str(delivery.said)
        words = await self.slack.until(said)
        if self.hand.modal is not None:
            await self.hand.close_modal()
        return words

    async def read_to_the_end(self, proposal: ProposalId) -> str:
        await self.hand.press(self.card(proposal), ActionId.FULL_VIEW)
        view = await self._modal()
        text = _whole(view)
        while any(e["action_id"] == ActionId.PAGE_ON for _, e in elements_of(view["blocks"])):
            await self.hand.press_in_view(view, ActionId.PAGE_ON)
            view = await self._modal(after=view["hash"])
            text += _whole(view)
        await self.hand.close_modal()
        # The card follows what was recorded, a moment after the last page is there.
        await self.slack.until(lambda: Button.APPROVE in screen_of(self.card(proposal)).buttons)
        return text

    async def open_everything(self) -> int:
        """A preview opens nothing in Slack: the Home tab and a look at each card are all."""
        await self.hand.open_home()
        home = await self.slack.until(lambda: self.hand.home)
        assert home["type"] == "home"
        return 1 + len(self._cards())

    async def _modal(self, *, after: str = "") -> dict[str, Any]:
        """Return the modal on top once it is filled, and another than that of hash *after*."""

        def filled() -> dict[str, Any] | None:
            modal = self.hand.modal
            is_new = modal is not None and modal["hash"] != after and not _is_opening(modal)
            return modal if is_new else None

        return await self.slack.until(filled)

    def _cards(self) -> list[Message]:
        return [message for message in self.hand.messages() if message.metadata]


def _is_opening(modal: Mapping[str, Any]) -> bool:
    return (
        not modal["private_metadata"]
        and "submit" not in modal
        and len(modal["blocks"]) == 1
        and ("moment" in str(modal["blocks"]).lower() or "loading" in str(modal["blocks"]).lower())
    )


def _whole(view: Mapping[str, Any]) -> str:
    """Return what the full view shows of the action, and none of the words around it."""
    return "".join(
        leaf["text"]
        for block in view["blocks"]
        if block["type"] == "rich_text"
        for part in block["elements"]
        if part["type"] == "rich_text_preformatted"
        for leaf in part["elements"]
    )


@dataclass(slots=True)
class SlackStage:
    """Implements :class:`bot.testing.chat.Stage`."""

    slack: FakeSlack
    chat: SlackChat
    desk: MemoryDesk
    identities: DeskIdentities
    shelf: MemoryShelf
    clock: ManualClock
    url: str
    _seats: dict[PersonId, SlackSeat] = field(default_factory=dict)

    def link(self, person: PersonId, account: Account, *, team: Team | None = None) -> ChatIdentity:
        """Have *account* be that of *person*."""
        home = team or self.slack.team
        identity = ChatIdentity(
            chat=self.chat.name,
            tenant=home.enterprise or home.id,
            user=account.global_id or account.id,
        )
        self.desk.links[identity] = person
        return identity

    async def seat(self, person: PersonId) -> SlackSeat:
        return self.enroll(person)

    def enroll(self, person: PersonId) -> SlackSeat:
        """Give *person* an account in Slack, linked, unless they have one."""
        if person not in self._seats:
            account = self.slack.add_account(self.desk.people[person].display_name)
            self.link(person, account)
            self._seats[person] = SlackSeat(self.slack.hand(account))
        return self._seats[person]

    def stranger(self, name: str, *, team: Team | None = None, **flags: Any) -> SlackSeat:
        account = self.slack.add_account(name, team=team, **flags)
        return SlackSeat(self.slack.hand(account, team=self.slack.team))

    async def forgeries(
        self, victim: PersonId, proposal: ProposalId
    ) -> Mapping[str, Callable[[], Awaitable[str]]]:
        card = (await self.seat(victim)).card(proposal)
        other = a_person("Mallory")
        self.desk.people[other.id] = other
        others = await self.seat(other.id)
        slack = self.slack
        abroad = slack.add_team("Elsewhere")
        public = slack.add_channel("general")
        copied = slack.copy(card, public)
        name = self.desk.people[victim].display_name

        def press(seat: SlackSeat, message: Message = card) -> Callable[[], Awaitable[str]]:
            public.members.add(seat.hand.account.id)
            slack.world.channels[card.channel].members.add(seat.hand.account.id)

            async def forge() -> str:
                return await seat.told(seat.hand.press(message, ActionId.APPROVE))

            return forge

        return {
            "another person": press(others),
            "another person on a copied card": press(others, copied),
            "somebody of the same name": press(self.stranger(name)),
            "nobody's account": press(self.stranger("Nobody")),
            "a guest": press(self.stranger("Guest", is_restricted=True)),
            "a guest of one channel": press(self.stranger("Guest", is_ultra_restricted=True)),
            "a bot": press(self.stranger("Robot", is_bot=True)),
            "a deactivated account": press(self.stranger("Gone", deleted=True)),
            "another workspace": press(self.stranger(name, team=abroad)),
            "a stranger": press(self.stranger(name, is_stranger=True)),
        }


@asynccontextmanager
async def people_listener(chat: SlackChat, desk: Desk) -> AsyncIterator[str]:
    """Serve the routes of *chat* and return their address."""
    app = web.Application()
    app.add_routes(chat.routes(desk))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def secrets_of(slack: FakeSlack) -> Callable[[str], str]:
    kept = {
        "env:BOT": slack.bot_token,
        "env:APP": slack.app_token,
        "env:SIGNING": slack.signing_secret,
        "env:CLIENT_ID": slack.client_id,
        "env:CLIENT_SECRET": slack.client_secret,
    }
    return kept.__getitem__


def section_of(slack: FakeSlack, **changes: Any) -> dict[str, Any]:
    section: dict[str, Any] = {
        "mode": slack.mode.value,
        "bot_token": "env:BOT",
        "team": slack.team.enterprise or slack.team.id,
        "api_url": slack.api_url,
    }
    key = "app_token" if slack.mode is Mode.SOCKET else "signing_secret"
    section[key] = "env:APP" if slack.mode is Mode.SOCKET else "env:SIGNING"
    section |= changes
    return {name: value for name, value in section.items() if value is not None}


@asynccontextmanager
async def speaking(slack: FakeSlack, chat: SlackChat, desk: Desk) -> AsyncIterator[str]:
    """Run *chat* towards *desk*; once it can be clicked, return where its routes are."""
    async with people_listener(chat, desk) as url:
        running = asyncio.create_task(chat.run(desk))
        try:
            if slack.mode is Mode.HTTP:
                slack.http.url = f"{url}/slack/events"
            else:
                connected = asyncio.create_task(slack.socket.connected.wait())
                await asyncio.wait(
                    {connected, running}, timeout=10, return_when=asyncio.FIRST_COMPLETED
                )
                assert connected.done(), "the chat has not connected"
            yield url
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await chat.close()


@asynccontextmanager
async def stage_of(
    mode: Mode,
    *,
    times: SocketTimes = TIMES,
    call_s: float = 5.0,
    prepare: Callable[[FakeSlack], None] = lambda _: None,
    **changes: Any,
) -> AsyncIterator[SlackStage]:
    clock = ManualClock(NOW)
    desk = MemoryDesk(clock=clock)
    identities = DeskIdentities(desk)
    shelf = MemoryShelf(clock=clock)
    async with open_fake_slack(mode) as slack:
        slack.world.now = lambda: clock.now().timestamp()
        prepare(slack)
        chat = create(
            "slack",
            section_of(slack, **changes),
            shelf=shelf,
            clock=clock,
            identities=identities,
            public_url="http://localhost",
            web_url="https://keyturn.example.net",
            secrets=secrets_of(slack),
            socket_times=times,
            pace=PACE,
            call_s=call_s,
        )
        desk.linkable = ("slack",)
        async with speaking(slack, chat, desk) as url:
            yield SlackStage(slack, chat, desk, identities, shelf, clock, url)
