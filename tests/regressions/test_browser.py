"""What a page does that stays open in a real browser."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.browsing import browser_page
from tests.regressions.known import known_failure
from tests.regressions.town import Agent, Town, page_name

pytestmark = pytest.mark.browser


@known_failure(
    id="P15h",
    title="buttons stay after it was decided in another place",
    seen_in="Claw Patrol, OpenClaw",
    promise="An open page loses its buttons by itself as soon as the end is committed.",
)
async def test_an_open_page_loses_its_buttons_by_itself(
    town: Town, agent: Agent, chromium: Path
) -> None:
    proposal = agent.propose(page_name("open"))
    link = town.operator("POST", "people/dana/sign-in-link", {})["url"]
    async with browser_page(chromium, width=360) as page:
        await page.goto(link)
        await page.get_by_role("heading", name="Inbox").wait_for()
        await page.goto(f"{town.people_url}/proposals/{proposal['id']}")
        approve = page.get_by_role("button", name="Approve")
        await approve.wait_for()

        path = f"/v1/proposals/{proposal['id']}/withdraw"
        await asyncio.to_thread(agent.ask, "POST", path, {"reason": "It is moot."})

        await approve.wait_for(state="detached", timeout=10_000)
        await page.get_by_text("It is moot.").wait_for()
        assert await page.get_by_text("Reject", exact=True).count() == 0
