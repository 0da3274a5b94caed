"""How long `keyturn serve` takes until it is ready, and what it holds in memory then."""

from dataclasses import dataclass

from benches.deployment import Deployment
from benches.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    ready_s: Spread
    resident_mib: Spread


def measure(deployment: Deployment, *, rounds: int) -> Starts:
    """Start the bot of *deployment* and end it, again and again; none may be running."""
    ready_s, resident_mib = [], []
    for _ in range(rounds):
        with deployment.serving() as bot:
            ready_s.append(bot.ready_s)
            resident_mib.append(bot.resident_mib)
    return Starts(ready_s=Spread.of(ready_s), resident_mib=Spread.of(resident_mib))
