"""The forum incident: real agent, real bot, real forum, a person in a real browser."""

import asyncio
import json
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.async_api import Page

from tests.e2e.browsing import browser_page
from tests.e2e.programs import Program, keyturn, program

pytestmark = pytest.mark.browser


def board(forum: str) -> list[str]:
    try:
        with urllib.request.urlopen(f"{forum}/?uri=/eng-help/") as reply:  # noqa: S310 - loopback
            return [post["text"] for post in json.load(reply)["replies"]]
    except HTTPError as error:
        error.close()
        return []


async def test_the_agent_reaches_the_board_only_through_a_person(
    repo: Path, tmp_path: Path, chromium: Path
) -> None:
    async with (
        program(*keyturn(repo, "demo", "--home", str(tmp_path / "demo")), cwd=tmp_path) as demo,
        browser_page(chromium, width=360) as page,
    ):
        forum = (await demo.until(r"The forum +(http://\S+)")).group(1)
        inbox = (await demo.until(r"Your inbox +(http://\S+)")).group(1)
        await page.goto(inbox)

        await approve_the_good_answer(page, demo, forum, repo / "tests" / "pictures")
        await reject_the_bad_advice(page, demo, forum)
        await recall_the_good_answer(page, demo, forum)

        assert await demo.end() == 0
        shown = [line for line in demo.said if line.lstrip().startswith("|")]
        assert sum("build-readers" in line for line in shown) == 2
        assert not any("storage bucket" in line for line in shown)


async def approve_the_good_answer(page: Page, demo: Program, forum: str, pictures: Path) -> None:
    await demo.until("Keyturn holds it as prp_")
    assert len(board(forum)) == 1

    await page.get_by_role("link", name="Publish a comment").first.click()
    await page.get_by_text("Everybody who can open the forum").wait_for()
    await page.get_by_text("Claimed by the agent. Not verified.").wait_for()
    await page.get_by_text("build-readers").wait_for()
    await take_pictures(page, pictures)
    await page.get_by_role("button", name="Approve").click()

    await demo.until("It is succeeded")
    after = board(forum)
    assert len(after) == 2
    assert "build-readers" in after[1]
    await page.get_by_text("Done.").first.wait_for()
    assert await page.get_by_role("button", name="Approve").count() == 0


async def reject_the_bad_advice(page: Page, demo: Program, forum: str) -> None:
    await demo.until("Keyturn holds it as prp_")
    await page.goto(page.url.split("/proposals")[0] + "/")
    await page.get_by_role("link", name="Publish a comment").first.click()
    await page.get_by_text("storage bucket").wait_for()
    await page.get_by_text("Reject", exact=True).click()
    await page.get_by_label("Why not?").fill("That would open data to everybody.")
    await page.get_by_role("button", name="Reject it").click()

    await demo.until("It is rejected")
    await demo.until("The reason: That would open data to everybody.")
    # From here on the demo ends by itself, and the forum with it: what it shows is the board.
    await demo.until("On the board now: 2 post")


async def recall_the_good_answer(page: Page, demo: Program, forum: str) -> None:
    await demo.until("press Undo")
    await page.goto(page.url.split("/proposals")[0] + "/")
    done = page.locator("[data-live=decided] .row", has_text="Done").first
    await done.get_by_role("link", name="Publish a comment").click()
    await page.get_by_text("minutes left").wait_for()
    await page.get_by_role("link", name="Undo", exact=True).click()
    await page.get_by_text("Take a comment back from the forum").first.wait_for()
    await page.get_by_label("Why?").fill("It is in the handbook now.")
    await page.get_by_role("button", name="Undo it now").click()

    await page.get_by_text("Undone", exact=True).wait_for()
    left = board(forum)
    assert len(left) == 1
    assert not any("build-readers" in text for text in left)
    await page.get_by_role("link", name="The card of the undo").click()
    await page.get_by_text("undoes what").wait_for()
    await page.get_by_text("Done.").first.wait_for()
    assert await page.get_by_role("link", name="Undo", exact=True).count() == 0


async def take_pictures(page: Page, folder: Path) -> None:
    """Keep the card as the README shows it; `make pictures` puts it there."""
    viewport = page.viewport_size
    assert viewport is not None
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    await page.set_viewport_size({"width": 860, "height": 740})
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=folder / f"card-{scheme}.png", full_page=True)
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(viewport)
