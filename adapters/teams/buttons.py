"""The buttons of cards: who pressed is identified first; then it is recorded, or asked about."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.teams import limits, words
from adapters.teams.asking import ask_not_mine, ask_stop_this, ask_undo
from adapters.teams.card import render_card
from adapters.teams.clicked import Clicked, why_not
from adapters.teams.errands import Errands
from adapters.teams.office import Office
from adapters.teams.pressable import Key, Verb
from adapters.teams.replies import Reply, Shown, TheCard, Words
from adapters.teams.told_card import render_full_view, render_told
from bot.core.about import About, parse_about
from bot.core.actors import Role
from bot.core.card import Button, Card
from bot.core.chat_words import STOPPED
from bot.core.errors import InvalidInput, KeyturnError, NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.identified import Known
from bot.core.pressed import Recorded
from bot.core.states import State
from bot.core.told import NOT_RECORDED, RECORDED, Told, told_of, told_why
from bot.core.words import asks_for
from bot.ports.desk import Click

_REASON: Final = "Stopped from a card in Teams."
#: What shows something and decides nothing.
_SHOWS: Final = frozenset({Verb.OPEN, Verb.REFRESH, Verb.FULL_VIEW})
#: What leaves the message it was pressed in what it is: a list stays a list.
_LEAVES: Final = frozenset({Verb.OPEN})

Handle: TypeAlias = Callable[[Clicked, Known, About], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Buttons:
    office: Office

    def handles(self) -> Mapping[str, Handle]:
        """Return what is done for each button that is about one card."""
        return {
            Verb.APPROVE: self.approve,
            Verb.REJECT: self.reject,
            Verb.SETTLE_DONE: self.settle_done,
            Verb.SETTLE_NOT_DONE: self.settle_not_done,
            Verb.NOT_MINE: self.not_mine,
            Verb.UNDO: self.undo,
            Verb.STOP_AGENT: self.stop_this,
            Verb.FULL_VIEW: self.full_view,
            Verb.OPEN: self.open,
            Verb.REFRESH: self.open,
        }

    async def serve(self, clicked: Clicked) -> Reply:
        """Do what *clicked* asks, for whoever pressed, if that is theirs to ask.

        Raises:
            KeyturnError: nothing else than what can be told to whoever pressed.
        """
        who = await self.office.clicker(clicked.who)
        errands = Errands(self.office)
        if clicked.verb == Verb.LINK and clicked.who.is_alone:
            return await errands.link(clicked, who)
        if not isinstance(who, Known):
            return Words(why_not(who))
        if not clicked.who.is_alone:
            return Words(words.NOT_HERE)
        errand = errands.handles().get(clicked.verb)
        if errand is not None and Key.ABOUT not in clicked.data:
            return await errand(clicked, who)
        handle = self.handles().get(clicked.verb)
        if handle is None:
            return Words(words.OUTDATED)
        return await self._about_its_card(handle, clicked, who)

    async def approve(self, clicked: Clicked, known: Known, about: About) -> Reply:
        return await self._press(clicked, known, about, Button.APPROVE)

    async def reject(self, clicked: Clicked, known: Known, about: About) -> Reply:
        return await self._press(clicked, known, about, Button.REJECT)

    async def settle_done(self, clicked: Clicked, known: Known, about: About) -> Reply:
        return await self._settle(clicked, known, about, Button.SETTLE_DONE)

    async def settle_not_done(self, clicked: Clicked, known: Known, about: About) -> Reply:
        return await self._settle(clicked, known, about, Button.SETTLE_NOT_DONE)

    async def not_mine(self, clicked: Clicked, known: Known, about: About) -> Reply:
        if clicked.is_confirmed:
            return await self._press(clicked, known, about, Button.NOT_MINE)
        card = await self._card(known, about)
        if asks_for(card, Button.NOT_MINE):
            return Shown(ask_not_mine(card))
        told = Told(NOT_RECORDED, f"This is not asked of you now. {card.status}")
        return self._shown(clicked, card, told)

    async def undo(self, clicked: Clicked, known: Known, about: About) -> Reply:
        if clicked.is_confirmed:
            return await self._press(clicked, known, about, Button.UNDO)
        card = await self._card(known, about)
        offer = await self.office.desk.undo_offer(known.person.id, about.proposal)
        return Shown(ask_undo(card, offer))

    async def stop_this(self, clicked: Clicked, known: Known, about: About) -> Reply:
        """Stop what was chosen, from a card.

        For whom the agent acts is not the chat's to know: the desk finds it in the proposal.
        """
        if not clicked.is_confirmed:
            return await self._ask_what_to_stop(known, about)
        match clicked.data.get(Key.WHAT):
            case HaltScope.AGENT_FOR_PRINCIPAL:
                return await self._press(clicked, known, about, Button.STOP_AGENT)
            case HaltScope.AGENT:
                agent = (await self._card(known, about)).agent
                target = HaltTarget(scope=HaltScope.AGENT, agent=agent)
            case HaltScope.ALL:
                target = HaltTarget(scope=HaltScope.ALL)
            case _:
                raise InvalidInput("Choose what is stopped.")
        await self.office.desk.halt(
            known.person.id,
            target,
            reason=clicked.note or _REASON,
            chat=self.office.chat_name,
        )
        card = await self._card(known, about)
        return self._shown(clicked, card, Told(RECORDED, STOPPED))

    async def full_view(self, clicked: Clicked, known: Known, about: About) -> Reply:  # noqa: ARG002
        url = self.office.web_url
        if url is None:
            return Words(words.NO_INBOX)
        card = await self._card(known, about)
        link = await self.office.desk.view_link(
            known.person.id, about.proposal, chat=self.office.chat_name
        )
        there = f"{url.rstrip('/')}{link.url_path}"
        return Shown(render_full_view(card, there, until=link.expires_at))

    async def open(self, clicked: Clicked, known: Known, about: About) -> Reply:
        return self._shown(clicked, await self._card(known, about), None)

    async def _about_its_card(self, handle: Handle, clicked: Clicked, known: Known) -> Reply:
        try:
            about = parse_about(clicked.data.get(Key.ABOUT))
        except InvalidInput:
            return Words(words.OUTDATED)
        try:
            reply = await handle(clicked, known, about)
        except KeyturnError as error:
            reply = await self._with_why(clicked, known, about, error)
        await self._after(clicked, known, about, reply)
        return reply

    async def _press(self, clicked: Clicked, known: Known, about: About, button: Button) -> Reply:
        outcome = await self.office.desk.press(
            Click(
                person=known.person.id,
                chat=self.office.chat_name,
                proposal=about.proposal,
                digest_prefix=about.digest_prefix,
                button=button,
                note=clicked.note,
            ),
            within_s=clicked.left_s(),
        )
        told = told_of(outcome)
        try:
            card = await self._card(known, about)
        except NotFound:
            return Words(words.NO_SUCH_CARD)
        except KeyturnError:
            return self._alone(clicked, told)
        if isinstance(outcome, Recorded) and _says_so(card, button):
            return TheCard(message=render_card(card, mri=clicked.who.mri), proposal=card.proposal)
        return self._shown(clicked, card, told)

    async def _settle(self, clicked: Clicked, known: Known, about: About, button: Button) -> Reply:
        if not clicked.note:
            raise InvalidInput("Say how you found out.", remedy="Then press it again.")
        return await self._press(clicked, known, about, button)

    async def _ask_what_to_stop(self, known: Known, about: About) -> Reply:
        card = await self._card(known, about)
        agents = await self.office.desk.agents(known.person.id)
        scopes = {
            entry.may_stop.scope
            for entry in agents
            if entry.id == card.agent and entry.may_stop is not None
        }
        return Shown(
            ask_stop_this(
                card,
                may_stop_for_all=bool(scopes & {HaltScope.AGENT, HaltScope.ALL}),
                may_stop_all=Role.ADMIN in known.person.roles,
            )
        )

    async def _with_why(
        self, clicked: Clicked, known: Known, about: About, error: KeyturnError
    ) -> Reply:
        told = told_why(error)
        if clicked.verb in _SHOWS:
            told = Told(words.NOT_NOW, told.message)
        try:
            return self._shown(clicked, await self._card(known, about), told)
        except NotFound:
            return Words(words.NO_SUCH_CARD)
        except KeyturnError:
            return self._alone(clicked, told)

    def _alone(self, clicked: Clicked, told: Told) -> Reply:
        """Return *told* without its card, which cannot be read now, and the way back to it."""
        look_again = {Key.ABOUT.value: clicked.data.get(Key.ABOUT, "")}
        return Shown(render_told(told, look_again=look_again, mri=clicked.who.mri))

    def _shown(self, clicked: Clicked, card: Card, told: Told | None) -> Reply:
        message = render_card(card, mri=clicked.who.mri, told=told)
        return TheCard(message=message, proposal=card.proposal, told=told)

    async def _after(self, clicked: Clicked, known: Known, about: About, reply: Reply) -> None:
        """Bring the card in the chat up to date too; what a commit changes comes by delivery."""
        keeper, person = self.office.cards, known.person.id
        if isinstance(reply, Words):
            return
        if clicked.reply_to and clicked.is_on_its_card and clicked.verb not in _LEAVES:
            await keeper.adopt(clicked.who, clicked.reply_to, about.proposal, person)
        is_refused = isinstance(reply, TheCard) and reply.told and reply.told.title == NOT_RECORDED
        # Who does not wait for the answer sees what the card itself says.
        if is_refused or not clicked.waits or clicked.verb in _LEAVES:
            await keeper.refresh(about.proposal, person)

    async def _card(self, known: Known, about: About) -> Card:
        return await self.office.desk.card(
            known.person.id, about.proposal, max_chars=limits.CARD_CHARS
        )


def _says_so(card: Card, button: Button) -> bool:
    """Return whether *card* itself says what came of *button*."""
    if button is Button.UNDO:
        return False
    if button is Button.STOP_AGENT:
        return card.state is State.REVOKED
    return card.state is not State.PENDING
