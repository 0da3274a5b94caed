"""A bot under load that is killed again and again, in several deployments at once.

Agents submit, people press and the connector writes into a target of its own, while the bot is
killed at a named step, the first or a later time it comes there, or at a random moment. It is
started again, and everybody goes on with the same keys.
"""

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from tests.faults import target
from tests.faults.checker import FINAL
from tests.faults.reckoning import LOST, Export, Finding, Lived, reckon
from tests.faults.stage import KILLED, KINDS, SETTINGS, BotProcess, Known, Stage, write_plugin
from tests.faults.target import read_record

#: The steps at which the bot ends itself, in the order in which a proposal comes by them.
STEPS: Final = (
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
    "after execute",
    "before commit execution.outcome",
    "inside commit execution.outcome",
    "after commit execution.outcome",
    "before replace",
    "after replace",
    "before lookup",
    "after lookup",
    "before commit settlement",
    "after commit settlement",
)
AT_RANDOM: Final = "at a random moment"

#: How many proposals are under way at once in one deployment.
_AT_ONCE: Final = 6
#: Every how many kills one is at a random moment, how late that is, and how long a step is awaited.
_EVERY: Final = 3
_RANDOM_WITHIN_S: Final = 0.8
_STEP_WITHIN_S: Final = 2.0
_SETTLE_WITHIN_S: Final = 60.0
_CAPS: Final = dict.fromkeys(
    ("pending_per_agent", "pending_per_principal", "submits_per_minute", "requests_per_second"),
    1_000_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a bot is to die; ``nth`` is the how manieth time it comes there."""

    step: str
    nth: int = 1
    delay_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Run:
    """What came of everything; ``kills`` counts by step."""

    kills: Counter[str] = field(default_factory=Counter)
    proposals: int = 0
    approved: int = 0
    writes: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


def plans(chance: random.Random) -> Iterator[Plan]:
    """Yield every step in turn, again and again, and random moments in between."""
    number = 0
    while True:
        for step in chance.sample(STEPS, len(STEPS)):
            number += 1
            if number % _EVERY == 0:
                yield Plan(step=AT_RANDOM, delay_s=chance.uniform(0, _RANDOM_WITHIN_S))
            delay_s = chance.choice((0.0, 0.0002, 0.0006))
            yield Plan(step=step, nth=chance.choice((1, 1, 2, 4)), delay_s=delay_s)


class Lane:
    """One deployment with its agents and people, who outlive every bot."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage = stage
        self.lives: list[Lived] = []
        #: How many agents had no final answer long after the last kill.
        self.unanswered = 0
        self._chance = chance
        self._who: list[Known] = []
        self._bot: BotProcess | None = None
        self._is_up = asyncio.Event()
        self._is_ending = False

    async def open(self) -> None:
        async with self.stage.bot() as bot:
            self._who = [await self.stage.register(bot, name) for name in ("dana", "eve")]

    async def live(
        self, plans: Iterator[Plan], left: Callable[[], bool], died: Callable[[str], None]
    ) -> None:
        """Kill one bot after the other while *left* says so; then let all come to its end."""
        stories = [asyncio.create_task(self._stories(place)) for place in range(_AT_ONCE)]
        try:
            while left():
                died(await self._one_bot(next(plans)))
            self._is_ending = True
            async with self.stage.bot() as bot:
                self._goes(bot)
                done, still = await asyncio.wait(stories, timeout=_SETTLE_WITHIN_S)
                self.unanswered = len(still)
                await asyncio.gather(*done)
                await self._settled(bot)
        finally:
            for story in stories:
                story.cancel()
            await asyncio.gather(*stories, return_exceptions=True)

    def _goes(self, bot: BotProcess | None) -> None:
        self._bot = bot
        if bot is None:
            self._is_up.clear()
        else:
            self._is_up.set()

    async def _one_bot(self, plan: Plan) -> str:
        """Run a bot until it is dead; return where it died."""
        step = "" if plan.step == AT_RANDOM else plan.step
        bot = await BotProcess.start(
            self.stage, step, delay_s=plan.delay_s, nth=plan.nth, must_start=False
        )
        try:
            with suppress(AssertionError):  # it may die while it starts
                await bot.says("Keyturn is running")
                self._goes(bot)
            within_s = _STEP_WITHIN_S if step else plan.delay_s
            at, ended = plan.step, asyncio.create_task(bot.ended())
            await asyncio.wait({ended}, timeout=within_s)
            if not ended.done():
                at = AT_RANDOM
                bot.born.kill()
            code = await ended
            assert code == KILLED, f"it ended by itself ({code}): {bot.log}"
            return at
        finally:
            self._goes(None)
            await bot.stop()

    async def _stories(self, place: int) -> None:
        number = 0
        while not self._is_ending:
            number += 1
            life = Lived(text=f"{self.stage.folder.name}-{place}-{number}")
            self.lives.append(life)
            await self._story(life, self._chance.choice(KINDS), self._chance.choice(self._who))

    async def _story(self, life: Lived, kind: str, who: Known) -> None:
        meant = self._chance.choices(("approve", "reject", "withdraw"), (8, 1, 1))[0]
        proposal: dict[str, Any] = {}
        while not life.told or life.told[-1] not in FINAL:
            await self._is_up.wait()
            bot = self._bot
            if bot is None:
                continue
            try:
                if not proposal:
                    proposal = await self._submit(bot, life, kind, who)
                elif life.told[-1] == "pending":
                    await self._answer(bot, life, proposal, meant, who)
                elif life.told[-1] == "in_doubt" and (kind == "blind" or self._is_ending):
                    return  # nobody can tell, or a look-up will some time
                else:
                    await self._read(bot, life, who, wait_s=1)
            except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError):
                await asyncio.sleep(0.01)

    async def _submit(self, bot: BotProcess, life: Lived, kind: str, who: Known) -> dict[str, Any]:
        answer = await bot.submit(kind, key=life.text, text=life.text, token=who.token)
        if answer.status not in {200, 202}:
            assert answer.status == 503, answer.body
            return {}
        life.id = answer.body["id"]
        life.told.append(answer.body["state"])
        told: dict[str, Any] = answer.body
        return told

    async def _answer(
        self, bot: BotProcess, life: Lived, proposal: dict[str, Any], meant: str, who: Known
    ) -> None:
        life.pressed = meant
        if meant == "withdraw":
            await bot.ask(
                "POST", f"/v1/proposals/{life.id}/withdraw", token=who.token, body={"reason": ""}
            )
        else:
            pressed = await bot.press(proposal, meant, person=who.person)
            life.recorded = life.recorded or bool(pressed["recorded"])
        await self._read(bot, life, who, wait_s=0)

    async def _read(self, bot: BotProcess, life: Lived, who: Known, *, wait_s: int) -> None:
        answer = await bot.read(life.id, wait_s=wait_s, token=who.token)
        if answer.status in {200, 202}:
            life.told.append(answer.body["state"])
        else:
            assert answer.status == 503, answer.body

    async def _settled(self, bot: BotProcess) -> None:
        """Wait until nothing is left to carry out; what stays so is found by the judge."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_WITHIN_S):
                while await self._has_work(bot):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.1)

    async def _has_work(self, bot: BotProcess) -> bool:
        for who in self._who:
            for state in ("approved", "executing"):
                listed = await bot.ask("GET", f"/v1/proposals?state={state}", token=who.token)
                assert listed.status == 200, listed.body
                if listed.body["proposals"]:
                    return True
        return False

    def export(self, file: Path) -> Export:
        """Return the log as an auditor gets it: from the command, into a file."""
        subprocess.run(
            [
                *(sys.executable, "-c", "from bot.cli import main; main()", "audit", "export"),
                *(str(file), "--config", str(self.stage.folder / SETTINGS)),
            ],
            env={"PYTHONPATH": f"{self.stage.plugin}:{Path(__file__).parents[2]}"},
            cwd=self.stage.folder,
            check=True,
            capture_output=True,
        )
        return Export(file.read_bytes().splitlines())


async def kill_again_and_again(
    folder: Path, *, kills: int, lanes: int, seed: int, told: Callable[[int], None]
) -> Run:
    """Kill bots *kills* times in *lanes* deployments, and judge what is left."""
    chance, run, begun = random.Random(seed), Run(), 0
    plugin = write_plugin(folder / "plugin")
    at_target = folder / "t"
    at_target.mkdir()
    order = plans(chance)

    def left() -> bool:
        nonlocal begun
        begun += 1
        return begun <= kills

    def died(step: str) -> None:
        run.kills[step] += 1
        told(run.kills.total())

    with _target(at_target) as url:
        stages = [
            _without_etags(
                Stage(folder=at_target / f"d{place}", plugin=plugin, target_url=url).with_settings(
                    caps=_CAPS
                )
            )
            for place in range(lanes)
        ]
        places = [Lane(stage, random.Random(chance.random())) for stage in stages]
        await asyncio.gather(*(lane.open() for lane in places))
        await asyncio.gather(*(lane.live(order, left, died) for lane in places))
    for lane in places:
        _judge(run, lane, lane.export(folder / f"{lane.stage.folder.name}.jsonl"))
    return run


def _judge(run: Run, lane: Lane, export: Export) -> None:
    writes = read_record(lane.stage.folder)
    run.findings += reckon(export, lives=lane.lives, writes=writes)
    if lane.unanswered:
        what = f"{lane.unanswered} agents had no answer long after the last kill"
        run.findings.append(Finding(LOST, "", what))
    run.proposals += len(lane.lives)
    run.writes += len(writes)
    run.approved += sum(entry["type"] == "decision.approve" for entry in export.entries)
    run.ends.update(_last_states(export))


def _last_states(export: Export) -> Sequence[str]:
    own = [entries for name, entries in export.by_proposal.items() if name]
    return [next(e["state"] for e in reversed(entries) if "state" in e) for entries in own]


def _without_etags(stage: Stage) -> Stage:
    """Let notes be written beside one another: here none is stale because of another one."""
    file = stage.folder / SETTINGS
    settings = yaml.safe_load(file.read_text())
    for verb in settings["connectors"]["notes"]["verbs"].values():
        verb.pop("inspect", None)
        verb.pop("etag", None)
    file.write_text(yaml.safe_dump(settings))
    return stage


@contextmanager
def _target(folder: Path) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, target.__file__, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()
