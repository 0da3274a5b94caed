"""Buttons: each is identified, recorded, acknowledged and answered, in this order."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from adapters.slack import words
from adapters.slack.blocks import Element
from adapters.slack.card import is_whole
from adapters.slack.limits import CARD_CHARS
from adapters.slack.listeners.answering import Clicked, Handle, answered, told_stranger
from adapters.slack.listeners.office import Office
from adapters.slack.modals import (
    card_modal,
    channels_modal,
    first_part,
    full_view_modal,
    is_last_part,
    not_mine_modal,
    parts_of,
    reject_modal,
    resume_modal,
    settle_modal,
    stop_modal,
    stop_this_modal,
    undo_modal,
)
from adapters.slack.pressable import ActionId, More, parse_more
from bot.core import chat_words
from bot.core.about import About, parse_about, parse_agent, parse_halt
from bot.core.actors import Role
from bot.core.card import Button, Card, FullViewPage
from bot.core.halts import HaltScope, HaltTarget
from bot.core.identified import Known, Unlinked
from bot.core.link_code import read_link_code
from bot.core.told import NOT_RECORDED, RECORDED, Told
from bot.core.words import asks_for, needs_full_view


def register(app: AsyncApp, office: Office) -> None:
    """Listen for every button of ours, and last for those that are not."""
    buttons = Buttons(office)
    for action, handle in buttons.handles().items():
        app.action(action.value)(answered(office, handle))
    app.action(re.compile(".*"))(answered(office, buttons.outdated))


@dataclass(frozen=True, slots=True)
class Buttons:
    office: Office

    def handles(self) -> dict[ActionId, Handle]:
        return {
            ActionId.APPROVE: self.approve,
            ActionId.NOT_MINE: self.not_mine,
            ActionId.REJECT: self.reject,
            ActionId.SETTLE_DONE: self.settle_done,
            ActionId.SETTLE_NOT_DONE: self.settle_not_done,
            ActionId.UNDO: self.undo,
            ActionId.FULL_VIEW: self.full_view,
            ActionId.PAGE_ON: self.page_on,
            ActionId.PAGE_BACK: self.page_back,
            ActionId.MORE: self.more,
            ActionId.OPEN: self.open,
            ActionId.STOP_AGENT: self.stop_agent,
            ActionId.STOP: self.stop_all,
            ActionId.RESUME: self.resume,
            ActionId.LINK: self.link,
            ActionId.CHANNELS: self.channels,
            ActionId.END_ROUTE: self.end_route,
        }

    async def approve(self, clicked: Clicked) -> None:
        await self._press(clicked, Button.APPROVE)

    async def not_mine(self, clicked: Clicked) -> None:
        await self._press(clicked, Button.NOT_MINE)

    async def reject(self, clicked: Clicked) -> None:
        await self._ask(clicked, "Reject", Button.REJECT, reject_modal)

    async def settle_done(self, clicked: Clicked) -> None:
        await self._ask(
            clicked,
            "Say what you found",
            Button.SETTLE_DONE,
            lambda card: settle_modal(card, done=True),
        )

    async def settle_not_done(self, clicked: Clicked) -> None:
        await self._ask(
            clicked,
            "Say what you found",
            Button.SETTLE_NOT_DONE,
            lambda card: settle_modal(card, done=False),
        )

    async def undo(self, clicked: Clicked) -> None:
        about = parse_about(clicked.pressed.value)
        known = await self._opened(clicked, "Undo")
        if known is None:
            return
        card = await self._card(known, about)
        offer = await self.office.desk.undo_offer(known.person.id, about.proposal)
        await clicked.fill(undo_modal(card, offer))

    async def full_view(self, clicked: Clicked) -> None:
        about = parse_about(clicked.pressed.value)
        known = await self._opened(clicked, "Full details")
        if known is None:
            return
        card = await self._card(known, about)
        page = await self.office.desk.full_view(known.person.id, about.proposal, page=1)
        await self._serve(clicked, known, card, page, part=first_part(card, page))

    async def page_on(self, clicked: Clicked) -> None:
        await self._turn(clicked, by=1)

    async def page_back(self, clicked: Clicked) -> None:
        await self._turn(clicked, by=-1)

    async def more(self, clicked: Clicked) -> None:
        what, about = parse_more(clicked.pressed.value)
        match what:
            case More.STOP:
                await self._stop_this(clicked, about)
            case More.NOT_MINE:
                await self._ask(clicked, "Not mine", Button.NOT_MINE, not_mine_modal, about=about)

    async def open(self, clicked: Clicked) -> None:
        about = parse_about(clicked.pressed.value)
        known = await self._opened(clicked, "Keyturn")
        if known is not None:
            card = await self._card(known, about)
            await clicked.fill(card_modal(card, web_url=self.office.web_url))

    async def stop_agent(self, clicked: Clicked) -> None:
        agent = parse_agent(clicked.pressed.value)
        known = await self._opened(clicked, "Stop")
        if known is not None:
            agents = await self.office.desk.agents(known.person.id)
            await clicked.fill(stop_modal(agents, may_stop_all=_is_admin(known), chosen=agent))

    async def stop_all(self, clicked: Clicked) -> None:
        known = await clicked.known()
        if known is None:
            return
        await self.office.desk.halt(
            known.person.id,
            HaltTarget(scope=HaltScope.ALL),
            reason="Stopped from the Home in Slack.",
            chat=self.office.chat_name,
        )
        await clicked.tell(Told(RECORDED, chat_words.STOPPED))
        await self.office.cards.home(known.person, known.identity)

    async def resume(self, clicked: Clicked) -> None:
        halt = parse_halt(clicked.pressed.value)
        known = await self._opened(clicked, "Resume")
        if known is None:
            return
        desk = self.office.desk
        inbox = await desk.inbox(known.person.id, max_chars=CARD_CHARS, limit=1)
        agents = await desk.agents(known.person.id)
        halts = [found for found in inbox.halts if found.id == halt]
        await clicked.fill(resume_modal(halts, agents, reader=known.person.id))

    async def link(self, clicked: Clicked) -> None:
        who = await self.office.clicker(clicked.body)
        if not isinstance(who, Known | Unlinked):
            await clicked.tell(told_stranger(who))
            return
        if isinstance(who, Known):
            # A confirmation that is delivered twice ends as it did the first time.
            await clicked.tell(Told("Linked", chat_words.linked_already(who.person.display_name)))
            return
        code = read_link_code(clicked.pressed.value or "") or ""
        person = await self.office.desk.link(code, who.identity)
        await clicked.tell(Told("Linked", chat_words.linked(person.display_name)))
        await self.office.cards.home(person, who.identity)

    async def channels(self, clicked: Clicked) -> None:
        known = await self._opened(clicked, "Notices to a channel")
        if known is not None:
            await self.office.desk.notice_routes(known.person.id)
            await clicked.fill(channels_modal())

    async def end_route(self, clicked: Clicked) -> None:
        known = await clicked.known()
        if known is None:
            return
        await self.office.desk.end_notice_route(known.person.id, clicked.pressed.value or "")
        await clicked.tell(Told(RECORDED, chat_words.ROUTE_ENDED))
        await self.office.cards.home(known.person, known.identity)

    async def outdated(self, clicked: Clicked) -> None:
        await clicked.tell(Told(NOT_RECORDED, words.OUTDATED))

    async def _press(self, clicked: Clicked, button: Button) -> None:
        about = parse_about(clicked.pressed.value)
        known = await clicked.known()
        if known is not None:
            await clicked.press(known, about, button)

    async def _opened(self, clicked: Clicked, title: str) -> Known | None:
        """Open a modal at once, since Slack waits three seconds only, and then see who pressed."""
        return await clicked.known() if await clicked.open(title) else None

    async def _ask(
        self,
        clicked: Clicked,
        title: str,
        button: Button,
        modal: Callable[[Card], Element],
        *,
        about: About | None = None,
    ) -> None:
        about = about or parse_about(clicked.pressed.value)
        known = await self._opened(clicked, title)
        if known is None:
            return
        card = await self._card(known, about)
        if asks_for(card, button):
            await clicked.fill(modal(card))
            return
        await clicked.tell(Told(NOT_RECORDED, f"This is not asked of you now. {card.status}"))
        await self.office.cards.refresh(about.proposal, known.person.id)

    async def _stop_this(self, clicked: Clicked, about: About) -> None:
        known = await self._opened(clicked, "Stop")
        if known is None:
            return
        card = await self._card(known, about)
        agents = await self.office.desk.agents(known.person.id)
        scopes = {
            entry.may_stop.scope
            for entry in agents
            if entry.id == card.agent and entry.may_stop is not None
        }
        view = stop_this_modal(
            card,
            may_stop_for_all=bool(scopes & {HaltScope.AGENT, HaltScope.ALL}),
            may_stop_all=_is_admin(known),
        )
        await clicked.fill(view)

    async def _turn(self, clicked: Clicked, *, by: int) -> None:
        about = parse_about(clicked.pressed.value)
        await clicked.ack()
        known = await clicked.known()
        if known is None:
            return
        card = await self._card(known, about)
        desk, person = self.office.desk, known.person.id
        page = await desk.full_view(person, about.proposal, page=about.page)
        part = about.part + by
        if part > parts_of(page):
            page, part = await desk.full_view(person, about.proposal, page=about.page + 1), 1
        elif part < first_part(card, page):
            page = await desk.full_view(person, about.proposal, page=max(about.page - 1, 1))
            part = parts_of(page)
        clicked.opened = clicked.pressed.view
        await self._serve(clicked, known, card, page, part=part)

    async def _serve(
        self, clicked: Clicked, known: Known, card: Card, page: FullViewPage, *, part: int
    ) -> None:
        """Show a part of the full view; who is shown the last has viewed the whole."""
        is_shown = await clicked.fill(full_view_modal(card, page, part=part))
        if is_shown and is_last_part(page, part) and _is_to_be_read(card):
            # Only now: what Slack has not taken, nobody has seen.
            person = known.person.id
            await self.office.desk.viewed(person, card.proposal, chat=self.office.chat_name)
            card = await self.office.desk.card(person, card.proposal, max_chars=CARD_CHARS)
            await clicked.fill(full_view_modal(card, page, part=part))
            await self.office.cards.refresh(card.proposal, person)

    async def _card(self, known: Known, about: About) -> Card:
        return await self.office.desk.card(known.person.id, about.proposal, max_chars=CARD_CHARS)


def _is_to_be_read(card: Card) -> bool:
    return needs_full_view(card) or (asks_for(card, Button.APPROVE) and not is_whole(card))


def _is_admin(known: Known) -> bool:
    return Role.ADMIN in known.person.roles
