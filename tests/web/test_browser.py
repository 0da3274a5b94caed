"""The inbox in a real browser: what JavaScript adds, what works without, and who can use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bot.core.actors import Person
from bot.core.ids import ProposalId
from bot.core.states import State
from bot.core.untrusted import Untrusted, show
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from tests.web.pictures import BROWSER_ARGS
from tests.web.scenes import DANA, HOSTILE, LEILA, a_crowd, a_day, many_scripts, stop_the_keeper
from tests.web.serving import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE = {"width": 360, "height": 740}


@pytest_asyncio.fixture(loop_scope="module")
async def served() -> AsyncIterator[Served]:
    async with serving(lambda clock: a_day(clock)[0]) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(BROWSER_ARGS)
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """A page on which nothing may go wrong: no error, no refused script, no dialog."""
    context = await browser.new_context(timezone_id="America/New_York", locale="en-US")
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    await page.clock.install(time=served.clock.now())
    await page.goto(f"{served.url}/signin#{served.sign_in_code(DANA.id)}")
    await page.wait_for_url(f"{served.url}/")
    yield page
    await context.close()
    assert wrong == []


def named(served: Served, number: int) -> ProposalId:
    return next(
        p.id for p in served.desk.proposals.values() if p.idempotency_key == f"key-{number}"
    )


async def test_the_link_signs_in_and_leaves_no_code_behind(page: Page, served: Served) -> None:
    await expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    await page.go_back()
    assert "#" not in page.url


async def test_whoever_is_signed_in_is_asked_before_a_link_signs_in_anew(
    page: Page, served: Served
) -> None:
    await page.goto(f"{served.url}/signin#{served.sign_in_code(DANA.id)}")
    await expect(page.get_by_text("You are signed in as Dana Okafor")).to_be_visible()
    assert [name for name, _ in served.desk.journal] == ["sign_in"]


async def test_signing_out_leads_to_the_door_and_signs_out_every_open_page(
    page: Page, served: Served
) -> None:
    other = await page.context.new_page()
    await other.goto(f"{served.url}/proposals/{named(served, 1)}")
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(f"{served.url}/signin")
    await other.wait_for_url(f"{served.url}/signin?then=/proposals/{named(served, 1)}")


async def test_a_new_card_appears_by_itself(page: Page, served: Served) -> None:
    card_id = named(served, 1)
    held = served.desk.proposals.pop(card_id)
    await page.reload()
    await expect(page.locator("[data-card]")).to_have_count(4)
    assert (await page.title()).startswith("(4) ")
    served.desk.hold(held)
    card = served.desk.card_for(DANA.id, card_id, max_chars=4000)
    await served.inbox.post(card, DANA.id, key="first")
    await expect(page.locator(f"[data-card={card_id}]")).to_be_visible()
    assert (await page.title()).startswith("(5) ")
    await expect(page.locator("#news")).to_contain_text("A new card waits for you. forum-analyst")


async def test_a_notification_says_who_wants_to_do_what_and_where(
    page: Page, served: Served
) -> None:
    await page.context.grant_permissions(["notifications"], origin=served.url)
    # The real one is shown too; what it was given cannot be read back otherwise.
    await page.add_init_script(
        """globalThis.told = [];
        globalThis.Notification = class extends Notification {
          constructor(title, options) { super(title, options); told.push([title, options.body]); }
        };"""
    )
    card_id = named(served, 1)
    held = served.desk.proposals.pop(card_id)
    await page.reload()
    await expect(page.locator("[data-card]")).to_have_count(4)
    served.desk.hold(held)
    for _ in range(2):
        await served.inbox.post(
            served.desk.card_for(DANA.id, card_id, max_chars=4000), DANA.id, key="first"
        )
    await expect(page.locator(f"[data-card={card_id}]")).to_be_visible()
    ((title, body),) = await page.evaluate("told")
    assert title == "forum-analyst: " + held.preview.effect
    assert held.preview.target in body
    assert held.facts.audience.who in body


async def test_a_card_that_is_decided_elsewhere_loses_its_buttons_while_it_is_open(
    page: Page, served: Served
) -> None:
    card_id = named(served, 1)
    await page.goto(f"{served.url}/proposals/{card_id}")
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    served.desk.hold(
        replace(served.desk.proposals[card_id], state=State.REJECTED, changed_at=served.clock.now())
    )
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(page.locator("article")).to_contain_text("Rejected.")


async def test_words_that_are_being_typed_survive_a_change_of_the_page(
    page: Page, served: Served
) -> None:
    card_id = named(served, 2)
    await page.goto(f"{served.url}/proposals/{card_id}")
    await page.locator("summary", has_text="Reject").click()
    await page.get_by_label("Why not?").fill("The ticket is clo")
    held = served.desk.proposals[card_id]
    served.desk.hold(replace(held, decisions=()), approvers=served.desk.approvers[card_id])
    await expect(page.locator(".people")).to_contain_text("nobody has approved yet")
    await expect(page.get_by_label("Why not?")).to_have_value("The ticket is clo")
    await expect(page.get_by_label("Why not?")).to_be_focused()


async def test_many_open_pages_share_one_stream(browser: Browser, served: Served) -> None:
    context = await browser.new_context()
    streams: list[str] = []
    context.on("request", lambda sent: streams.append(sent.url) if "/events" in sent.url else None)
    pages = [await context.new_page() for _ in range(3)]
    await pages[0].goto(f"{served.url}/signin#{served.sign_in_code(DANA.id)}")
    await pages[0].wait_for_url(f"{served.url}/")
    for page in pages[1:]:
        await page.goto(served.url)
    served.desk.proposals.pop(named(served, 1))
    for page in pages:
        await expect(page.locator("[data-card]")).to_have_count(4)
    assert len(streams) == 1
    await context.close()


async def test_times_are_told_in_the_readers_zone(page: Page, served: Served) -> None:
    await page.goto(f"{served.url}/proposals/{named(served, 1)}")
    await expect(page.locator(".brief time").first).to_have_text("in 54 minutes (10:02 AM EDT)")
    await expect(page.get_by_role("contentinfo")).to_contain_text("(America/New_York)")


async def test_it_is_decided_with_the_keyboard_alone(page: Page, served: Served) -> None:
    card_id = named(served, 1)
    await page.goto(f"{served.url}/proposals/{card_id}")
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.value") == "approve":
            break
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").last).to_contain_text("Approved")
    (click,) = served.desk.clicks
    assert (click.proposal, click.button) == (card_id, "approve")


async def test_pressing_twice_is_pressing_once(page: Page, served: Served) -> None:
    await page.goto(f"{served.url}/proposals/{named(served, 1)}")
    await page.get_by_role("button", name="Approve").dblclick()
    await page.wait_for_selector(".flash")
    assert len(served.desk.clicks) == 1


async def test_what_does_not_fit_is_read_to_its_end_and_then_approved(
    page: Page, served: Served
) -> None:
    card_id = named(served, 3)
    await page.goto(f"{served.url}/proposals/{card_id}")
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    await page.get_by_role("link", name="Open the full view").click()
    text = await page.locator(".whole").evaluate("node => node.textContent")
    assert text == show(Untrusted(served.desk.proposals[card_id].action_json))
    await page.get_by_role("button", name="I have read it to the end").click()
    await page.get_by_role("button", name="Approve").click()
    await page.wait_for_selector(".flash")
    assert [name for name, _ in served.desk.journal] == ["sign_in", "viewed", "press"]


async def test_hostile_text_is_text(page: Page, served: Served) -> None:
    card_id = named(served, 5)
    for path in (
        "/",
        f"/proposals/{card_id}",
        f"/proposals/{card_id}/full",
        f"/proposals/{card_id}/stop",
    ):
        await page.goto(served.url + path)
        assert (
            await page.locator("main :is(script, iframe, b, [onerror], img:not([alt='']))").count()
            == 0
        )
        hosts = await page.locator("a").evaluate_all("links => links.map(a => a.host)")
        assert set(hosts) == {served.url.removeprefix("http://")}
    await page.goto(f"{served.url}/proposals/{card_id}")
    texts = await page.locator("pre").evaluate_all("all => all.map(node => node.textContent)")
    assert show(Untrusted(HOSTILE)) in texts


async def test_everything_works_without_javascript(browser: Browser, served: Served) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(served.url)
    await page.get_by_label("Code").fill(served.sign_in_code(DANA.id))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Publish an answer to “Time-outs").click()
    await expect(page.locator(".brief time").first).to_have_text(
        "in 54 minutes (14 Mar 2030, 14:02 UTC)"
    )
    await expect(page.get_by_role("contentinfo")).to_contain_text("Times are in UTC.")
    await page.locator("summary", has_text="Reject").click()
    await page.get_by_label("Why not?").fill("Ask the database team first.")
    await page.get_by_role("button", name="Reject it").click()
    await expect(page.locator(".flash")).to_contain_text("Rejected. The agent is told.")
    (click,) = served.desk.clicks
    assert click.note == "Ask the database team first."
    await context.close()


async def every_page(served: Served, context: BrowserContext) -> AsyncIterator[Page]:
    page = await context.new_page()
    await page.goto(f"{served.url}/signin")
    yield page
    await page.goto(f"{served.url}/signin#{served.sign_in_code(DANA.id)}")
    await page.wait_for_url(f"{served.url}/")
    stop_the_keeper(served.desk)
    paths = ["/", "/stop", "/proposals/prp_" + "0" * 26]
    paths += [f"/proposals/{named(served, number)}" for number in (1, 2, 3, 4, 5, 6, 7)]
    paths += [f"/proposals/{named(served, 3)}/{more}" for more in ("full", "stop")]
    paths += [f"/proposals/{named(served, 6)}/history"]
    for path in paths:
        await page.goto(served.url + path)
        for summary in await page.locator("summary").all():
            await summary.click()
        yield page
    await page.goto(f"{served.url}/proposals/{named(served, 1)}")
    await page.get_by_role("button", name="Approve").click()
    await page.wait_for_selector(".flash")
    yield page
    served.desk.proposals.clear()
    await page.goto(served.url)
    yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(browser: Browser, served: Served, scheme: Any) -> None:
    context = await browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    found: list[str] = []
    async for page in every_page(served, context):
        results = await Axe().run(page)
        found += [
            f"{page.url}: {v['id']} {v['nodes'][0]['target']} {v['nodes'][0]['failureSummary']}"
            for v in results.response["violations"]
            if v["impact"] in {"serious", "critical"}
        ]
    await context.close()
    assert found == []


async def test_every_page_fits_a_narrow_phone(browser: Browser, served: Served) -> None:
    context = await browser.new_context(viewport=PHONE)
    wide: list[str] = []
    async for page in every_page(served, context):
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide.append(f"{page.url}: {width}")
    await context.close()
    assert wide == []


async def test_what_was_pressed_is_not_told_as_less_than_what_became_of_it(
    page: Page, served: Served
) -> None:
    await page.goto(f"{served.url}/proposals/{named(served, 1)}")
    await page.get_by_role("button", name="Approve").click()
    await expect(page.locator(".flash")).to_have_text(
        "Recorded. Approved. It will be carried out now."
    )


@asynccontextmanager
async def signed_in(
    browser: Browser, served: Served, who: Person, **context: Any
) -> AsyncIterator[Page]:
    opened = await browser.new_context(**context)
    page = await opened.new_page()
    await page.goto(f"{served.url}/signin#{served.sign_in_code(who.id)}")
    await page.wait_for_url(f"{served.url}/")
    yield page
    await opened.close()


async def test_a_long_inbox_is_read_page_by_page_the_oldest_first(browser: Browser) -> None:
    async with serving(a_crowd) as served, signed_in(browser, served, DANA) as page:
        first = page.locator(".row-waiting a").first
        pages = page.get_by_role("navigation", name="Pages of what waits")
        await expect(page.get_by_role("heading", name="Waiting for you 120")).to_be_visible()
        await expect(first).to_have_text("Delete message 1 from the folder Newsletters")
        await expect(page.locator(".row-waiting")).to_have_count(50)

        await pages.get_by_role("link", name="Later").click()
        await expect(first).to_have_text("Delete message 51 from the folder Newsletters")
        await expect(pages).to_contain_text("Page 2 of 3")

        await pages.get_by_role("link", name="Newest").click()
        await expect(page.locator(".row-waiting")).to_have_count(20)
        await expect(pages.get_by_role("link", name="Later")).to_have_count(0)
        await pages.get_by_role("link", name="Oldest").click()
        await expect(first).to_have_text("Delete message 1 from the folder Newsletters")


OVERFLOWING = """
() => [...document.querySelectorAll("main *")]
  .filter(node => !node.closest(".unseen, .scroll") && node.getClientRects().length)
  .filter(node => {
    const box = node.getBoundingClientRect(), frame = node.closest("main").getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1;
  })
  .map(node => `${node.localName}.${node.className}: ${node.textContent.trim().slice(0, 40)}`)
"""


@pytest.mark.parametrize("width", [360, 1280])
async def test_text_from_right_to_left_and_endless_words_stay_in_their_box(
    browser: Browser, width: int
) -> None:
    names: dict[str, ProposalId] = {}

    def desk(clock: ManualClock) -> MemoryDesk:
        made, proposals = many_scripts(clock)
        names.update(proposals)
        return made

    size: Any = {"width": width, "height": 740}
    async with (
        serving(desk) as served,
        signed_in(browser, served, LEILA, viewport=size) as page,
    ):
        for path in ("/", *(f"/proposals/{proposal}" for proposal in names.values())):
            await page.goto(served.url + path)
            assert await page.evaluate(OVERFLOWING) == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        codes = page.locator("mark.code")
        assert set(await codes.all_text_contents()) >= {"⟨U+202E⟩", "⟨U+2067⟩"}
        told = {
            await code.evaluate("node => getComputedStyle(node).direction")
            for code in await codes.all()
        }
        assert told == {"ltr"}


async def test_pages_can_be_read_with_letters_twice_as_large(
    browser: Browser, served: Served
) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    wide: list[str] = []
    async for page in every_page(served, context):
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > 1280:
            wide.append(f"{page.url}: {width}")
    await context.close()
    assert wide == []


async def test_every_page_has_its_landmarks_and_one_heading_above_all(
    browser: Browser, served: Served
) -> None:
    context = await browser.new_context()
    lacking: list[str] = []
    async for page in every_page(served, context):
        for what, count in {
            "banner": await page.get_by_role("banner").count(),
            "main": await page.get_by_role("main").count(),
            "contentinfo": await page.get_by_role("contentinfo").count(),
            "h1": await page.locator("h1").count(),
            "lang": await page.locator("html[lang=en]").count(),
            "title": int(" · Keyturn" in await page.title()),
        }.items():
            if count != 1:
                lacking.append(f"{page.url}: {count} of {what}")
        unnamed = page.locator("main section:not([aria-label], [aria-labelledby])")
        if await unnamed.count():
            lacking.append(f"{page.url}: a section without a name")
    await context.close()
    assert lacking == []
