"""Microsoft's emulator of Teams as a child process, and a person at its page."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientConnectionError, ClientSession
from playwright.async_api import Locator, Page, Route, async_playwright

from adapters.teams.testing.issuer import APP_ID, TENANT
from adapters.teams.testing.proxy import ACTIVITIES, CONNECTOR
from tests.e2e.browsing import CHROMIUM_ARGS

Json = dict[str, Any]

WITHIN_S: Final = 30.0
_PAUSE_S: Final = 0.1

NAMES: Final = ("dana", "erin", "frank", "grace", "heidi", "ivan")


def object_id(name: str) -> str:
    return f"d0000000-0000-4000-8000-00000000000{NAMES.index(name)}"


def users() -> Mapping[str, str]:
    """Return the emulator's own id of each account, by object id."""
    return {object_id(name): _account(name)["id"] for name in NAMES}


def configuration(person: str) -> Json:
    """Return the organisation as *person* sees it; the emulator wants five others, no less."""
    return {
        "version": "0.1.1",
        "tenantId": TENANT,
        "bot": {"id": f"28:{APP_ID}", "name": "Keyturn"},
        "currentUser": _account(person),
        "users": [_account(name) for name in NAMES if name != person],
        "personalChat": {"id": f"a:1{person}-and-the-bot"},
        "groupChat": {"id": "19:lunch@thread.v2", "name": "Lunch"},
        "team": {
            "id": "19:engineering@thread.tacv2",
            "name": "Engineering",
            "aadGroupId": "e0000000-0000-4000-8000-000000000001",
            "channels": [{"id": "19:general@thread.tacv2", "name": "General"}],
        },
    }


def _account(name: str) -> Json:
    mail = f"{name}@example.net"
    return {
        "id": f"29:1{name}-in-teams",
        "name": name.title(),
        "userPrincipleName": mail,  # as the emulator spells it
        "aadObjectId": object_id(name),
        "givenName": name.title(),
        "surname": "Example",
        "email": mail,
    }


class Emulator:
    """Teams as *person* sees it, behind a proxy; everything is alone in its network namespace."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.port = 56_150 + NAMES.index(person)
        self.proxy_port = 3_970 + NAMES.index(person)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self.proxy_port}"

    @property
    def service_url(self) -> str:
        """Where the bot believes the Connector to be."""
        return f"{self.proxy_url}{CONNECTOR}"

    @asynccontextmanager
    async def running(self, program: Path, folder: Path) -> AsyncIterator[None]:
        """Run the emulator *program* until the block ends; its settings are in *folder*."""
        settings = json.dumps(configuration(self.person))
        place = folder / self.person
        await asyncio.to_thread(place.mkdir)
        await asyncio.to_thread((place / ".m365agentsplayground.yml").write_text, settings)
        process = await asyncio.create_subprocess_exec(
            *(str(program), "--app-endpoint", f"{self.proxy_url}{ACTIVITIES}"),
            *("--channel-id", "msteams", "--port", str(self.port)),
            *("--service-url", self.service_url, "--disable-telemetry"),
            cwd=place,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with ClientSession() as http, asyncio.timeout(WITHIN_S):
                await self._answers(http, process)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _answers(self, http: ClientSession, process: asyncio.subprocess.Process) -> None:
        while True:
            assert process.returncode is None, "the emulator ended"
            with suppress(ClientConnectionError):
                async with http.get(self.url):
                    return
            await asyncio.sleep(_PAUSE_S)


@dataclass
class Person:
    """Whoever sits at the emulator's page; their browser reaches this machine only."""

    page: Page

    async def types(self, text: str) -> None:
        # The first: cards below have inputs of their own.
        await self.page.locator("[role=textbox][contenteditable=true]").first.click()
        await self.page.keyboard.type(text)
        await self.page.get_by_label("Send Message").click()

    def button(self, title: str) -> Locator:
        """Return the newest button of that title."""
        return self.page.get_by_role("button", name=title, exact=True).last

    async def presses(self, title: str) -> None:
        await self.button(title).click(timeout=WITHIN_S * 1_000)

    async def opens(self, title: str) -> None:
        """Press the newest button that leads out of Teams; the emulator calls it a link."""
        as_link = self.page.get_by_role("link", name=title, exact=True)
        await as_link.or_(self.button(title)).last.click(timeout=WITHIN_S * 1_000)

    async def reads(self, words: str) -> None:
        """Wait until *words* are somewhere on the page."""
        await self.page.get_by_text(words).last.wait_for(timeout=WITHIN_S * 1_000)

    async def reads_no_more(self, title: str) -> None:
        """Wait until no button has that title."""
        found = self.page.get_by_role("button", name=title, exact=True)
        async with asyncio.timeout(WITHIN_S):
            while True:
                if not await found.count():
                    return
                await asyncio.sleep(_PAUSE_S)


@asynccontextmanager
async def at_their_pages(
    emulators: Sequence[Emulator], chromium: str, *, pictures: Path
) -> AsyncIterator[Mapping[str, Person]]:
    """Open the page of each, which installs the app; keep pictures when the block fails."""
    people: dict[str, Person] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        try:
            for emulator in emulators:
                window = await browser.new_context(viewport={"width": 1_100, "height": 1_400})
                await window.route("**/*", _loopback_only)
                page = await window.new_page()
                await page.goto(emulator.url)
                people[emulator.person] = Person(page)
            try:
                yield people
            except BaseException:
                for name, person in people.items():
                    await person.page.screenshot(path=pictures / f"{name}-failed.png")
                raise
        finally:
            await browser.close()


async def _loopback_only(route: Route) -> None:
    if urlsplit(route.request.url).hostname == "127.0.0.1":
        await route.continue_()
    else:
        await route.abort()
