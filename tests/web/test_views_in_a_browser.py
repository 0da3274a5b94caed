"""The full view that a link opens, in a real browser: what is sent, what is kept, how it looks."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    Browser,
    BrowserContext,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from bot.core.ids import ProposalId
from tests.web.pictures import BROWSER_ARGS
from tests.web.scenes import DANA, a_day
from tests.web.serving import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: ViewportSize = {"width": 360, "height": 740}


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
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(timezone_id="America/New_York", locale="en-US")
    yield context
    await context.close()


def long(served: Served) -> ProposalId:
    return next(p.id for p in served.desk.proposals.values() if p.idempotency_key == "key-3")


async def address(served: Served) -> str:
    made = await served.desk.view_link(DANA.id, long(served), chat="teams")
    return served.url + made.url_path


async def test_the_whole_is_read_from_the_link_to_its_end_by_the_keyboard(
    context: BrowserContext, served: Served
) -> None:
    page, wrong = await context.new_page(), []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(await address(served))
    await page.get_by_role("button", name="Show it").press("Enter")
    await page.wait_for_url(f"{served.url}/view")
    while await page.get_by_role("link", name="Next page").count():
        number = page.url
        await page.get_by_role("link", name="Next page").press("Enter")
        await page.wait_for_url(lambda url, number=number: url != number)  # type: ignore[misc]
    await page.get_by_role("button", name="I have read it to the end").press("Enter")
    told = page.get_by_role("status").filter(has_text="Now you can decide")
    await expect(told).to_contain_text("on the card in Microsoft Teams")
    assert served.desk.journal[-1] == ("viewed", (DANA.id, long(served), "teams"))
    assert wrong == []


async def test_no_request_tells_the_address_of_the_link(
    context: BrowserContext, served: Served
) -> None:
    page, sent = await context.new_page(), list[Request]()
    # Playwright takes no built-in function.
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108
    url = await address(served)
    code = url.rpartition("/")[2]
    await page.goto(url)
    await page.get_by_role("button", name="Show it").click()
    await page.wait_for_url(f"{served.url}/view")
    await page.reload()
    headers = [await request.all_headers() for request in sent]
    assert any(given.get("origin") == served.url for given in headers)
    assert [given for given in headers if code in str(given.get("referer"))] == []
    assert code not in await page.content()
    assert code not in await page.evaluate("document.referrer")


async def test_without_javascript_it_is_read_all_the_same(browser: Browser, served: Served) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(await address(served))
    await page.get_by_role("button", name="Show it").click()
    await expect(page.get_by_text("Shown to Dana Okafor")).to_be_visible()
    await page.goto(f"{served.url}/view?page=99")
    await page.get_by_role("button", name="I have read it to the end").click()
    await expect(page.get_by_text("Now you can decide")).to_be_visible()
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_of_it_can_be_used_by_everybody_on_a_narrow_phone(
    browser: Browser, served: Served, scheme: Any
) -> None:
    context = await browser.new_context(
        color_scheme=scheme, reduced_motion="reduce", viewport=PHONE
    )
    page, found = await context.new_page(), []
    url = await address(served)
    await page.goto(url)
    for step in ("offer", "first", "last", "end", "used"):
        match step:
            case "offer":
                pass
            case "first":
                await page.get_by_role("button", name="Show it").click()
            case "last":
                await page.goto(f"{served.url}/view?page=99")
            case "end":
                await page.get_by_role("button", name="I have read it to the end").click()
            case "used":
                await page.goto(url)
                await page.get_by_role("button", name="Show it").click()
        await page.wait_for_load_state()
        results = await Axe().run(page)
        found += [f"{step}: {violation['id']}" for violation in results.response["violations"]]
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            found.append(f"{step}: {width} px wide")
    await context.close()
    assert found == []
