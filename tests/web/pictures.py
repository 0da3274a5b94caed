"""Takes the pictures of every page: ``python -m tests.web.pictures FOLDER``."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from bot.core.actors import Person
from bot.core.ids import ProposalId
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from tests.web.scenes import DANA, LEILA, MIRA, a_crowd, a_day, many_scripts, stop_the_keeper
from tests.web.serving import Served, serving

#: Nothing here needs the network, a GPU or a sandbox of its own.
BROWSER_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
)
WIDTHS = {"wide": 1280, "phone": 360}
SCHEMES = ("light", "dark")


async def take_all(folder: Path, executable: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(BROWSER_ARGS)
        )
        for width_name, width in WIDTHS.items():
            for scheme in SCHEMES:
                names: dict[str, str] = {}

                def desk(clock: ManualClock, names: dict[str, str] = names) -> MemoryDesk:
                    made, proposals = a_day(clock)
                    names.update(proposals)
                    stop_the_keeper(made)
                    return made

                suffix = f"{width_name}-{scheme}"
                async with serving(desk) as served, _page(browser, width, scheme, served) as page:
                    await _walk(page, served, names, folder, suffix)
                async with (
                    serving(a_crowd) as served,
                    _page(browser, width, scheme, served) as page,
                ):
                    await _take(
                        page, served, DANA, {"crowd": "/?page=2"}, into=folder, suffix=suffix
                    )
                scripts: dict[str, str] = {}

                def many(clock: ManualClock, names: dict[str, str] = scripts) -> MemoryDesk:
                    made, proposals = many_scripts(clock)
                    names.update(proposals)
                    return made

                async with serving(many) as served, _page(browser, width, scheme, served) as page:
                    paths = {name: f"/proposals/{proposal}" for name, proposal in scripts.items()}
                    paths = {"scripts": "/", **paths}
                    await _take(page, served, LEILA, paths, into=folder, suffix=suffix)
        await browser.close()


@asynccontextmanager
async def _page(browser: Browser, width: int, scheme: str, served: Served) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        timezone_id="Europe/Lisbon",
        locale="en-GB",
        device_scale_factor=2 if width < 500 else 1,
    )
    page = await context.new_page()
    await page.clock.install(time=served.clock.now())
    yield page
    await context.close()


async def _take(
    page: Page, served: Served, who: Person, paths: Mapping[str, str], *, into: Path, suffix: str
) -> None:
    await page.goto(f"{served.url}/signin#{served.sign_in_code(who.id)}")
    await page.wait_for_url(served.url + "/")
    for name, path in paths.items():
        await page.goto(served.url + path)
        await page.screenshot(path=into / f"{name}-{suffix}.png", full_page=True)


async def _walk(
    page: Page, served: Served, names: dict[str, str], folder: Path, suffix: str
) -> None:
    async def take(name: str, path: str) -> None:
        await page.goto(served.url + path)
        await page.screenshot(path=folder / f"{name}-{suffix}.png", full_page=True)

    await take("signin", "/signin")
    await page.goto(f"{served.url}/signin#{served.sign_in_code(DANA.id)}")
    await page.wait_for_url(served.url + "/")
    await take("inbox", "/")
    for name in ("forum", "access", "long", "doubt", "hostile", "done", "rejected"):
        await take(name, f"/proposals/{names[name]}")
    for name in ("recent", "withdrawn", "undo"):
        await take(name, f"/proposals/{names[name]}")
    await take("undo-it", f"/proposals/{names['recent']}/undo")
    await take("full", f"/proposals/{names['long']}/full")
    link = await served.desk.view_link(DANA.id, ProposalId(names["long"]), chat="teams")
    await take("view-link", link.url_path)
    await page.get_by_role("button", name="Show it").click()
    await page.wait_for_url(f"{served.url}/view")
    await take("view", "/view")
    await take("history", f"/proposals/{names['done']}/history")
    await take("stop", f"/proposals/{names['forum']}/stop")
    await page.goto(f"{served.url}/proposals/{names['forum']}")
    await page.locator("summary", has_text="Reject").click()
    await page.screenshot(path=folder / f"reject-{suffix}.png", full_page=True)
    await page.goto(f"{served.url}/proposals/{names['forum']}")
    await page.get_by_role("button", name="Approve").click()
    await page.wait_for_selector(".flash")
    await page.screenshot(path=folder / f"approved-{suffix}.png", full_page=True)
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(f"{served.url}/signin")
    await page.goto(f"{served.url}/signin#{served.sign_in_code(MIRA.id)}")
    await page.wait_for_url(served.url + "/")
    served.desk.proposals.clear()
    served.desk.halts.clear()
    await take("empty", "/")
    await take("missing", "/proposals/prp_" + "0" * 26)


def found_chromium() -> Path | None:
    named = os.environ.get("KEYTURN_CHROMIUM") or shutil.which("chromium")
    return Path(named) if named else None


if __name__ == "__main__":
    chromium = found_chromium()
    if chromium is None:
        sys.exit("There is no chromium on the PATH; name one in KEYTURN_CHROMIUM.")
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(into, chromium))
