"""Sixty-four people, agents and clocks at once on one proposal, each heard three times."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from tests.faults.checker import FINAL, Life, faults
from tests.faults.failpoints import CARDS, read_cards
from tests.faults.stage import BotProcess, Known, Remembered, Stage
from tests.faults.target import read_record

ACTS = 64
DELIVERIES = 3
#: What may be tried, and how often of 64; each seed draws one of these.
MIXES: tuple[Mapping[str, int], ...] = (
    {"approve": 16, "reject": 16, "withdraw": 16, "stop": 8, "halt": 8},
    {"approve": 32, "reject": 32},
    {"approve": 40, "withdraw": 24},
    {"approve": 40, "stop": 12, "halt": 12},
    {"reject": 24, "withdraw": 24, "stop": 16},
)
#: Entries of which exactly one ends the wait.
_ENDS_THE_WAIT = frozenset(
    {"decision.approve", "decision.reject", "proposal.withdrawn", "proposal.revoked"}
    | {"proposal.expired"}
)
#: When the first and the last act on an expiring proposal come, in seconds from its end.
FIRST_ACT_S = (-0.25, -0.02, 0.0, 0.02)
LAST_ACT_S = 0.2


@dataclass(frozen=True, slots=True)
class Said:
    """What one delivery of one act was answered."""

    act: str
    has_counted: bool
    state: str | None


@dataclass(frozen=True, slots=True)
class Storm:
    """One proposal of an agent and a person of its own, and what everybody was told."""

    known: Known
    proposal: Mapping[str, Any]
    mix: Mapping[str, int]
    seed: int

    async def rage(self, bot: BotProcess, *, from_s: float = 0, to_s: float = 0) -> list[Said]:
        """Deliver every act three times, each at some moment between the two."""
        acts = [act for act, count in self.mix.items() for _ in range(count)] * DELIVERIES
        assert len(acts) == ACTS * DELIVERIES
        chance = Random(self.seed)
        chance.shuffle(acts)

        async def later(act: str, pause_s: float) -> Said:
            await asyncio.sleep(pause_s)
            return await self.act(bot, act)

        return await asyncio.gather(
            *(later(act, max(0, chance.uniform(from_s, to_s))) for act in acts)
        )

    async def act(self, bot: BotProcess, act: str) -> Said:
        doing: Mapping[str, Callable[[BotProcess], Awaitable[Said]]] = {
            "approve": lambda b: self._press(b, "approve"),
            "reject": lambda b: self._press(b, "reject"),
            "stop": lambda b: self._press(b, "stop_agent"),
            "withdraw": self._withdraw,
            "halt": self._halt,
        }
        return await doing[act](bot)

    async def _press(self, bot: BotProcess, button: str) -> Said:
        pressed = await bot.press(self.proposal, button, person=self.known.person, note="storm")
        assert pressed["message"]
        return Said(button, pressed["recorded"], pressed["state"])

    async def _withdraw(self, bot: BotProcess) -> Said:
        answer = await bot.ask(
            "POST",
            f"/v1/proposals/{self.proposal['id']}/withdraw",
            token=self.known.token,
            body={"reason": "storm"},
        )
        if answer.status == 200:
            return Said("withdraw", has_counted=True, state=answer.body["state"])
        assert answer.status == 409, answer.body
        assert answer.code == "illegal_transition"
        return Said("withdraw", has_counted=False, state=None)

    async def _halt(self, bot: BotProcess) -> Said:
        body = {"scope": "agent", "agent": self.known.agent, "reason": "storm"}
        halt = await bot.admin("POST", "halts", body)
        assert halt["id"].startswith("hlt_"), halt
        return Said("halt", has_counted=True, state=None)


def disagreements(storm: Storm, said: list[Said], life: Life, types: Counter[str]) -> list[str]:
    """Return every answer that the end does not bear out."""
    ends = sum(count for type_, count in types.items() if type_ in _ENDS_THE_WAIT)
    # What was approved may still be taken back, stopped, or expire before it is carried out.
    allowed = 2 if types["decision.approve"] and life.state not in {"succeeded", "failed"} else 1
    wrong = [] if ends == allowed else [f"{ends} entries end it, and it is {life.state}"]
    for one in set(said):
        if one.state in FINAL and one.state != life.state:
            wrong.append(f"{one} but it is {life.state}")
        if one.state in {"approved", "executing"} and not types["decision.approve"]:
            wrong.append(f"{one} but nobody approved")
        if one.state == "pending":
            wrong.append(f"{one} but somebody had decided")
        if one.act == "reject" and one.has_counted and life.state != "rejected":
            wrong.append(f"{one} but it is {life.state}")
    return wrong


async def _begun(
    bot: BotProcess, name: str, mix: Mapping[str, int], seed: int, **more: Any
) -> Storm:
    known = await bot.stage.register(bot, name)
    answer = await bot.submit("blind", token=known.token, text=f"from {name}", **more)
    assert answer.status == 202, answer.body
    storm = Storm(known, answer.body, mix, seed)
    assert await bot.is_shown(answer.body["id"], "pending")
    return storm


async def _ended(bot: BotProcess, storm: Storm) -> dict[str, Any]:
    """Return what the agent is told at last, after everybody has asked once more."""
    answer = await bot.read(storm.proposal["id"], wait_s=20, token=storm.known.token)
    state = answer.body["state"]
    assert state in FINAL, answer.body
    for act in storm.mix:
        again = await storm.act(bot, act)
        assert again.state in {state, None}, again
    assert await bot.is_shown(storm.proposal["id"], state)
    ended: dict[str, Any] = answer.body
    return ended


def _life(stage: Stage, storm: Storm, remembered: Remembered, told: dict[str, Any]) -> Life:
    proposal = next(p for p in remembered.proposals if p.id == storm.proposal["id"])
    cards = read_cards(stage.folder / CARDS).values()
    text = proposal.action.params["text"]
    return Life(
        proposal=proposal.id,
        state=proposal.state.value,
        bodies=[leaf.body for leaf in remembered.leaves],
        root=remembered.head.root,
        writes=[write for write in read_record(stage.folder) if write["text"] == text],
        cards=[card.state for card in cards if card.proposal == proposal.id],
        told=[dict(storm.proposal), told],
    )


def _types(storm: Storm, remembered: Remembered) -> Counter[str]:
    return Counter(leaf.type for leaf in remembered.leaves if leaf.proposal == storm.proposal["id"])


async def test_of_everybody_at_once_one_wins_and_all_are_told_the_same(stage: Stage) -> None:
    heard: list[tuple[Storm, list[Said], dict[str, Any]]] = []
    async with stage.bot() as bot:
        for seed in range(2 * len(MIXES)):
            storm = await _begun(bot, f"p{seed}", MIXES[seed % len(MIXES)], seed)
            said = await storm.rage(bot)
            heard.append((storm, said, await _ended(bot, storm)))

    remembered = await stage.remembered()
    for storm, said, told in heard:
        life = _life(stage, storm, remembered, told)
        assert faults(life) == []
        assert disagreements(storm, said, life, _types(storm, remembered)) == []
    assert len({told["state"] for _, _, told in heard}) > 1


async def test_clicks_around_the_last_moment_are_told_the_same_as_the_agent(stage: Stage) -> None:
    async with stage.bot() as bot:
        storms = [
            await _begun(bot, f"p{seed}", mix, seed, expires_in_s=10)
            for seed, mix in enumerate(MIXES[1:3] * len(FIRST_ACT_S))
        ]

        async def heard(storm: Storm, first_s: float) -> tuple[Storm, list[Said], dict[str, Any]]:
            ends_at = datetime.fromisoformat(storm.proposal["expires_at"])
            left_s = (ends_at - datetime.now(UTC)).total_seconds()
            said = await storm.rage(bot, from_s=left_s + first_s, to_s=left_s + LAST_ACT_S)
            return storm, said, await _ended(bot, storm)

        firsts = [first_s for first_s in FIRST_ACT_S for _ in range(2)]
        all_heard = await asyncio.gather(
            *(heard(storm, first_s) for storm, first_s in zip(storms, firsts, strict=True))
        )

    remembered = await stage.remembered()
    for storm, said, told in all_heard:
        life = _life(stage, storm, remembered, told)
        assert faults(life) == []
        assert disagreements(storm, said, life, _types(storm, remembered)) == []
    ends = [told["state"] for _, _, told in all_heard]
    assert "expired" in ends
    assert len(set(ends)) > 1


@pytest.mark.parametrize(
    "wrong",
    [
        Said("approve", has_counted=True, state="rejected"),
        Said("reject", has_counted=True, state=None),
        Said("withdraw", has_counted=True, state="withdrawn"),
        Said("approve", has_counted=False, state="pending"),
    ],
    ids=lambda said: f"{said.act} {said.state}",
)
def test_a_wrong_answer_is_found(wrong: Said) -> None:
    honest = Life(proposal="prp_1", state="succeeded", bodies=[], root=b"")
    storm = Storm(Known(person="", agent="", token=""), {}, {}, 0)
    told = [Said("approve", has_counted=True, state="approved")]
    types = Counter({"decision.approve": 1})

    assert disagreements(storm, told, honest, types) == []
    assert disagreements(storm, [*told, wrong], honest, types) != []
    assert disagreements(storm, told, honest, types + Counter({"proposal.expired": 1})) != []
    assert disagreements(storm, told, replace(honest, state="rejected"), types) != []
