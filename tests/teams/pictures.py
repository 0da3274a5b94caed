"""Takes pictures of every card in Teams: ``python -m tests.teams.pictures FOLDER [NAME]``.

Teams' own clients cannot be run here. Microsoft's renderer draws the cards with the host
configuration of Teams; the frame around them and the looks of the buttons are close to it.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, async_playwright

from tests.teams.rendering.golden import all_of_them
from tests.teams.rendering.renderer import SCHEMES, Renderer, install
from tests.web.pictures import BROWSER_ARGS, found_chromium

WIDTHS: Final = (320, 480)


async def take_all(folder: Path, executable: Path, renderer: Renderer, only: str = "") -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(BROWSER_ARGS)
        )
        for width in WIDTHS:
            for scheme in SCHEMES:
                await _take(browser, folder, renderer, width=width, scheme=scheme, only=only)
        await browser.close()


async def _take(
    browser: Browser, folder: Path, renderer: Renderer, *, width: int, scheme: Any, only: str
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 200},
        color_scheme=scheme,
        timezone_id="Europe/Lisbon",
        locale="en-GB",
        device_scale_factor=2,
    )
    page = await context.new_page()
    await renderer.open(page)
    await page.mouse.move(0, 0)
    for name, activity in all_of_them().items():
        if only not in name:
            continue
        complaints = await renderer.show(page, activity["attachments"][0]["content"], scheme)
        for complaint in complaints:
            sys.stderr.write(f"{name}: {complaint}\n")
        await page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        if await _has_questions(page):
            await page.screenshot(
                path=folder / f"{name}-opened-{width}-{scheme}.png", full_page=True
            )
    await context.close()


async def _has_questions(page: Any) -> bool:
    """Open the first question inside the card, if there is one."""
    press = page.locator(".ac-pushButton.expandable").first
    if not await press.count():
        return False
    await press.click()
    await page.mouse.move(0, 0)
    return True


if __name__ == "__main__":
    chromium = found_chromium()
    if chromium is None:
        sys.exit("There is no chromium on the PATH; name one in KEYTURN_CHROMIUM.")
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(take_all(into, chromium, install(Path(place)), *sys.argv[2:]))
