"""How many submits are durable in a second, in units of a server that only parses and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benches.load import Answered, load
from benches.process import Server
from benches.spread import Spread

CONNECTIONS: Final = (32, 256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submits:
    """``*_cpu_us`` is the servers' time on a core for one request, the steadiest figure here."""

    connections: int
    noop_per_s: Spread
    submits_per_s: Spread
    ratio: Spread
    p50_ms: Spread
    p99_ms: Spread
    noop_cpu_us: Spread
    submit_cpu_us: Spread
    errors: Sequence[str]


def measure(
    program: str,
    *,
    noop: Server,
    bot: Server,
    tokens: Sequence[str],
    connections: int,
    rounds: int,
    seconds: float,
    folder: Path,
) -> Submits:
    """Load the two servers in turn, so that what disturbs the machine disturbs both."""

    def one(server: Server, run: str) -> tuple[Answered, float]:
        before_s = server.cpu_s
        answered = load(
            program,
            server.port,
            connections=connections,
            seconds=seconds,
            tokens=tokens,
            run=run,
            folder=folder,
        )
        return answered, (server.cpu_s - before_s) / max(answered.requests, 1) * 1e6

    pairs = [
        (one(noop, f"{connections}a{n}"), one(bot, f"{connections}b{n}")) for n in range(rounds)
    ]
    noops = [noop for noop, _ in pairs]
    bots = [bot for _, bot in pairs]
    return Submits(
        connections=connections,
        noop_per_s=Spread.of(answered.per_s for answered, _ in noops),
        submits_per_s=Spread.of(answered.per_s for answered, _ in bots),
        ratio=Spread.of(bot.per_s / noop.per_s for (noop, _), (bot, _) in pairs),
        p50_ms=Spread.of(answered.p50_ms for answered, _ in bots),
        p99_ms=Spread.of(answered.p99_ms for answered, _ in bots),
        noop_cpu_us=Spread.of(cpu_us for _, cpu_us in noops),
        submit_cpu_us=Spread.of(cpu_us for _, cpu_us in bots),
        errors=[error for answered, _ in (*noops, *bots) if (error := answered.error)],
    )
