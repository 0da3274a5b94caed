"""The forum incident: real agent, real bot, real forum, a person in a real browser."""

import json
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.programs import Program, keyturn, program

pytestmark = pytest.mark.browser

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
        async_playwright() as playwright,
    ):
        forum = (await demo.until(r"The forum +(http://\S+)")).group(1)
        inbox = (await demo.until(r"Your inbox +(http://\S+)")).group(1)
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        await page.goto(inbox)

        await approve_the_good_answer(page, demo, forum)
        await reject_the_bad_advice(page, demo, forum)

        assert await demo.end() == 0
        await browser.close()


async def approve_the_good_answer(page: Page, demo: Program, forum: str) -> None:
    await demo.until("Keyturn holds it as prp_")
    assert len(board(forum)) == 1

    await page.get_by_role("link", name="Publish a comment").first.click()
    await page.get_by_text("Everybody who can open the forum").wait_for()
    await page.get_by_text("Claimed by the agent. Not verified.").wait_for()
    await page.get_by_text("build-readers").wait_for()
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
    assert len(board(forum)) == 2
    assert not any("storage bucket" in text for text in board(forum))
