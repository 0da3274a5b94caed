"""A link from another chat opens one full view, once, and is of no other use to anyone."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar

from adapters.web.viewer import KIND, VIEWER_S
from bot.core.ids import PersonId, ProposalId
from bot.core.states import State
from bot.core.tokens import TokenKind, spell_token, token_hash, token_kind
from bot.core.untrusted import Untrusted, show
from tests.web.dom import Parser
from tests.web.scenes import DANA, MIRA, SAM, a_day
from tests.web.seat import WebSeat, fields, said
from tests.web.serving import Served, serving

CHAT = "teams"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(lambda clock: a_day(clock)[0]) as served:
        yield served


@pytest.fixture
async def browser(served: Served) -> AsyncIterator[WebSeat]:
    async with ClientSession(cookie_jar=CookieJar()) as browser:
        yield WebSeat(served.url, browser)


@pytest.fixture
def long(served: Served) -> ProposalId:
    return next(p.id for p in served.desk.proposals.values() if p.idempotency_key == "key-3")


async def link(served: Served, proposal: ProposalId, person: PersonId = DANA.id) -> str:
    """Return the path of a new link that *person* asked for."""
    return (await served.desk.view_link(person, proposal, chat=CHAT)).url_path


def recorded(served: Served) -> list[object]:
    return [what for name, what in served.desk.journal if name == "viewed"]


async def post(seat: WebSeat, path: str, **headers: str) -> tuple[int, str]:
    sent = {"Origin": seat.url, **headers}
    async with seat.browser.post(
        seat.url + path, data={}, headers=sent, allow_redirects=False
    ) as answer:
        return answer.status, said(Parser.parse(await answer.text()))


async def read_all(seat: WebSeat) -> str:
    """Turn the pages to the last one and return the whole text."""
    text, path = "", "/view"
    while True:
        page = await seat.get(path)
        text += page.with_class("whole")[0].text
        following = [a for a in page.all("a") if a.text == "Next page"]
        if not following:
            return text
        path = f"/view{following[0].attributes['href']}"


async def the_end(seat: WebSeat) -> dict[str, str]:
    """Return the form on the last page."""
    return fields((await seat.get("/view?page=999999")).one("form", action="/view"))


async def test_the_link_opens_the_whole_and_its_end_is_recorded_for_the_chat(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    path = await link(served, long)
    button = (await browser.get(path)).one("main").one("button")
    assert button.text == "Show it"
    page = await browser.send(path, {})
    assert "Dana Okafor" in page.text
    assert "Microsoft Teams" in page.text
    assert await read_all(browser) == show(Untrusted(served.desk.proposals[long].action_json))
    assert recorded(served) == []
    told = said(await browser.send("/view", await the_end(browser)))
    assert "Now you can decide, on the card in Microsoft Teams." in told
    assert recorded(served) == [(DANA.id, long, CHAT)]
    assert (await browser.get("/view?page=999999")).all("form", action="/view") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
async def test_a_preview_uses_nothing_up_and_sees_nothing(
    served: Served, browser: WebSeat, long: ProposalId, method: str
) -> None:
    path, held, text = await link(served, long), served.desk.proposals[long], ""
    for _ in range(3):
        async with browser.browser.request(method, served.url + path) as answer:
            text = await answer.text()
            assert "Set-Cookie" not in answer.headers
    assert [name for name, _ in served.desk.journal] == ["view_link"]
    hidden = (held.preview.effect, held.preview.target, DANA.display_name, long)
    assert [word for word in hidden if word in text] == []
    assert (await post(browser, path))[0] == 303


async def test_previews_of_every_code_look_alike(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    good = await link(served, long)
    pages = []
    for path in (good, "/view/ktv_" + "0" * 39, "/view/x"):
        async with browser.browser.get(served.url + path) as answer:
            pages.append((answer.status, await answer.text()))
    assert len(set(pages)) == 1


async def test_a_link_works_once(served: Served, browser: WebSeat, long: ProposalId) -> None:
    path = await link(served, long)
    assert (await post(browser, path))[0] == 303
    browser.browser.cookie_jar.clear()
    status, told = await post(browser, path)
    assert status == 401
    assert "has been used" in told
    assert "Open the full view from the card in the chat again" in told
    assert (await post(browser, "/view"))[0] == 401


async def test_of_many_at_once_one_browser_opens_it(served: Served, long: ProposalId) -> None:
    path = await link(served, long)

    async def open_it() -> int:
        async with ClientSession(cookie_jar=CookieJar()) as one:
            return (await post(WebSeat(served.url, one), path))[0]

    statuses = await asyncio.gather(*(open_it() for _ in range(12)))
    assert sorted(statuses) == [303] + [401] * 11
    assert len(await served.shelf.list(KIND)) == 1


async def test_who_presses_twice_is_led_back_to_what_is_open(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    path = await link(served, long)
    await browser.send(path, {})
    again = await browser.send(path, {})
    (back,) = again.one("main").all("a")
    assert "has been used" in again.text
    assert "Full view" in (await browser.get(back.attributes["href"])).one("main").text


@pytest.mark.parametrize("after_s", [599, 600])
async def test_a_link_works_for_ten_minutes(
    served: Served, browser: WebSeat, long: ProposalId, after_s: int
) -> None:
    path = await link(served, long)
    served.clock.advance(after_s)
    status, told = await post(browser, path)
    assert status == (303 if after_s < 600 else 401)
    assert after_s < 600 or "again: that makes a new link" in told


@pytest.mark.parametrize(
    "code",
    [
        "x",
        "ktv_" + "0" * 39,
        spell_token(TokenKind.VIEW, b"v" * 24),
        spell_token(TokenKind.SESSION, b"v" * 24),
        "%00",
        "%F0%9F%94%91",
        "a" * 4_000,
    ],
)
async def test_a_wrong_code_says_what_to_do(served: Served, browser: WebSeat, code: str) -> None:
    status, told = await post(browser, f"/view/{code}")
    assert status == 401
    assert "Open the full view from the card in the chat again" in told


async def test_what_was_decided_meanwhile_is_still_read_and_nothing_is_recorded(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    path = await link(served, long)
    await browser.send(path, {})
    form = await the_end(browser)
    served.desk.proposals[long] = replace(served.desk.proposals[long], state=State.EXPIRED)
    assert "Not recorded" in said(await browser.send("/view", form))
    assert recorded(served) == []
    page = await browser.get("/view?page=999999")
    assert page.all("form", action="/view") == []
    assert served.desk.card_for(DANA.id, long, max_chars=0).status in page.text


@pytest.mark.parametrize("gone", ["the person", "the proposal"])
async def test_what_is_not_theirs_any_more_is_shown_no_longer(
    served: Served, browser: WebSeat, long: ProposalId, gone: str
) -> None:
    opened, later = await link(served, long), await link(served, long)
    await browser.send(opened, {})
    form = await the_end(browser)
    effect = served.desk.proposals[long].preview.effect
    if gone == "the person":
        served.desk.people[DANA.id] = replace(DANA, active=False)
    else:
        served.desk.proposals[long] = replace(served.desk.proposals[long], principal=SAM.id)
        served.desk.approvers[long] = frozenset({SAM.id})
    for page in (
        await browser.get("/view"),
        await browser.send("/view", form),
        await browser.send(later, {}),
    ):
        assert effect not in page.text
        assert "Open the full view from the card in the chat again" in said(page)
    assert recorded(served) == []


async def test_it_opens_nothing_else(served: Served, browser: WebSeat, long: ProposalId) -> None:
    await browser.send(await link(served, long), {})
    form = await the_end(browser)
    card, before = f"/proposals/{long}", list(served.desk.journal)
    reads = ["/", card, "/stop", "/accounts", "/events"]
    reads += [f"{card}/{page}" for page in ("full", "history", "receipt", "undo", "stop")]
    acts = ["/signout", "/stop", "/accounts", "/accounts/unlink", f"{card}/press"]
    acts += [f"{card}/viewed", f"{card}/stop", f"/halts/hlt_{'0' * 26}/resume"]
    held = served.desk.proposals[long]
    for path in reads:
        async with browser.browser.get(served.url + path) as answer:
            assert answer.status == 401 or answer.url.path == "/signin", path
            assert held.preview.effect not in await answer.text()
    for path in acts:
        answer_ = await browser.send(path, {**form, "button": "approve", "digest": "0" * 32})
        assert "You are signed out" in said(answer_), path
    assert served.desk.journal == before


async def test_neither_cookie_is_of_use_as_the_other(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    await browser.send(await link(served, long), {})
    await browser.sign_in(served.sign_in_code(DANA.id))
    kept = {cookie.key: cookie.value for cookie in browser.browser.cookie_jar}
    assert set(kept) == {"keyturn", "keyturn-view"}
    swapped = {"keyturn": kept["keyturn-view"], "keyturn-view": kept["keyturn"]}
    async with ClientSession(cookies=swapped) as other:
        seat = WebSeat(served.url, other)
        assert "Waiting for you" not in (await seat.get("/")).text
        assert "No full view is open here" in said(await seat.get("/view"))


async def test_a_link_is_no_cookie_and_a_cookie_is_no_link(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    code = (await link(served, long)).rpartition("/")[2]
    async with ClientSession(cookies={"keyturn-view": code}) as other:
        assert "No full view is open" in said(await WebSeat(served.url, other).get("/view"))
    await browser.send(f"/view/{code}", {})
    (token,) = (cookie.value for cookie in browser.browser.cookie_jar)
    assert (await post(browser, f"/view/{token}"))[0] == 401


async def test_nobody_changes_whose_inbox_it_is(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    await browser.sign_in(served.sign_in_code(DANA.id))
    await browser.send(await link(served, long), {})
    assert "Full view" in (await browser.get("/view")).one("main").text
    assert "Signed in as Dana Okafor" in (await browser.get("/")).text
    (inbox,) = [c for c in browser.browser.cookie_jar if c.key == "keyturn"]
    assert token_kind(inbox.value) is TokenKind.SESSION


async def test_a_link_of_somebody_else_opens_nothing_and_is_over(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    path = await link(served, long)
    await browser.sign_in(served.sign_in_code(MIRA.id))
    status, told = await post(browser, path)
    assert status == 403
    assert "signed in to the inbox here as another person" in told
    assert "Mira Lindqvist" in (await browser.get("/")).text
    assert {cookie.key for cookie in browser.browser.cookie_jar} == {"keyturn"}
    browser.browser.cookie_jar.clear()
    assert (await post(browser, path))[0] == 401


async def test_who_signs_in_after_it_does_not_read_on(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    await browser.send(await link(served, long), {})
    form = await the_end(browser)
    await browser.sign_in(served.sign_in_code(MIRA.id))
    for page in (await browser.get("/view"), await browser.send("/view", form)):
        assert "for somebody else" in said(page)
    assert recorded(served) == []


async def test_another_link_takes_the_place_of_the_first(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    access = next(p for p in served.desk.proposals.values() if p.idempotency_key == "key-2")
    await browser.send(await link(served, long), {})
    form = await the_end(browser)
    await browser.send(await link(served, access.id, SAM.id), {})
    page = await browser.get("/view")
    assert "Sam Castillo" in page.text
    assert served.desk.proposals[long].preview.effect not in page.text
    assert "Open the last page" in said(await browser.send("/view", form))
    assert recorded(served) == []
    assert len(await served.shelf.list(KIND)) == 1


async def test_it_ends_by_itself(served: Served, browser: WebSeat, long: ProposalId) -> None:
    await browser.send(await link(served, long), {})
    (token,) = (cookie.value for cookie in browser.browser.cookie_jar)
    served.clock.advance(VIEWER_S - 1)
    assert "Full view" in (await browser.get("/view")).one("main").text
    served.clock.advance(1)
    async with ClientSession(cookies={"keyturn-view": token}) as other:
        assert "its time is over" in said(await WebSeat(served.url, other).get("/view"))


async def test_only_hashes_are_kept(served: Served, browser: WebSeat, long: ProposalId) -> None:
    await browser.send(await link(served, long), {})
    (token,) = (cookie.value for cookie in browser.browser.cookie_jar)
    (item,) = await served.shelf.list(KIND)
    assert item.key == token_hash(token)
    assert token.encode() not in item.value


@pytest.mark.parametrize("changed", ["form", "served", "both", "nothing at all"])
async def test_the_end_cannot_be_claimed_without_being_served(
    served: Served, browser: WebSeat, long: ProposalId, changed: str
) -> None:
    await browser.send(await link(served, long), {})
    form = await the_end(browser)
    wrong = {name: "0" * 64 for name in form if changed in (name, "both")}
    sent = {} if changed == "nothing at all" else form | wrong
    assert said(await browser.send("/view", sent))
    assert recorded(served) == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {}],
)
async def test_only_our_own_page_opens_it_or_ends_it(
    served: Served, browser: WebSeat, long: ProposalId, headers: dict[str, str]
) -> None:
    path = await link(served, long)
    async with browser.browser.post(served.url + path, data={}, headers=headers) as answer:
        assert answer.status == 403
        assert answer.headers["Referrer-Policy"] == "strict-origin"
    await browser.send(path, {})
    form = await the_end(browser)
    async with browser.browser.post(f"{served.url}/view", data=form, headers=headers) as answer:
        assert answer.status == 403
    assert recorded(served) == []


async def test_only_its_own_name_leads_to_it(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    path = await link(served, long)
    assert (await post(browser, path, Host="evil.example"))[0] == 421
    assert (await post(browser, path))[0] == 303


async def test_the_address_is_told_to_nobody(
    served: Served, browser: WebSeat, long: ProposalId
) -> None:
    path = await link(served, long)
    answers: list[ClientResponse] = []
    for visit in (path, "/view"):
        async with browser.browser.get(served.url + visit) as answer:
            answers.append(answer)
    async with browser.browser.post(
        served.url + path, data={}, headers={"Origin": served.url}, allow_redirects=False
    ) as answer:
        answers.append(answer)
    for answer in answers:
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    cookie = answers[-1].headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert answers[-1].headers["Location"] == "/view"


async def test_no_log_holds_the_code(
    served: Served, browser: WebSeat, long: ProposalId, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = await link(served, long)
    code = path.rpartition("/")[2]
    served.desk.view_codes[code] = None  # type: ignore[assignment] # the desk falls over it
    assert (await post(browser, path))[0] == 500
    assert caplog.records
    assert [r for r in caplog.records if code in f"{r.getMessage()} {vars(r)}"] == []
