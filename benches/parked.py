"""What an agent that waits for a decision costs the bot, and how soon one of many is woken."""

import resource
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from benches.deployment import AGENTS, Deployment
from benches.load import NotMeasured
from benches.office import Agent, PersonInChat
from benches.process import Server
from benches.spread import Spread, percentile
from benches.wire import WrongAnswer, agent_connection
from bot.core.card import Button

_WAIT_S: Final = 50
_PARKED_WITHIN_S: Final = 30.0
#: Nothing tells that one request is parked; one that is not would only look faster.
_PARKED_AFTER_S: Final = 0.003
_WAITING: Final = "keyturn_waiting_requests"
_SPARE_FILES: Final = 500
_KIB_A_MIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """``kib_each`` is what the resident memory of the bot grew by for one waiting agent."""

    agents: int
    kib_each: float
    woken_p50_ms: Spread
    woken_p99_ms: float


def measure(
    deployment: Deployment, bot: Server, *, agents: int, rounds: int, decisions: int
) -> Parked:
    """Park *agents* requests on proposals that nobody decides about, then decide about others.

    Raises:
        NotMeasured: this machine does not allow that many open connections.
        WrongAnswer: one of them did not wait.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < agents + _SPARE_FILES:
        raise NotMeasured(f"{agents:,} connections need more open files than the {most:,} allowed.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        ExitStack() as open_connections,
        Agent.of(deployment, 0) as agent,
        PersonInChat.of(deployment, 0) as person,
    ):
        waited_for = [_a_proposal(deployment, place) for place in range(AGENTS)]
        before_mib = bot.resident_mib
        for number in range(agents):
            place = number % AGENTS
            waiting = open_connections.enter_context(
                agent_connection(deployment.port, deployment.tokens[place])
            )
            waiting.send("GET", f"/v1/proposals/{waited_for[place]}", Prefer=f"wait={_WAIT_S}")
        _parked(deployment, agents)
        grown_mib = bot.resident_mib - before_mib
        taken_ms = [[_woken(agent, person) for _ in range(decisions)] for _ in range(rounds)]
    return Parked(
        agents=agents,
        kib_each=grown_mib * _KIB_A_MIB / agents,
        woken_p50_ms=Spread.of(percentile(one, 50) for one in taken_ms),
        woken_p99_ms=percentile([ms for one in taken_ms for ms in one], 99),
    )


def _a_proposal(deployment: Deployment, place: int) -> str:
    with Agent.of(deployment, place) as agent:
        return agent.submit().id


def _parked(deployment: Deployment, agents: int) -> None:
    """Return once the bot says that *agents* requests wait.

    Raises:
        WrongAnswer: fewer do.
    """
    ends_at = time.monotonic() + _PARKED_WITHIN_S
    while (waiting := deployment.metric(_WAITING)) < agents:
        if time.monotonic() > ends_at:
            raise WrongAnswer(f"{waiting:,.0f} of {agents:,} requests wait")


def _woken(agent: Agent, person: PersonInChat) -> float:
    proposal = agent.submit()
    agent.begin_to_wait(proposal)
    time.sleep(_PARKED_AFTER_S)
    started = time.perf_counter()
    person.begin_to_press(Button.REJECT, proposal)
    agent.waited()
    taken_s = time.perf_counter() - started
    person.pressed()
    return taken_s * 1e3
