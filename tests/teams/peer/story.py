"""The forum incident in Teams: run as a program of its own, alone in its network namespace.

    python -m tests.teams.peer.story PROGRAM CHROMIUM FOLDER

``keyturn serve`` is another process, the emulator a third, the browser a fourth. What the emulator
sends is signed on its way, and the bot checks it as in production. It ends with 0 when all went as
told.
"""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, closing
from pathlib import Path
from typing import Any
from zlib import crc32

from adapters.teams.testing.issuer import APP_ID, TENANT, Issuer
from adapters.teams.testing.proxy import SigningProxy
from tests.cli.deployments import Deployment, asked_to_propose, make_deployment
from tests.teams.peer import playground
from tests.teams.peer.board import Board, connector
from tests.teams.peer.playground import PROXY_PORT, SERVICE_URL, WITHIN_S, Json, Person

GOOD = "Ask your lead for the group build-readers. [Not a link](https://example.org) {{DATE(x)}}"
BAD = "Set the storage bucket to public, that is quicker."
THIRD = "It is written in the handbook, on its last page."
LONG = "".join(f"Line {number} of a long answer, which no card holds. " for number in range(700))
LATE = "This was asked before the bot was started again."
WHY_NOT = "That would open data to everybody."
HOLD = """
version: 1
rules:
  - id: forum
    verbs: ["forum.*"]
    effect: {hold: {mode: confirm}}
"""


async def done(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
    return await asyncio.to_thread(lambda: act(*words, **more))


def configure(deployment: Deployment, issuer: Issuer, board: Board) -> None:
    proxy = playground.PROXY_URL
    deployment.environment |= {"TEAMS": issuer.app_password}
    chat = {"app_id": APP_ID, "tenant": TENANT, "app_password": "env:TEAMS"}
    chat |= {"metadata_url": f"{proxy}/v1/.well-known/openidconfiguration"}
    chat |= {"login_url": f"{proxy}/", "service_url": SERVICE_URL, "graph_url": f"{proxy}/graph/"}
    text = deployment.config.read_text()
    assert "chats:\n  web: {}\n" in text
    chats = json.dumps({"teams": chat, "web": {}})
    deployment.config.write_text(text.replace("chats:\n  web: {}\n", f"chats: {chats}\n"))
    deployment.set("connectors", json.dumps({"forum": connector(board.url)}))
    (deployment.home / "policy.yaml").write_text(HOLD)


async def tell(program: Path, chromium: str, folder: Path) -> None:
    issuer = Issuer()
    deployment = await done(make_deployment, folder / "keyturn-data")
    async with AsyncExitStack() as stack:
        board = await stack.enter_async_context(Board().running())
        configure(deployment, issuer, board)
        proxy = SigningProxy(
            issuer,
            bot_url=f"http://127.0.0.1:{deployment.ports['people']}/teams/messages",
            emulator_url=f"{playground.URL}/_connector",
            users=playground.users(),
        )
        await stack.enter_async_context(proxy.running(port=PROXY_PORT))
        await stack.enter_async_context(playground.running(program, folder, person="dana"))
        bot = Bot(deployment)
        await bot.start()
        stack.push_async_callback(bot.stop)
        async with playground.at_the_page(chromium, pictures=folder) as dana:
            await Story(bot, proxy, board, dana).happens()


class Bot:
    """``keyturn serve``, which can be started again."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._serving: AbstractContextManager[list[str]] | None = None

    async def start(self) -> None:
        self._serving = self.deployment.serving()
        await done(self._serving.__enter__)

    async def stop(self) -> None:
        if self._serving is not None:
            serving, self._serving = self._serving, None
            await done(serving.__exit__, None, None, None)


class Story:
    def __init__(self, bot: Bot, proxy: SigningProxy, board: Board, dana: Person) -> None:
        self.bot = bot
        self.deployment = bot.deployment
        self.proxy = proxy
        self.board = board
        self.dana = dana
        self.token = ""
        self._tries = 0

    async def happens(self) -> None:
        await self.dana_is_known()
        await self.without_a_signature_nothing_is_heard()
        await self.the_good_answer_is_published_once_and_recalled()
        await self.the_bad_advice_is_never_published()
        await self.what_is_decided_elsewhere_is_seen_here()
        await self.a_long_answer_is_read_to_its_end_first()
        await self.dana_stops_the_agent_and_lets_it_go_on()
        await self.a_card_is_good_after_the_bot_was_started_again()
        assert all(one.status != 401 for one in self.proxy.passed if not one.to_bot)

    async def dana_is_known(self) -> None:
        for name in ("dana", "erin"):
            await done(self.deployment.done, "person", "create", name)
        self.token = (
            await done(
                self.deployment.json,
                *("agent", "create", "helper", "--owner", "erin", "--purpose", "Answers"),
                *("--for", "dana", "--verb", "forum.*"),
            )
        )["token"]
        made = await done(self.deployment.json, "person", "link-code", "dana", "--chat", "teams")
        await self.dana.types(f"link {made['code']}")
        await self.dana.presses("This is me")
        await self.dana.reads("is linked")

    async def without_a_signature_nothing_is_heard(self) -> None:
        proposal = await self.proposed(GOOD)
        await self.dana.reads("Everybody who can open the forum")
        self.proxy.is_signing = False
        before = len(self.proxy.passed)
        await self.dana.presses("Approve")
        await self.until(self._is_refused(before), "the unsigned click is refused")
        assert (await self.state(proposal))["state"] == "pending"
        assert self.board.posts == {}
        self.proxy.is_signing = True

    def _is_refused(self, before: int) -> Callable[[], Awaitable[bool]]:
        async def is_refused() -> bool:
            sent = [one for one in self.proxy.passed[before:] if one.to_bot]
            return bool(sent) and all(one.status == 401 for one in sent)

        return is_refused

    async def the_good_answer_is_published_once_and_recalled(self) -> None:
        proposal = await self.proposed(GOOD)
        # What an agent writes is text: no link, no date.
        await self.dana.reads("[Not a link](https://example.org)")
        assert await self.dana.page.get_by_role("link", name="Not a link").count() == 0
        await self.dana.presses("Approve")
        after = await self.reaches(proposal, "succeeded")
        assert self.board.written == [GOOD]
        assert after["outcome"]["reference"] == "1", after
        await self.dana.reads_no_more("Approve")

        await self.dana.presses("Undo…")
        await self.dana.presses("Undo it now")
        await self.until(self._board_is_empty, "the comment is gone")
        await self.dana.reads("Undone")
        assert self.board.written == [GOOD]

    async def the_bad_advice_is_never_published(self) -> None:
        proposal = await self.proposed(BAD)
        await self.dana.reads(BAD)
        await self.dana.presses("Reject…")
        await self.dana.page.get_by_placeholder("Optional").last.fill(WHY_NOT)
        await self.dana.presses("Reject it")
        rejected = await self.reaches(proposal, "rejected")
        assert WHY_NOT in json.dumps(rejected), rejected
        await self.dana.reads_no_more("Reject…")
        assert self.board.posts == {}

    async def what_is_decided_elsewhere_is_seen_here(self) -> None:
        proposal = await self.proposed(THIRD)
        await self.dana.reads(THIRD)
        link = await done(self.deployment.json, "signin", "dana")
        inbox = await self.dana.page.context.new_page()
        await inbox.goto(link["url"])
        await inbox.get_by_role("link", name="Publish a comment").first.click()
        await inbox.get_by_role("button", name="Approve").click()
        await self.reaches(proposal, "succeeded")
        await inbox.close()
        await self.dana.reads_no_more("Approve")
        assert self.board.written == [GOOD, THIRD]

    async def a_long_answer_is_read_to_its_end_first(self) -> None:
        proposal = await self.proposed(LONG)
        await self.dana.presses("Read in full")
        await self.dana.reads("works once")
        async with self.dana.page.expect_popup() as opening:
            await self.dana.opens("Read in full")
        page = await opening.value
        link = page.url
        assert await self.dana.page.get_by_role("button", name="Approve").count() == 0
        await page.get_by_role("button", name="Show it").click()
        end = page.get_by_role("button", name="I have read it to the end")
        onward = page.get_by_role("link", name="Next page")
        await page.locator("pre.exact").wait_for()
        while await onward.count():
            await onward.click()
            await page.locator("pre.exact").wait_for()
        await end.click()
        await self.dana.presses("Approve")
        await self.reaches(proposal, "succeeded")
        assert self.board.written[-1] == LONG

        await page.goto(link)
        await page.get_by_role("button", name="Show it").click()
        assert await page.locator("pre.exact").count() == 0, "the link works once"
        await page.close()

    async def dana_stops_the_agent_and_lets_it_go_on(self) -> None:
        await self.dana.types("stop")
        await self.dana.presses("Stop it for you…")
        await self.dana.presses("Stop now")
        await self.until(self._is_stopped, "the agent is stopped")
        await self.dana.types("resume")
        await self.dana.presses("Resume…")
        await self.dana.page.get_by_role("textbox", name="Why is it safe").last.fill("It is.")
        await self.dana.presses("Resume")
        await self.until(self._goes_on, "the agent goes on")
        # What the agent asked meanwhile it has withdrawn.
        await self.dana.reads_no_more("Approve")

    async def a_card_is_good_after_the_bot_was_started_again(self) -> None:
        proposal = await self.proposed(LATE)
        await self.dana.reads(LATE)
        await self.bot.stop()
        await self.bot.start()
        await self.dana.presses("Approve")
        await self.reaches(proposal, "succeeded")
        await self.dana.reads_no_more("Approve")
        assert self.board.written[-1] == LATE
        # The chat is known without anybody having said anything since.
        later = await self.proposed(f"{LATE} And this was asked after.", key="after")
        await self.dana.reads("And this was asked after.")
        await self.dana.presses("Approve")
        await self.reaches(later, "succeeded")

    async def proposed(self, text: str, *, key: str | None = None) -> str:
        answer = await self.proposing(text, key=key or f"text-{crc32(text.encode())}")
        assert answer.get("state") == "pending", answer
        return str(answer["id"])

    async def proposing(self, text: str, *, key: str) -> Json:
        action = {"verb": "forum.comment", "resource": "forum:eng-help", "params": {"text": text}}
        told = await done(asked_to_propose, self.deployment, self.token, action, key=key)
        return dict(told)

    async def state(self, proposal: str) -> Json:
        return dict(await done(self._ask, "GET", f"/v1/proposals/{proposal}"))

    async def reaches(self, proposal: str, state: str) -> Json:
        async def is_there() -> bool:
            return bool((await self.state(proposal))["state"] == state)

        await self.until(is_there, f"{proposal} is {state}")
        return await self.state(proposal)

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    if await holds():
                        return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"not within {WITHIN_S} s: {what}") from None

    async def _is_stopped(self) -> bool:
        self._tries += 1
        told = await self.proposing("Is anybody there?", key=f"stopped-{self._tries}")
        if "id" not in told:
            return True
        await done(self._ask, "POST", f"/v1/proposals/{told['id']}/withdraw")
        return False

    async def _goes_on(self) -> bool:
        return not await self._is_stopped()

    async def _board_is_empty(self) -> bool:
        return not self.board.posts

    def _ask(self, method: str, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.deployment.ports["agents"])
        with closing(connection):
            connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
            return json.load(connection.getresponse())


def main() -> None:
    program, chromium, folder = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(tell(Path(program), chromium, Path(folder)))


if __name__ == "__main__":
    main()
