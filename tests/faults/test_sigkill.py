"""The bot is killed at each named step between submit and outcome, and started again."""

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from tests.faults.checker import FINAL, Life, faults
from tests.faults.conftest import MakeStage
from tests.faults.failpoints import CARDS, read_cards
from tests.faults.stage import KILLED, KINDS, BotProcess, Stage
from tests.faults.target import read_record

#: In the order in which a proposal comes by them.
STEPS = (
    "before commit proposal.submitted",
    "inside commit proposal.submitted",
    "after commit proposal.submitted",
    "before post",
    "after post",
    "before commit card.posted",
    "after commit card.posted",
    "before commit decision.approve",
    "inside commit decision.approve",
    "after commit decision.approve",
    "before commit execution.intent",
    "inside commit execution.intent",
    "after commit execution.intent",
    "before execute",
    "after arrival",
    "after execute",
    "before commit execution.outcome",
    "inside commit execution.outcome",
    "after commit execution.outcome",
    "before replace",
    "after replace",
)
#: How long COMMIT runs before the end, one for each round.
DELAYS_S = (0.0, 0.0002, 0.0006)


class Story:
    """One agent and one person who go on, whatever happens to the bot."""

    def __init__(self, stage: Stage, kind: str) -> None:
        self.stage = stage
        self.kind = kind
        self.told: list[dict[str, Any]] = []

    async def go_on(self, bot: BotProcess) -> None:
        """Do whatever is left to be done, up to the end."""
        await self._submit(bot)
        proposal = self.told[-1]
        if proposal["state"] == "pending":
            assert await bot.is_shown(proposal["id"], "pending")
            await bot.press(proposal, "approve")
        while proposal["state"] not in FINAL:
            proposal = await self._read(bot, wait_s=3)
            if proposal["state"] == "in_doubt" and self.kind == "blind":
                await self._settle(bot, proposal)
        await self._submit(bot)
        assert await bot.is_shown(proposal["id"], proposal["state"])

    async def _submit(self, bot: BotProcess) -> None:
        answer = await bot.submit(self.kind)
        assert answer.status in {200, 202}, answer.body
        self.told.append(answer.body)

    async def _read(self, bot: BotProcess, *, wait_s: int) -> dict[str, Any]:
        answer = await bot.read(self.told[-1]["id"], wait_s=wait_s)
        assert answer.status in {200, 202}, answer.body
        self.told.append(answer.body)
        read: dict[str, Any] = answer.body
        return read

    async def _settle(self, bot: BotProcess, proposal: dict[str, Any]) -> None:
        """Look at the target, as a person would, and say what is there."""
        has_happened = bool(read_record(self.stage.folder))
        button = "settle_done" if has_happened else "settle_not_done"
        pressed = await bot.press(proposal, button, note="I looked there.")
        assert pressed["recorded"], pressed

    async def life(self) -> Life:
        remembered = await self.stage.remembered(self.told[-1]["id"])
        assert remembered.proposal is not None
        assert len(remembered.proposals) == 1
        cards = read_cards(self.stage.folder / CARDS).values()
        return Life(
            proposal=remembered.proposal.id,
            state=remembered.proposal.state.value,
            bodies=[leaf.body for leaf in remembered.leaves],
            root=remembered.head.root,
            writes=read_record(self.stage.folder),
            cards=[card.state for card in cards],
            told=self.told,
        )


@pytest.mark.parametrize("step", STEPS)
async def test_a_bot_that_is_killed_tells_one_truth_when_it_is_back(
    make_stage: MakeStage, step: str
) -> None:
    rounds = zip(KINDS, DELAYS_S, strict=True)
    await asyncio.gather(*(_killed_once(make_stage(), kind, step, at) for kind, at in rounds))


async def _killed_once(stage: Stage, kind: str, step: str, delay_s: float) -> None:
    story = Story(stage, kind)
    if step == "after arrival":
        stage.hold.touch()
    bot = await BotProcess.start(stage, step, delay_s=delay_s)
    try:
        with suppress(aiohttp.ClientError):
            await story.go_on(bot)
        assert await bot.ended() == KILLED, bot.log
    finally:
        await bot.stop()
    stage.hold.unlink(missing_ok=True)

    async with stage.bot() as bot:
        await story.go_on(bot)

    life = await story.life()
    assert faults(life) == []
    assert life.cards != []


async def test_a_look_up_that_is_cut_short_is_done_again(make_stage: MakeStage) -> None:
    for step in ("before lookup", "after lookup", "before commit settlement"):
        stage = make_stage()
        story = Story(stage, "counted")
        async with stage.bot("after execute") as bot:
            with suppress(aiohttp.ClientError):
                await story.go_on(bot)
            assert await bot.ended() == KILLED

        async with stage.bot(step) as bot:
            with suppress(aiohttp.ClientError):
                await story.go_on(bot)
            assert await bot.ended() == KILLED
        async with stage.bot() as bot:
            await story.go_on(bot)

        life = await story.life()
        assert faults(life) == []
        assert life.state == "succeeded"
