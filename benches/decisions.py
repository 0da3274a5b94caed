"""From a person's click to the agent that waits for it, in bare durable commits.

One at a time: the click leaves when the agent waits, and the clock stops when the agent has its
answer. A rejection is one commit. What is approved is also carried out before the agent hears
of it: the decision, the intent and the outcome, three commits after one another.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benches.commits import BareCommits
from benches.deployment import Deployment
from benches.office import Agent, PersonInBrowser, PersonInChat
from benches.spread import Spread, percentile
from benches.wire import WrongAnswer
from bot.core.card import Button
from bot.core.states import State

_PARKED_AFTER_S: Final = 0.003
#: After each decision of each way, so that what disturbs the disk disturbs both.
_COMMITS: Final = 2
_WARM_UP: Final = 20

Person = PersonInChat | PersonInBrowser


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """``in_commits`` is the ratio of the medians of each round."""

    name: str
    p50_ms: Spread
    p99_ms: float
    in_commits: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    commit_p50_ms: Spread
    commit_p99_ms: float
    decisions: Sequence[Decisions]


def measure(deployment: Deployment, *, rounds: int, decisions: int) -> Measured:
    """Measure *decisions* of each way and bare commits beside them, round by round."""
    with (
        BareCommits.beside(deployment.database) as commits,
        Agent.of(deployment, 0) as agent,
        PersonInChat.of(deployment, 0) as in_chat,
        PersonInBrowser.of(deployment, 0) as in_browser,
    ):
        ways: tuple[tuple[str, Person, Button, State], ...] = (
            ("rejected in a chat", in_chat, Button.REJECT, State.REJECTED),
            ("rejected in the inbox", in_browser, Button.REJECT, State.REJECTED),
            ("approved, carried out", in_chat, Button.APPROVE, State.SUCCEEDED),
        )
        for _, person, button, state in ways:
            for _ in range(_WARM_UP):
                _decide(agent, person, button, state)
        bare: list[list[float]] = []
        taken: dict[str, list[list[float]]] = {name: [] for name, *_ in ways}
        for _ in range(rounds):
            bare.append([])
            for found in taken.values():
                found.append([])
            for _ in range(decisions):
                for name, person, button, state in ways:
                    taken[name][-1].append(_decide(agent, person, button, state))
                    bare[-1] += commits.measure(_COMMITS)
    bare_p50_ms = [percentile(one, 50) for one in bare]
    return Measured(
        commit_p50_ms=Spread.of(bare_p50_ms),
        commit_p99_ms=percentile([ms for one in bare for ms in one], 99),
        decisions=[
            Decisions(
                name=name,
                p50_ms=Spread.of(percentile(one, 50) for one in found),
                p99_ms=percentile([ms for one in found for ms in one], 99),
                in_commits=Spread.of(
                    percentile(one, 50) / bare_ms
                    for one, bare_ms in zip(found, bare_p50_ms, strict=True)
                ),
            )
            for name, found in taken.items()
        ],
    )


def _decide(agent: Agent, person: Person, button: Button, becomes: State) -> float:
    """Return how long one decision took to reach the agent, in milliseconds."""
    proposal = agent.submit()
    agent.begin_to_wait(proposal)
    # Nothing tells that a request is parked; one that is not would only look faster.
    time.sleep(_PARKED_AFTER_S)
    started = time.perf_counter()
    person.begin_to_press(button, proposal)
    answer = agent.waited()
    taken_s = time.perf_counter() - started
    person.pressed()
    if answer["state"] != becomes:
        raise WrongAnswer(f"{answer['state']} instead of {becomes}: {answer}")
    return taken_s * 1e3
