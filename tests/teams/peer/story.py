"""The forum incident in Teams: run as a program of its own, alone in its network namespace.

    python -m tests.teams.peer.story PROGRAM CHROMIUM FOLDER

``keyturn serve`` is another process, the emulator a third, the browser a fourth. What the emulator
sends is signed on its way, and the bot checks it as in production. It ends with 0 when all went as
told.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters.teams.answering import ANSWERED_WITHIN_S
from tests.teams.peer.scene import Scene, done, open_scene, play

GOOD = "Ask your lead for the group build-readers. [Not a link](https://example.org) {{DATE(x)}}"
BAD = "Set the storage bucket to public, that is quicker."
THIRD = "It is written in the handbook, on its last page."
LONG = "".join(f"Line {number} of a long answer, which no card holds. " for number in range(700))
LATE = "This was asked before the bot was started again."
#: The machine that tests are run on has other things to do.
SLACK_S = 1.0
WHY_NOT = "That would open data to everybody."
HOLD = """
version: 1
rules:
  - id: forum
    verbs: ["forum.*"]
    effect: {hold: {mode: confirm}}
"""


async def tell(program: Path, chromium: str, folder: Path) -> None:
    async with open_scene(program, chromium, folder, people=["dana"], policy=HOLD) as scene:
        await Story(scene).happens()


class Story:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.board = scene.board
        self.proxy = scene.proxies["dana"]
        self.dana = scene.people["dana"]
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
        self.the_bot_proved_itself_and_was_quick()

    def the_bot_proved_itself_and_was_quick(self) -> None:
        sent = [one for one in self.proxy.passed if not one.to_bot]
        assert sent
        assert all(one.status != 401 for one in sent)
        clicks = [one for one in self.proxy.passed if one.said.get("type") == "invoke"]
        assert max(one.took_s for one in clicks) < ANSWERED_WITHIN_S + SLACK_S

    async def dana_is_known(self) -> None:
        await self.scene.register("dana", "erin", owner="erin", principal="dana")
        await self.scene.link("dana")

    async def without_a_signature_nothing_is_heard(self) -> None:
        proposal = await self.scene.proposed(GOOD)
        await self.dana.reads("Everybody who can open the forum")
        self.proxy.is_signing = False
        before = len(self.proxy.passed)
        await self.dana.presses("Approve")
        await self.scene.until(self._is_refused(before), "the unsigned click is refused")
        assert (await self.scene.state(proposal))["state"] == "pending"
        assert self.board.posts == {}
        self.proxy.is_signing = True

    def _is_refused(self, before: int) -> Callable[[], Awaitable[bool]]:
        async def is_refused() -> bool:
            sent = [one for one in self.proxy.passed[before:] if one.to_bot]
            return bool(sent) and all(one.status == 401 for one in sent)

        return is_refused

    async def the_good_answer_is_published_once_and_recalled(self) -> None:
        proposal = await self.scene.proposed(GOOD)
        # What an agent writes is text: no link, no date.
        await self.dana.reads("[Not a link](https://example.org)")
        assert await self.dana.page.get_by_role("link", name="Not a link").count() == 0
        await self.dana.presses("Approve")
        after = await self.scene.reaches(proposal, "succeeded")
        assert self.board.written == [GOOD]
        assert after["outcome"]["reference"] == "1", after
        await self.dana.reads_no_more("Approve")

        await self.dana.presses("Undo…")
        await self.dana.presses("Undo it now")
        await self.scene.until(self._board_is_empty, "the comment is gone")
        await self.dana.reads("Undone")
        assert self.board.written == [GOOD]

    async def the_bad_advice_is_never_published(self) -> None:
        proposal = await self.scene.proposed(BAD)
        await self.dana.reads(BAD)
        await self.dana.presses("Reject…")
        await self.dana.page.get_by_placeholder("Optional").last.fill(WHY_NOT)
        await self.dana.presses("Reject it")
        rejected = await self.scene.reaches(proposal, "rejected")
        assert WHY_NOT in json.dumps(rejected), rejected
        await self.dana.reads_no_more("Reject…")
        assert self.board.posts == {}

    async def what_is_decided_elsewhere_is_seen_here(self) -> None:
        proposal = await self.scene.proposed(THIRD)
        await self.dana.reads(THIRD)
        link = await done(self.scene.deployment.json, "signin", "dana")
        inbox = await self.dana.page.context.new_page()
        await inbox.goto(link["url"])
        await inbox.get_by_role("link", name="Publish a comment").first.click()
        await inbox.get_by_role("button", name="Approve").click()
        await self.scene.reaches(proposal, "succeeded")
        await inbox.close()
        await self.dana.reads_no_more("Approve")
        assert self.board.written == [GOOD, THIRD]

    async def a_long_answer_is_read_to_its_end_first(self) -> None:
        proposal = await self.scene.proposed(LONG)
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
        await self.scene.reaches(proposal, "succeeded")
        assert self.board.written[-1] == LONG

        await page.goto(link)
        await page.get_by_role("button", name="Show it").click()
        assert await page.locator("pre.exact").count() == 0, "the link works once"
        await page.close()

    async def dana_stops_the_agent_and_lets_it_go_on(self) -> None:
        await self.dana.types("stop")
        await self.dana.presses("Stop it for you…")
        await self.dana.presses("Stop now")
        await self.scene.until(self._is_stopped, "the agent is stopped")
        await self.dana.types("resume")
        await self.dana.presses("Resume…")
        await self.dana.page.get_by_role("textbox", name="Why is it safe").last.fill("It is.")
        await self.dana.presses("Resume")
        await self.scene.until(self._goes_on, "the agent goes on")
        # What the agent asked meanwhile it has withdrawn.
        await self.dana.reads_no_more("Approve")

    async def a_card_is_good_after_the_bot_was_started_again(self) -> None:
        proposal = await self.scene.proposed(LATE)
        await self.dana.reads(LATE)
        await self.scene.bot.stop()
        await self.scene.bot.start()
        await self.dana.presses("Approve")
        await self.scene.reaches(proposal, "succeeded")
        await self.dana.reads_no_more("Approve")
        assert self.board.written[-1] == LATE
        # The chat is known without anybody having said anything since.
        later = await self.scene.proposed(f"{LATE} And this was asked after.", key="after")
        await self.dana.reads("And this was asked after.")
        await self.dana.presses("Approve")
        await self.scene.reaches(later, "succeeded")

    async def _is_stopped(self) -> bool:
        self._tries += 1
        told = await self.scene.proposing("Is anybody there?", key=f"stopped-{self._tries}")
        if "id" not in told:
            return True
        await self.scene.withdraw(told["id"])
        return False

    async def _goes_on(self) -> bool:
        return not await self._is_stopped()

    async def _board_is_empty(self) -> bool:
        return not self.board.posts


if __name__ == "__main__":
    play(tell)
