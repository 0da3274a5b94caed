"""The tutorial, followed to the letter: its commands, a real bot, a real forum, a browser."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.contract.pages import commands
from tests.contract.test_tracked_text import ours
from tests.e2e.browsing import browser_page
from tests.e2e.programs import program

pytestmark = pytest.mark.browser

TUTORIAL = Path("docs/tutorial/first-approval.md")
PRINTED_PORTS = ("8080", "8081", "8082")


@pytest.fixture
def clone(repo: Path, tmp_path: Path) -> Path:
    """A copy of the project as a newcomer has it, with what `make setup` has installed."""
    if not (repo / ".venv" / ".installed").exists():
        pytest.skip("no .venv of this working tree: `make setup` installs it")
    copy = tmp_path / "keyturn"
    for path in ours(repo):
        target = copy / path.relative_to(repo)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (copy / ".venv").symlink_to(repo / ".venv")
    for name in ("pyproject.toml", "requirements.lock"):
        # Older than what is installed, so that make does not install into the tree's own .venv.
        os.utime(copy / name, (0, 0))
    return copy


async def shell(command: str, *, cwd: Path) -> str:
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=cwd,
        executable="/bin/bash",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{command}\n{output.decode()}"
    return output.decode()


async def decide(page: Page, inbox: str, *, approve: bool) -> None:
    await page.goto(inbox)
    await page.get_by_role("link", name="Publish a comment").first.click()
    if approve:
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_text("Done.").first.wait_for()
        return
    await page.get_by_text("Reject", exact=True).click()
    await page.get_by_label("Why not?").fill("Never.")
    await page.get_by_role("button", name="Reject it").click()
    await page.get_by_text("Rejected").first.wait_for()


async def test_the_tutorial_runs_as_printed(clone: Path, chromium: Path) -> None:
    text = (clone / TUTORIAL).read_text()
    start, *rest = commands(text)
    assert start == "make run"
    async with (
        program("make", "run", cwd=clone) as bot,
        browser_page(chromium, width=1280) as page,
    ):
        ports = {}
        inbox = (await bot.until(r"Inbox for people +(http://\S+)")).group(1)
        api = (await bot.until(r"API for agents +(http://\S+)")).group(1)
        link = (await bot.until(r"(http://\S+/signin#\S+)")).group(1)
        forum = (await bot.until(r"appears at (http://\S+)")).group(1)
        for printed, url in zip(PRINTED_PORTS, (api, inbox, forum), strict=True):
            ports[f"127.0.0.1:{printed}"] = re.search(r"127\.0\.0\.1:\d+", url).group()  # type: ignore[union-attr] # it is a URL of this machine

        async def run(command: str) -> str:
            for printed, actual in ports.items():
                command = command.replace(printed, actual)
            return await shell(command, cwd=clone)

        people, first, before, after, own, second, *more = rest
        assert "admin" in await run(people)
        await page.goto(link)
        await page.get_by_text("Nothing waits for you").first.wait_for()

        pending = json.loads(await run(first))
        assert (pending["state"], pending["executed"]) == ("pending", False)
        assert "an agent wrote this" not in (await run(before)).lower()
        assert json.loads(await run(first))["id"] == pending["id"]
        await decide(page, inbox, approve=True)

        assert (await run(after)).count("An agent wrote this") == 1
        (done,) = json.loads(await run(own))["proposals"]
        assert (done["state"], done["executed"]) == ("succeeded", True)

        assert json.loads(await run(second))["state"] == "pending"
        await decide(page, inbox, approve=False)
        assert "storage bucket" not in await run(after)

        listed, explained, halted, halts = [await run(command) for command in more]
        assert "rejected" in listed
        assert "hold" in explained
        assert "Stopped." in halted
        assert "The tutorial is over" in halts
        again = await shell(_with_new_key(first, ports), cwd=clone)
        assert json.loads(again)["code"] == "halted"


def _with_new_key(command: str, ports: dict[str, str]) -> str:
    for printed, actual in ports.items():
        command = command.replace(printed, actual)
    return command.replace("Idempotency-Key: first", "Idempotency-Key: third")
