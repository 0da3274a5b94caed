"""The suite for chats catches an inbox that breaks any of its promises."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from jinja2 import Environment

from adapters.web import WebInbox
from adapters.web.front import Front
from adapters.web.session import Session
from adapters.web.site import Site
from bot.core.actors import Person
from bot.core.card import Button, Card, FullViewPage
from bot.core.ids import PersonId, ProposalId
from bot.core.pressed import NotRecorded, Pressed
from bot.core.states import State
from bot.ports.chat import CardRef
from bot.ports.desk import Click, Desk, Inbox
from bot.testing.chat import ChatConformance, Stage
from tests.web.seat import stage_of


class Around:
    """A desk that is asked through, so that one answer can be falsified."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)


def behind(around: Callable[[Any], Any]) -> type[WebInbox]:
    """Return an inbox that sees its desk through *around*."""

    class Faulty(WebInbox):
        def routes(self, desk: Desk) -> Sequence[web.RouteDef]:
            return super().routes(around(desk))

    Faulty.__qualname__ = around.__qualname__
    return Faulty


class ShowsEverybodysCards(Around):
    async def inbox(self, person: PersonId, **limits: Any) -> Inbox:
        owners = {p.principal for p in self._desk.proposals.values()}
        return await self._desk.inbox(next(iter(owners), person), **limits)

    async def card(self, _: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        owner = self._desk.proposals[proposal].principal
        return await self._desk.card(owner, proposal, max_chars=max_chars)


class KeepsTheButtons(Around):
    """Final cards look as if they could still be decided."""

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        card = await self._desk.card(person, proposal, max_chars=max_chars)
        buttons = (Button.APPROVE, Button.REJECT, *card.buttons)
        return replace(card, state=State.PENDING, buttons=tuple(dict.fromkeys(buttons)))


class CallsItComplete(Around):
    """What does not fit is not mentioned."""

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        card = await self._desk.card(person, proposal, max_chars=max_chars)
        return replace(card, missing_chars=0, approve_needs_full_view=False)


class ViewsByReading(Around):
    """Serving the last page records it, so a preview of the link does too."""

    async def full_view(self, person: PersonId, proposal: ProposalId, *, page: int) -> FullViewPage:
        served = await self._desk.full_view(person, proposal, page=page)
        if served.is_last:
            await self._desk.viewed(person, proposal, chat="web")
        return served


class LosesTheDigest(Around):
    async def press(self, click: Click, **limits: Any) -> Pressed:
        return await self._desk.press(
            replace(click, digest_prefix=click.digest_prefix[:8]), **limits
        )


class SaysNothing(Around):
    async def press(self, click: Click, **limits: Any) -> Pressed:
        return replace(await self._desk.press(click, **limits), message="")


class PressesForThePrincipal(Around):
    async def press(self, click: Click, **limits: Any) -> Pressed:
        principal = self._desk.proposals[click.proposal].principal
        return await self._desk.press(replace(click, person=principal), **limits)


class ListsEveryPost(WebInbox):
    """A card that is posted twice is there twice."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._posted: list[Card] = []

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
        self._posted.append(card)
        return await super().post(card, to, key=key)

    def routes(self, desk: Desk) -> Sequence[web.RouteDef]:
        posted = self._posted

        class Listed(Around):
            async def inbox(self, person: PersonId, **limits: Any) -> Inbox:
                return replace(await self._desk.inbox(person, **limits), waiting=tuple(posted))

        return super().routes(Listed(desk))


class ShowsTheLastReplacement(WebInbox):
    """Whatever came last is shown as the newest."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._last: dict[str, Card] = {}

    async def replace(self, ref: CardRef, card: Card) -> None:
        self._last[ref.where] = card
        await super().replace(ref, card)

    def routes(self, desk: Desk) -> Sequence[web.RouteDef]:
        last = self._last

        class Remembered(Around):
            async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
                now = await self._desk.card(person, proposal, max_chars=max_chars)
                return last.get(proposal, now)

        return super().routes(Remembered(desk))


class PrintsWhatItIsGiven(WebInbox):
    """Templates print values as they are: neither engine nor filter shows or escapes them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        environment: Environment = self._renderer._environment
        environment.autoescape = False
        environment.finalize = None
        environment.filters["exact"] = str


class RemembersPeople(Around):
    """Whoever has left is still let in."""

    async def person(self, person: PersonId) -> Person:
        return self._desk.people[person]


class _TrustingSession(Session):
    def proves(self, proof: str, purpose: str) -> bool:  # noqa: ARG002 - the fault
        return True


class _TrustingFront(Front):
    async def session(self, request: web.Request, *, is_activity: bool) -> Session:
        session = await super().session(request, is_activity=is_activity)
        return _TrustingSession(token=session.token, person=session.person)


class ChecksNoSecret(WebInbox):
    def front(self, desk: Desk) -> Front:
        front = super().front(desk)
        return _TrustingFront(**{f.name: getattr(front, f.name) for f in fields(front)})


class _OpenSite(Site):
    def sent(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - the fault
        return True


class ChecksNoOrigin(WebInbox):
    def front(self, desk: Desk) -> Front:
        front = super().front(desk)
        return replace(front, site=_OpenSite(front.site.scheme, front.site.host))


Suite = ChatConformance()
FORGERIES = Suite.test_nobody_can_press_as_somebody_else


@pytest.mark.parametrize(
    ("faulty", "check"),
    [
        (behind(ShowsEverybodysCards), Suite.test_a_card_is_shown_to_its_person_and_to_nobody_else),
        (ListsEveryPost, Suite.test_the_same_key_does_not_show_a_second_card),
        (
            behind(KeepsTheButtons),
            partial(Suite.test_a_final_card_has_no_button_that_decides, state=State.EXPIRED),
        ),
        (ShowsTheLastReplacement, Suite.test_an_older_state_that_comes_late_is_not_shown),
        (
            PrintsWhatItIsGiven,
            partial(Suite.test_text_from_an_agent_never_becomes_an_element, text="<b>Approved</b>"),
        ),
        (
            PrintsWhatItIsGiven,
            partial(Suite.test_text_from_an_agent_never_becomes_an_element, text="by \u202eanaD"),
        ),
        (
            behind(LosesTheDigest),
            partial(
                Suite.test_a_click_names_the_proposal_the_digest_and_the_person,
                button=Button.APPROVE,
            ),
        ),
        (
            behind(SaysNothing),
            partial(
                Suite.test_no_click_is_silent,
                answer=NotRecorded(code="too_late", message="Mira was first."),
            ),
        ),
        (behind(PressesForThePrincipal), FORGERIES),
        (behind(RemembersPeople), FORGERIES),
        (ChecksNoSecret, FORGERIES),
        (ChecksNoOrigin, FORGERIES),
        (
            behind(CallsItComplete),
            partial(
                Suite.test_what_is_not_on_the_card_is_said_and_read_before_it_is_approved, over=1
            ),
        ),
        (behind(ViewsByReading), Suite.test_opening_everything_changes_nothing),
    ],
    ids=lambda value: getattr(value, "__qualname__", "").rpartition(".")[2] or None,
)
async def test_a_planted_fault_is_caught(
    faulty: type[WebInbox], check: Callable[[Stage], Awaitable[None]]
) -> None:
    async with stage_of(faulty) as stage:
        with pytest.raises(AssertionError):
            await check(stage)
    async with stage_of(WebInbox) as stage:
        await check(stage)
