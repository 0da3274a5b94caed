"""Linking an account in another chat from the inbox, without any script."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, CookieJar

from bot.core.card import Button
from bot.core.errors import StoreUnavailable
from bot.core.identity import ChatIdentity
from bot.core.states import State
from tests.web.scenes import DANA, MIRA, a_day
from tests.web.seat import WebSeat, fields, said
from tests.web.serving import Served, serving

MINE = ChatIdentity(chat="slack", tenant="T0FIRM", user="U0DANA")


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(lambda clock: a_day(clock)[0]) as served:
        served.desk.linkable = ("slack",)
        yield served


@pytest.fixture
async def dana(served: Served) -> AsyncIterator[WebSeat]:
    async with ClientSession(cookie_jar=CookieJar()) as browser:
        yield await WebSeat(served.url, browser).sign_in(served.sign_in_code(DANA.id))


async def test_a_code_is_shown_with_the_words_to_type(served: Served, dana: WebSeat) -> None:
    page = await dana.get("/accounts")
    assert "Link your Slack account" in page.text
    assert "No account is linked yet" in page.text

    shown = await dana.send("/accounts", fields(page.one("form", action="/accounts")))

    (typed,) = shown.with_class("typed")
    command, _, code = typed.text.strip().rpartition(" ")
    assert command == "/keyturn link"
    assert await served.desk.whose_code(code) == DANA


async def test_opening_the_page_makes_no_code(served: Served, dana: WebSeat) -> None:
    await dana.get("/accounts")
    await dana.get("/accounts")

    assert served.desk.link_codes == {}


async def test_a_linked_account_is_shown_and_unlinked(served: Served, dana: WebSeat) -> None:
    served.desk.links[MINE] = DANA.id
    page = await dana.get("/accounts")
    assert "U0DANA" in page.text

    after = await dana.send("/accounts/unlink", fields(page.one("form", action="/accounts/unlink")))

    assert said(after).startswith("Recorded")
    assert served.desk.links == {}
    assert "No account is linked yet" in after.text


async def test_nobody_sees_or_unlinks_the_account_of_another(served: Served, dana: WebSeat) -> None:
    served.desk.links[MINE] = MIRA.id
    page = await dana.get("/accounts")
    assert "U0DANA" not in page.text
    form = fields(page.one("form", action="/accounts"))

    sent = form | {"tenant": MINE.tenant, "user": MINE.user}
    assert "Not recorded" in said(await dana.send("/accounts/unlink", sent))
    assert served.desk.links == {MINE: MIRA.id}


@pytest.mark.parametrize("path", ["/accounts", "/accounts/unlink"])
async def test_what_no_page_of_ours_sent_changes_nothing(
    served: Served, dana: WebSeat, path: str
) -> None:
    served.desk.links[MINE] = DANA.id
    form = fields((await dana.get("/accounts")).one("form", action="/accounts/unlink"))
    if path == "/accounts":
        form = {"form": form["form"], "chat": "slack"}

    for sent, headers in (
        (form | {"form": "0" * 64}, None),
        (form, {"Origin": "https://evil.example"}),
        (form, {"Sec-Fetch-Site": "cross-site"}),
    ):
        await dana.send(path, sent, headers)
    served.desk.people[DANA.id] = DANA
    assert served.desk.links == {MINE: DANA.id}
    assert served.desk.link_codes == {}


async def test_where_there_is_no_other_chat_nothing_leads_there(
    served: Served, dana: WebSeat
) -> None:
    def leads(page_links: list[str]) -> bool:
        return "/accounts" in page_links

    async def links() -> list[str]:
        return [a.attributes["href"] for a in (await dana.get("/")).all("a")]

    assert leads(await links())
    served.desk.linkable = ()
    assert not leads(await links())
    assert "no other chat" in (await dana.get("/accounts")).text


async def test_a_code_that_cannot_be_recorded_is_not_shown(served: Served, dana: WebSeat) -> None:
    form = fields((await dana.get("/accounts")).one("form", action="/accounts"))
    served.desk.fail_with = StoreUnavailable("It cannot be recorded.")

    page = await dana.send("/accounts", form)

    assert page.with_class("typed") == []


async def test_not_mine_is_offered_beside_the_decision_and_rejects(
    served: Served, dana: WebSeat
) -> None:
    (asked,) = [seen for seen in await dana.cards() if Button.NOT_MINE in seen.buttons][:1]

    assert "Reported" in await dana.press(asked.proposal, Button.NOT_MINE)

    assert served.desk.proposals[asked.proposal].state is State.REJECTED
    now = await dana.get(f"/proposals/{asked.proposal}")
    assert now.all("button", value="not_mine") == []
