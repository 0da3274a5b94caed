"""Undo in the inbox: offered while there is time, looked at first, pressed once."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession, CookieJar

from bot.core.card import Button
from bot.core.ids import ProposalId
from bot.core.states import State
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from tests.web.dom import Node
from tests.web.scenes import DANA, SAM, a_day
from tests.web.seat import WebSeat, fields, said
from tests.web.serving import Served, serving


class Visitor:
    """Somebody at the inbox of a busy day."""

    def __init__(self, served: Served, names: dict[str, ProposalId], seat: WebSeat) -> None:
        self.served, self.names, self.seat = served, names, seat

    async def page(self, name: str, more: str = "") -> Node:
        return await self.seat.get(f"/proposals/{self.names[name]}{more}")


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    names: dict[str, ProposalId] = {}

    def desk(clock: ManualClock) -> MemoryDesk:
        made, proposals = a_day(clock)
        names.update(proposals)
        return made

    async with serving(desk) as served, ClientSession(cookie_jar=CookieJar()) as browser:
        seat = await WebSeat(served.url, browser).sign_in(served.sign_in_code(DANA.id))
        yield Visitor(served, names, seat)


def leads_to_undo(page: Node) -> bool:
    return any(link.attributes["href"].endswith("/undo") for link in page.all("a"))


async def test_the_page_says_what_would_be_done_and_what_was(visitor: Visitor) -> None:
    page = await visitor.page("recent", "/undo")

    text = page.one("main").text
    assert text.index("Take back: Publish an answer") < text.index("What was done")
    for words in ("Downloads are slow", "comment 90431", "Everyone on the internet", "4 minutes"):
        assert words in text
    assert visitor.served.desk.journal[-1][0] == "sign_in"


async def test_one_press_undoes_and_both_cards_lead_to_each_other(visitor: Visitor) -> None:
    recent = visitor.names["recent"]

    told = await visitor.seat.press(recent, Button.UNDO, "It is wrong.")

    desk = visitor.served.desk
    assert "It is being undone now" in told
    assert [(c.button, c.proposal, c.note) for c in desk.clicks] == [
        (Button.UNDO, recent, "It is wrong.")
    ]
    undo = desk.proposals[recent].undone_by
    assert undo is not None
    card = await visitor.page("recent")
    assert "Being undone" in card.one("article").text
    assert not leads_to_undo(card)
    other = await visitor.seat.get(f"/proposals/{undo}")
    assert "Dana Okafor undoes what forum-analyst did" in " ".join(
        other.one("article").text.split()
    )
    assert "Claimed by the agent" not in other.one("article").text
    assert any(a.attributes["href"] == f"/proposals/{recent}" for a in other.all("a"))


async def test_it_is_offered_while_there_is_time_and_only_then(visitor: Visitor) -> None:
    before = leads_to_undo(await visitor.page("recent"))
    form = fields((await visitor.page("recent", "/undo")).one("form", action=_press(visitor)))
    visitor.served.clock.advance(11 * 60 + 1)

    after = await visitor.page("recent")
    page = await visitor.page("recent", "/undo")
    told = said(await visitor.seat.send(_press(visitor), form | {"button": "undo"}))

    assert (before, leads_to_undo(after)) == (True, False)
    assert "This cannot be undone now" in page.one("main").text
    assert "has passed" in told
    assert visitor.served.desk.proposals[visitor.names["recent"]].undone_by is None


def _press(visitor: Visitor) -> str:
    return f"/proposals/{visitor.names['recent']}/press"


@pytest.mark.parametrize("name", ["forum", "done", "rejected", "withdrawn", "undo"])
async def test_nothing_else_offers_it(visitor: Visitor, name: str) -> None:
    assert not leads_to_undo(await visitor.page(name))
    assert "cannot be undone now" in (await visitor.page(name, "/undo")).one("main").text


@pytest.mark.parametrize(
    ("state", "words", "offered"),
    [
        (State.PENDING, "Somebody was asked to undo this", True),
        (State.EXECUTING, "Being undone", False),
        (State.SUCCEEDED, "Undone", False),
        (State.FAILED, "Not undone", True),
        (State.REVOKED, "Not undone", True),
        (State.IN_DOUBT, "It is not known whether this was undone", False),
    ],
)
async def test_the_card_says_how_the_undo_stands(
    visitor: Visitor, state: State, words: str, *, offered: bool
) -> None:
    desk, recent = visitor.served.desk, visitor.names["recent"]
    undo = replace(desk.proposals[visitor.names["undo"]], state=state, undoes=recent)
    desk.proposals |= {
        undo.id: undo,
        recent: replace(desk.proposals[recent], undone_by=undo.id),
    }

    card = await visitor.page("recent")

    assert words in card.one("article").text
    assert leads_to_undo(card) is offered


async def test_the_list_says_that_it_was_undone(visitor: Visitor) -> None:
    inbox = await visitor.seat.get("/")
    (row,) = [
        row
        for row in inbox.all("li")
        if any(a.attributes["href"].endswith(visitor.names["withdrawn"]) for a in row.all("a"))
    ]
    assert "Undone" in row.text


async def test_somebody_else_sees_neither_the_page_nor_the_offer(visitor: Visitor) -> None:
    async with ClientSession(cookie_jar=CookieJar()) as browser:
        code = visitor.served.sign_in_code(SAM.id)
        seat = await WebSeat(visitor.served.url, browser).sign_in(code)
        page = await seat.get(f"/proposals/{visitor.names['recent']}/undo")

    assert "Downloads are slow" not in page.text
