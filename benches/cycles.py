"""Whole lives in a second: submitted, approved, carried out, and the agent has its answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from benches.deployment import AGENTS, Deployment
from benches.office import Agent, PersonInChat
from benches.process import Server
from benches.spread import Spread, percentile
from benches.wire import WrongAnswer
from bot.core.card import Button


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    agents: int
    per_s: Spread
    p50_ms: Spread
    p99_ms: float
    cpu_us: Spread


def measure(deployment: Deployment, bot: Server, *, rounds: int, seconds: float) -> Cycles:
    """Let every agent go round as fast as it can, each with a person who approves at once."""
    per_s, cpu_us, taken_ms = [], [], []
    with ThreadPoolExecutor(AGENTS) as threads:
        for _ in range(rounds):
            before_s, started = bot.cpu_s, time.perf_counter()
            until = started + seconds
            going = [threads.submit(_go_round, deployment, n, until) for n in range(AGENTS)]
            found = [one.result() for one in going]
            round_ms = [ms for one in found for ms in one]
            per_s.append(len(round_ms) / (time.perf_counter() - started))
            cpu_us.append((bot.cpu_s - before_s) / len(round_ms) * 1e6)
            taken_ms.append(round_ms)
    return Cycles(
        agents=AGENTS,
        per_s=Spread.of(per_s),
        p50_ms=Spread.of(percentile(one, 50) for one in taken_ms),
        p99_ms=percentile([ms for one in taken_ms for ms in one], 99),
        cpu_us=Spread.of(cpu_us),
    )


def _go_round(deployment: Deployment, place: int, until: float) -> list[float]:
    taken_ms = []
    with Agent.of(deployment, place) as agent, PersonInChat.of(deployment, place) as person:
        while (started := time.perf_counter()) < until:
            proposal = agent.submit()
            agent.begin_to_wait(proposal)
            person.begin_to_press(Button.APPROVE, proposal)
            person.pressed()
            answer = agent.waited()
            if answer["state"] != _DONE:
                raise WrongAnswer(f"{answer['state']} instead of {_DONE}: {answer}")
            taken_ms.append((time.perf_counter() - started) * 1e3)
    return taken_ms


_DONE: Final = "succeeded"
