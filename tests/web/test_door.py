"""Who gets in, what every answer carries, and how a session ends."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession, CookieJar, web

from adapters.web import WebInbox
from adapters.web.session import KIND, Sessions
from adapters.web.site import Site
from bot.core.errors import SettingsInvalid, StoreUnavailable
from bot.core.ids import ProposalId
from bot.core.tokens import TokenKind, spell_token, token_hash, token_kind
from bot.testing.clock import ManualClock
from store.memory.shelf import MemoryShelf
from tests.web.dom import Parser
from tests.web.scenes import DANA, MIRA, SAM, a_day
from tests.web.seat import WebSeat, fields, said
from tests.web.serving import Chance, Served, serving

PAGES = (
    "/",
    "/proposals/{}",
    "/proposals/{}/full",
    "/proposals/{}/history",
    "/proposals/{}/receipt",
    "/proposals/{}/stop",
)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(lambda clock: a_day(clock)[0]) as served:
        yield served


@pytest.fixture
async def stranger(served: Served) -> AsyncIterator[WebSeat]:
    async with ClientSession(cookie_jar=CookieJar()) as browser:
        yield WebSeat(served.url, browser)


@pytest.fixture
async def dana(served: Served, stranger: WebSeat) -> WebSeat:
    return await stranger.sign_in(served.sign_in_code(DANA.id))


@pytest.fixture
def forum(served: Served) -> ProposalId:
    return next(p.id for p in served.desk.proposals.values() if p.idempotency_key == "key-1")


async def test_a_link_signs_in_once(served: Served, stranger: WebSeat) -> None:
    code = served.sign_in_code(DANA.id)
    form = {"code": code, "then": "/"}
    assert "Dana Okafor" in (await stranger.send("/signin", form)).text
    stranger.browser.cookie_jar.clear()
    again = await stranger.send("/signin", form)
    assert "This link was used, or it is too old." in again.text


async def test_the_code_stands_where_browsers_do_not_send_it(served: Served) -> None:
    async with ClientSession() as browser, browser.get(f"{served.url}/signin#secret") as answer:
        assert "secret" not in str(answer.request_info.url.path_qs)
        assert "secret" not in await answer.text()


async def test_after_signing_in_one_is_where_one_wanted_to_be(
    served: Served, stranger: WebSeat, forum: ProposalId
) -> None:
    page = await stranger.get(f"/proposals/{forum}/full")
    form = fields(page.one("form")) | {"code": served.sign_in_code(DANA.id)}
    assert form["then"] == f"/proposals/{forum}/full"
    async with stranger.browser.post(
        f"{served.url}/signin", data=form, headers={"Origin": served.url}
    ) as answer:
        assert answer.url.path == form["then"]


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example/", "/\\evil.example", "/signout", "/static/x"]
)
async def test_nobody_is_sent_elsewhere_after_signing_in(
    served: Served, stranger: WebSeat, then: str
) -> None:
    form = {"code": served.sign_in_code(DANA.id), "then": then}
    async with stranger.browser.post(
        f"{served.url}/signin", data=form, headers={"Origin": served.url}, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_the_cookie_is_for_this_site_and_not_for_scripts(
    served: Served, stranger: WebSeat
) -> None:
    form = {"code": served.sign_in_code(DANA.id)}
    async with stranger.browser.post(
        f"{served.url}/signin", data=form, headers={"Origin": served.url}, allow_redirects=False
    ) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("keyturn=kts_")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_over_https_the_cookie_is_bound_to_the_host() -> None:
    clock = ManualClock()
    sessions = Sessions(
        MemoryShelf(clock=clock),
        clock=clock,
        entropy=Chance(),
        secure=True,
        whole_s=60,
        idle_s=60,
    )
    response = web.Response()
    sessions.set_cookie(response, "token")
    morsel = response.cookies["__Host-keyturn"]
    assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")


async def test_only_the_hash_of_a_session_is_kept(served: Served, dana: WebSeat) -> None:
    (cookie,) = (c.value for c in dana.browser.cookie_jar)
    assert token_kind(cookie) is TokenKind.SESSION
    (item,) = await served.shelf.list(KIND)
    assert item.key == token_hash(cookie)
    assert cookie.encode() not in item.value


async def test_a_token_of_another_kind_is_no_session(served: Served) -> None:
    for kind in TokenKind:
        token = spell_token(kind, b"k" * 24)
        async with ClientSession(cookies={"keyturn": token}) as browser:
            assert "Sign in" in (await WebSeat(served.url, browser).get("/")).text


async def test_a_session_ends_when_nobody_is_there(served: Served, dana: WebSeat) -> None:
    for _ in range(3):
        served.clock.advance(3600)
        assert "Waiting for you" in (await dana.get("/")).text
    served.clock.advance(2 * 3600 + 1)
    assert "Waiting for you" not in (await dana.get("/")).text


async def test_a_session_ends_after_half_a_day_even_when_it_is_used(
    served: Served, dana: WebSeat
) -> None:
    for _ in range(11):
        served.clock.advance(3600)
        assert "Waiting for you" in (await dana.get("/")).text
    served.clock.advance(3600)
    assert "Waiting for you" not in (await dana.get("/")).text


async def test_a_page_that_looks_by_itself_does_not_keep_a_session(
    served: Served, dana: WebSeat
) -> None:
    for _ in range(3):
        served.clock.advance(3000)
        async with dana.browser.get(served.url, headers={"Keyturn-Live": "1"}) as answer:
            text = await answer.text()
    assert "Waiting for you" not in text


async def test_signing_out_ends_the_session_itself(served: Served, dana: WebSeat) -> None:
    (cookie,) = (c.value for c in dana.browser.cookie_jar)
    form = fields((await dana.get("/")).one("form", action="/signout"))
    await dana.send("/signout", form)
    async with ClientSession(cookies={"keyturn": cookie}) as browser:
        assert "Waiting for you" not in (await WebSeat(served.url, browser).get("/")).text


async def test_signing_in_anew_ends_the_earlier_session(served: Served, dana: WebSeat) -> None:
    await dana.send("/signin", {"code": served.sign_in_code(MIRA.id)})
    assert len(await served.shelf.list(KIND)) == 1


async def test_who_is_no_longer_active_is_signed_out(served: Served, dana: WebSeat) -> None:
    served.desk.people[DANA.id] = replace(DANA, active=False)
    assert "Waiting for you" not in (await dana.get("/")).text


@pytest.mark.parametrize(
    "path", [*PAGES, "/signin", "/proposals/prp_" + "0" * 26, "/static/icon.svg"]
)
async def test_every_answer_tells_browsers_what_it_may_not_do(
    dana: WebSeat, served: Served, forum: ProposalId, path: str
) -> None:
    async with dana.browser.get(served.url + path.format(forum)) as answer:
        policy = answer.headers["Content-Security-Policy"]
        headers = answer.headers
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(
        policy.split("; ")
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert ("no-store" in headers["Cache-Control"]) == ("static" not in path)


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_has_script_or_style_of_its_own(
    dana: WebSeat, forum: ProposalId, path: str
) -> None:
    page = await dana.get(path.format(forum))
    assert [node for node in page.all("script") if "src" not in node.attributes] == []
    assert page.all("style") == []
    named = [name for node in page.walk() for name in node.attributes]
    assert [name for name in named if name == "style" or name.startswith("on")] == []


async def test_only_its_own_name_leads_to_the_inbox(served: Served) -> None:
    async with (
        ClientSession() as browser,
        browser.get(f"{served.url}/signin", headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 421


async def test_a_browser_without_origin_may_say_where_the_form_came_from(
    served: Served, dana: WebSeat, forum: ProposalId
) -> None:
    page = await dana.get(f"/proposals/{forum}")
    form = fields(page.all("form", action=f"/proposals/{forum}/press")[0])
    await dana.send(
        f"/proposals/{forum}/press",
        form | {"button": "approve"},
        {"Sec-Fetch-Site": "same-origin"},
    )
    assert len(served.desk.clicks) == 1


async def test_what_is_not_theirs_does_not_exist_for_them(
    served: Served, stranger: WebSeat, forum: ProposalId
) -> None:
    sam = await stranger.sign_in(served.sign_in_code(SAM.id))
    for path in PAGES[1:]:
        async with sam.browser.get(served.url + path.format(forum)) as theirs:
            others = theirs.status, (await theirs.text()).replace(forum, "")
        missing = "prp_" + "0" * 26
        async with sam.browser.get(served.url + path.format(missing)) as nothing:
            assert (nothing.status, (await nothing.text()).replace(missing, "")) == others
        assert others[0] == 404


async def test_a_press_while_signed_out_is_answered(served: Served, stranger: WebSeat) -> None:
    page = await stranger.send("/proposals/prp_" + "0" * 26 + "/press", {"button": "approve"})
    assert "You are signed out" in said(page)
    assert "Nothing was recorded" in said(page)


async def test_a_press_is_answered_though_nothing_can_be_kept(
    served: Served, dana: WebSeat, forum: ProposalId
) -> None:
    page = await dana.get(f"/proposals/{forum}")
    form = fields(page.all("form", action=f"/proposals/{forum}/press")[0])
    served.desk.fail_with = StoreUnavailable("The record cannot be written now")
    answer = await dana.send(f"/proposals/{forum}/press", form | {"button": "approve"})
    assert "The record cannot be written now" in said(answer)


async def test_an_answer_is_said_again_to_whoever_reads_the_page_again(
    served: Served, dana: WebSeat, forum: ProposalId
) -> None:
    page = await dana.get(f"/proposals/{forum}")
    form = fields(page.all("form", action=f"/proposals/{forum}/press")[0])
    async with dana.browser.post(
        f"{served.url}/proposals/{forum}/press",
        data=form | {"button": "approve"},
        headers={"Origin": served.url},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 303
        there = answer.headers["Location"]
    for _ in range(2):
        assert "Approved. It will be carried out now." in said(await dana.get(there))


async def test_the_end_cannot_be_claimed_without_being_served(
    served: Served, dana: WebSeat
) -> None:
    long = next(p.id for p in served.desk.proposals.values() if p.idempotency_key == "key-3")
    secret = (await dana.get("/")).one("form", action="/signout").one("input").attributes["value"]
    answer = await dana.send(f"/proposals/{long}/viewed", {"form": secret, "served": "0" * 64})
    assert "Open the last page" in said(answer)
    assert [name for name, _ in served.desk.journal] == ["sign_in"]


@pytest.mark.parametrize("note", ["", "   ", "x" * 2001])
async def test_a_doubt_is_not_settled_without_a_note(
    served: Served, dana: WebSeat, note: str
) -> None:
    doubt = next(p.id for p in served.desk.proposals.values() if p.idempotency_key == "key-4")
    page = await dana.get(f"/proposals/{doubt}")
    form = fields(page.one("form", action=f"/proposals/{doubt}/press"))
    answer = await dana.send(
        f"/proposals/{doubt}/press", form | {"button": "settle_done", "note": note}
    )
    assert said(answer)
    assert served.desk.clicks == []


async def test_a_stop_is_ended_with_a_reason(
    served: Served, dana: WebSeat, forum: ProposalId
) -> None:
    stop = f"/proposals/{forum}/stop"
    form = fields((await dana.get(stop)).one("form", action=stop))
    await dana.send(stop, form | {"scope": "agent", "reason": "Wait."})
    inbox = await dana.get("/")
    assert "forum-analyst is stopped" in inbox.text
    (resume,) = [f for f in inbox.all("form") if f.attributes["action"].startswith("/halts/")]
    without = await dana.send(resume.attributes["action"], fields(resume))
    assert "A reason is needed" in said(without)
    given = fields(resume) | {"reason": "It was a test."}
    assert "Resumed" in said(await dana.send(resume.attributes["action"], given))
    assert "is stopped" not in (await dana.get("/")).text


async def test_everything_is_stopped_by_admins_alone(
    served: Served, stranger: WebSeat, dana: WebSeat
) -> None:
    form = fields((await dana.get("/stop")).one("form", action="/stop"))
    assert "Stopped" in said(await dana.send("/stop", form | {"reason": "Fire drill."}))
    dana.browser.cookie_jar.clear()
    mira = await stranger.sign_in(served.sign_in_code(MIRA.id))
    secret = (await mira.get("/")).one("form", action="/signout").one("input").attributes["value"]
    refused = await mira.send("/stop", {"form": secret, "scope": "all", "reason": "Me too."})
    assert "It is not yours to stop." in said(refused)


@pytest.mark.parametrize(
    "public_url", ["keyturn.example", "ftp://a.example", "https://a.example/inbox", "https://"]
)
def test_an_address_that_is_none_is_refused(public_url: str) -> None:
    with pytest.raises(SettingsInvalid):
        Site.at(public_url)


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://Keyturn.example/", "keyturn.example"),
        ("https://keyturn.example:443", "keyturn.example"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_the_host_is_spelled_as_browsers_send_it(public_url: str, host: str) -> None:
    assert Site.at(public_url).host == host


async def test_an_inbox_that_is_over_does_not_keep_its_listener(served: Served) -> None:
    assert isinstance(served.inbox, WebInbox)
    await served.inbox.close()


@pytest.mark.parametrize(
    ("path", "form", "status", "told"),
    [
        ("/proposals/prp_" + "0" * 26, None, 404, "the address is cut"),
        ("/stop", {"scope": "agent", "reason": "x"}, 422, "Go back"),
        ("/stop", {"scope": "all", "reason": " "}, 422, "A reason is"),
        ("/stop", {"scope": "all"}, 422, "A reason is needed"),
        ("/halts/hlt_" + "0" * 26 + "/resume", {"reason": ""}, 422, "A reason is"),
        ("/proposals/prp_" + "0" * 26 + "/press", {"button": "x"}, 422, "Go back"),
        ("/stop", {"scope": "all", "reason": "x", "form": "0" * 64}, 403, "Open"),
    ],
)
async def test_every_page_that_refuses_says_what_to_do(
    dana: WebSeat, path: str, form: dict[str, str] | None, status: int, told: str
) -> None:
    good = fields((await dana.get("/")).one("form", action="/signout"))
    url = dana.url + path
    if form is None:
        request = dana.browser.get(url)
    else:
        request = dana.browser.post(url, data=good | form, headers={"Origin": dana.url})
    async with request as answer:
        page = Parser.parse(await answer.text())

    assert answer.status == status
    assert told in page.one("main").text
    assert page.one("main").all("a", href="/")
