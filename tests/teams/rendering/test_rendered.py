"""Cards in a real browser, drawn by Microsoft's own renderer with the looks of Teams."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, async_playwright

from adapters.teams.card import render_card
from adapters.teams.text import as_shown
from bot.core.states import State
from bot.core.told import NOT_RECORDED, Told
from tests.chats.full_cards import an_outcome, full_of
from tests.teams.rendering.golden import all_of_them
from tests.teams.rendering.reading import card_in, elements
from tests.teams.rendering.renderer import SCHEMES, NoRenderer, Renderer, install
from tests.teams.rendering.scenes import a_teams_day
from tests.teams.rendering.teams_hostile import EXPANDED, TEAMS_HOSTILE
from tests.web.pictures import BROWSER_ARGS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

DAY = a_teams_day()

#: What is on the page: what a client would open, load or run, and every text of others as it is
#: read, where a line break is an element.
_LOOK = """
() => {
  const place = document.getElementById("card");
  const read = (node) => node.nodeName === "BR" ? "\\n"
    : node.nodeType === Node.TEXT_NODE ? node.data
    : Array.from(node.childNodes, read).join("");
  return {
    links: place.querySelectorAll("a, [href]").length,
    images: place.querySelectorAll("img, svg image, video, audio, iframe").length,
    active: place.querySelectorAll("script, style, form, b, i, em, strong, h1, code").length,
    title: document.title,
    quoted: Array.from(place.querySelectorAll(".ac-richTextBlock"), read),
  };
}
"""
#: Elements that reach beyond the card, or whose text does not fit into them.
_BEYOND = """
() => {
  const place = document.getElementById("card");
  const edge = place.getBoundingClientRect().right + 1;
  const seen = (one) => one.offsetParent !== null;
  return Array.from(place.querySelectorAll("*"))
    .filter((one) => seen(one) && (one.getBoundingClientRect().right > edge
      || (one.nodeName === "BUTTON" && one.scrollWidth > one.clientWidth + 1)))
    .map((one) => `${one.className}: ${one.textContent.slice(0, 60)}`);
}
"""


@pytest.fixture(scope="module")
def renderer() -> Any:
    # Outside of the tree, and gone afterwards.
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield install(Path(folder))
        except NoRenderer as why:
            pytest.skip(str(why))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Path, renderer: Renderer) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(BROWSER_ARGS)
        )
        context = await browser.new_context(
            viewport={"width": 320, "height": 600}, timezone_id="Europe/Lisbon", locale="en-GB"
        )
        page = await context.new_page()
        await renderer.open(page)
        yield page
        await browser.close()


def a_card_of(text: str) -> Any:
    """Return a card that has *text* everywhere."""
    card = replace(full_of(DAY.card("doubt"), text), outcome=an_outcome())
    assert card.state is State.IN_DOUBT
    return render_card(card, told=Told(NOT_RECORDED, text)).card


async def test_no_text_becomes_a_link_an_image_or_a_date(page: Page, renderer: Renderer) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    wrong: dict[str, Any] = {}
    for text in TEAMS_HOSTILE:
        card = a_card_of(text)
        complaints = await renderer.show(page, card)
        seen = await page.evaluate(_LOOK)
        quoted = [
            "".join(run["text"] for run in one["inlines"])
            for one in elements(card["body"])
            if one.get("type") == "RichTextBlock"
        ]
        is_inert = (seen["links"], seen["images"], seen["active"]) == (0, 0, 0)
        if complaints or not is_inert or seen["title"] != "Card" or seen["quoted"] != quoted:
            wrong[text] = complaints, seen, quoted
        assert [as_shown(run) for run in seen["quoted"]] == [as_shown(run) for run in quoted]
    assert wrong == {}
    assert asked == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[Approve](https://evil.example)", "links"),
        ("![key](data:image/png;base64,iVBORw0KGgo=)", "images"),
        ("**Approved**", "active"),
    ],
)
async def test_the_renderer_would_act_on_the_same_text_as_our_own_words(
    page: Page, renderer: Renderer, text: str, what: str
) -> None:
    body = [{"type": "TextBlock", "text": text}]
    await renderer.show(page, {"type": "AdaptiveCard", "version": "1.5", "body": body})
    assert (await page.evaluate(_LOOK))[what] > 0


@pytest.mark.parametrize("text", EXPANDED[:5])
async def test_the_renderer_would_put_a_date_into_a_run_that_holds_both_braces(
    page: Page, renderer: Renderer, text: str
) -> None:
    body = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text}]}]
    await renderer.show(page, {"type": "AdaptiveCard", "version": "1.5", "body": body})
    (quoted,) = (await page.evaluate(_LOOK))["quoted"]
    assert quoted != text


async def test_every_card_is_drawn_without_complaint_and_without_a_link(
    page: Page, renderer: Renderer
) -> None:
    for name, activity in all_of_them().items():
        assert await renderer.show(page, card_in(activity)) == [], name
        seen = await page.evaluate(_LOOK)
        assert (name, seen["links"], seen["images"]) == (name, 0, 0)


async def test_every_card_can_be_read_in_a_narrow_window(page: Page, renderer: Renderer) -> None:
    for scheme in SCHEMES:
        for name, activity in all_of_them().items():
            await renderer.show(page, card_in(activity), scheme)
            assert (name, await page.evaluate(_BEYOND)) == (name, [])


@pytest.mark.parametrize("text", ["x" * 2_000, "⟨" * 300, "é" * 900, "/a-b_c" * 200, "{" * 700])
async def test_a_long_word_is_not_cut_off(page: Page, renderer: Renderer, text: str) -> None:
    await renderer.show(page, a_card_of(text))
    assert await page.evaluate(_BEYOND) == []


async def test_what_reaches_beyond_a_narrow_window_would_be_noticed(
    page: Page, renderer: Renderer
) -> None:
    inlines = [{"type": "TextRun", "text": "x" * 300}]
    body = [{"type": "RichTextBlock", "inlines": inlines}]
    await renderer.show(page, {"type": "AdaptiveCard", "version": "1.5", "body": body})
    assert await page.evaluate(_BEYOND) != []
